"""Puts the bundled data into the wheel as geotools/_data; an editable install reads data/ in place."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What rebuilds the data is of no use without the checkout.
LEFT_OUT = {"build.py", "builders", "sources.toml", "files.toml", "__pycache__"}


class BundleData(BuildHookInterface):  # type: ignore[type-arg]
    """Adds every file of data/ that a run reads."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Extend the wheel."""
        if version != "standard":
            return
        for path in sorted((Path(self.root) / "data").iterdir()):
            if path.name not in LEFT_OUT:
                build_data["force_include"][str(path)] = f"geotools/_data/{path.name}"
