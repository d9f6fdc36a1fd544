"""The frame of a page that loads nothing: style, script and the library that draws are inside."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from autoimb.markup import STYLE, escape
from autoimb.reporting.chart import Chart

__all__ = ["embed_json", "frame_page", "read_resource"]


def frame_page(
    title: str, body: str, charts: Iterable[Chart], styles: Sequence[str], scripts: Sequence[str]
) -> str:
    """Put a body into a whole document that needs nothing else, and can load nothing else.

    Its policy lets run the scripts that are given here, by their hashes, and no other: whatever
    the names in the data hold.

    Parameters
    ----------
    title, body : str
        Text; HTML.
    charts : iterable of Chart
    styles, scripts : sequence of str
        Each is put in once.

    Returns
    -------
    str
        HTML.
    """
    library, hash_of_library = _pack_plotly()
    drawn = {chart.name: {"data": chart.data, "layout": chart.layout} for chart in charts}
    all_scripts = [*scripts, read_resource("plots.js")]
    allowed = " ".join([hash_of_library, *map(_hash, all_scripts)])
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{''.join([STYLE, *styles])}</style>"
    )
    ends = [
        embed_json("charts", drawn),
        f'<script type="text/plain" id="plotly">{library}</script>',
        *(f"<script>{script}</script>" for script in all_scripts),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n'
        f"<body>\n{body}\n{''.join(ends)}\n</body>\n</html>\n"
    )


def embed_json(name: str, content: Mapping[str, Any]) -> str:
    r"""Embed plain values for the scripts of a page; no text in them ends the element.

    Examples
    --------
    >>> embed_json("x", {"label": "</script>"})
    '<script type="application/json" id="x">{"label":"\\u003c/script>"}</script>'
    """
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    safe = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{safe}</script>'


def read_resource(name: str) -> str:
    """Read a style or a script of this folder."""
    return files("autoimb.reporting").joinpath(name).read_text("utf-8")


@cache
def _pack_plotly() -> tuple[str, str]:
    """Pack the library: as it is, it is larger than all the rest of the page ten times over."""
    from plotly.offline import get_plotlyjs

    script = get_plotlyjs()
    packed = gzip.compress(script.encode(), compresslevel=9, mtime=0)
    return base64.b64encode(packed).decode("ascii"), _hash(script)


def _hash(script: str) -> str:
    """Name a script in the policy of a page."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
