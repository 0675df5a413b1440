"""Images inside the page, so that it is one file."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDEST = 1600
# Of the 3 MB of a page, as base64 makes bytes a third longer.
BUDGET_BYTES = 1_700_000


def data_uri(path: Path, *, limit_bytes: int) -> tuple[str, int, int]:
    """A PNG as data URI, made smaller until it fits.

    Parameters
    ----------
    path : pathlib.Path
    limit_bytes : int
        Of the PNG.

    Returns
    -------
    (str, int, int)
        The URI, width and height in pixels.

    Raises
    ------
    UsageError
        When the file is no whole image.
    """
    from PIL import Image

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(
            f"the figure cannot be read ({error})", where=str(path), expected="a whole PNG file",
            todo="remove it, or run `geotools run` again into a new folder",
        ) from error  # fmt: skip
    if path.stat().st_size <= limit_bytes and image.width <= _WIDEST:
        return _uri(path.read_bytes()), image.width, image.height
    width, data = min(image.width, _WIDEST), b""
    while True:
        height = max(1, round(image.height * width / image.width))
        small = image.resize((width, height), Image.Resampling.LANCZOS)
        for candidate in (small, small.quantize(256, method=Image.Quantize.FASTOCTREE)):
            buffer = io.BytesIO()
            candidate.save(buffer, "PNG")
            data = buffer.getvalue()
            if len(data) <= limit_bytes or width <= 240:
                return _uri(data), width, height
        # The bytes go about with the area.
        width = int(width * min(0.9, 0.97 * (limit_bytes / len(data)) ** 0.5))


def _uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """A figure as SVG to stand in the page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Prefix of all its ids, so that figures of one page do not share any.
    description : str
        For those who do not see it.

    Returns
    -------
    str
        Markup.
    """
    from html import escape

    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, facecolor="white")
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<style type="text/css">.*?</style>', "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text).replace("url(#", f"url(#{name}-")
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    head = f'<svg class="chart" {box.group()} role="img" aria-label="{escape(description, quote=True)}">'
    return re.sub(r"\n\s*", "\n", head + text[text.index(">") + 1 :])
