"""Run the code blocks of Markdown files, top to bottom, in a folder of their own.

python: executed; the blocks of one file share their names. bash: executed, except blocks named by a
`<!-- command: ... -->` comment, which CI runs by themselves. yaml: must be a valid recipe or catalogue.
"""

import os
import re
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import yaml

BLOCK = re.compile(r"(<!-- command: .*? -->\n)?^```(python|bash|yaml)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def check_yaml(text: str) -> None:
    from geotools.catalog import Entry
    from geotools.recipe import Recipe

    content = yaml.safe_load(text)
    if set(content) <= set(Recipe.model_fields):
        Recipe.model_validate(content)
    else:
        for entry in content.values():
            Entry.model_validate(entry)


def run(path: Path) -> dict[str, int]:
    text, names, count = path.read_text(encoding="utf-8"), {"__name__": "snippet"}, {}
    # The command line of the environment that runs this script.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for match in BLOCK.finditer(text):
        named, language, code = match.groups()
        if named:
            continue
        if language == "python":
            # Blank lines in front make tracebacks name the line of the Markdown file.
            line = text[: match.start(3)].count("\n")
            exec(compile("\n" * line + code, str(path), "exec"), names)
        elif language == "bash":
            subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True, env=environment)
        else:
            check_yaml(code)
        count[language] = count.get(language, 0) + 1
    return count


failed = False
for argument in sys.argv[1:]:
    path = Path(argument).resolve()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=PendingDeprecationWarning)
        old = Path.cwd()
        os.chdir(folder)
        try:
            print(f"{argument}: {run(path) or 'no snippets'}", flush=True)
        except Exception:
            traceback.print_exc()
            failed = True
        finally:
            os.chdir(old)
sys.exit(failed)
