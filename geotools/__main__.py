"""``python -m geotools``: the command line, also where the script is not on the path."""

from geotools.cli import main

main()
