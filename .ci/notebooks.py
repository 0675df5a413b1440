"""Execute notebooks from top to bottom in a folder of their own; any error fails."""

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

for argument in sys.argv[1:]:
    notebook = nbformat.read(argument, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
    print(f"{Path(argument).name}: {sum(c.cell_type == 'code' for c in notebook.cells)} cells")
