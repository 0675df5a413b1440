"""Put both figures of a finished run side by side as the picture of the README.

Usage: python docs/make_overview.py first-run
"""

import sys
from pathlib import Path

from PIL import Image

HEIGHT = 900


def main(run: Path) -> None:
    """Write docs/images/overview.png."""
    parts = [
        Image.open(run / "figures" / f"{n}.png").convert("RGB") for n in ("basins_map", "transect_profile")
    ]
    parts = [p.resize((round(p.width * HEIGHT / p.height), HEIGHT), Image.Resampling.LANCZOS) for p in parts]
    picture = Image.new("RGB", (sum(p.width for p in parts), HEIGHT), "white")
    left = 0
    for part in parts:
        picture.paste(part, (left, 0))
        left += part.width
    picture.save(Path(__file__).parent / "images" / "overview.png", optimize=True)


main(Path(sys.argv[1]))
