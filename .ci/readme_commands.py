"""Print a command block of the README by its name, so that CI runs what a user would paste.

A block is named by an HTML comment on the line above its fence: <!-- command: tests -->
"""

import re
import sys
from pathlib import Path

text = Path(sys.argv[1]).read_text(encoding="utf-8")
found = re.search(rf"<!-- command: {re.escape(sys.argv[2])} -->\n```(?:bash|sh)\n(.*?)```", text, re.DOTALL)
if found is None:
    sys.exit(f"{sys.argv[1]} has no command block named {sys.argv[2]!r}")
print(found.group(1), end="")
