"""What all pages share: elements, text that is safe in them, and a style for light and dark."""

from __future__ import annotations

from html import escape as escape_markup
from typing import Any

import numpy as np

__all__ = ["STYLE", "element", "escape", "number", "quoted", "section", "verbatim", "wrap"]

LIGHT = """color-scheme: light; --ground: #fff; --ink: #1c2024; --soft: #5d6570;
  --line: #dfe2e6; --panel: #f6f7f8; --critical: #b42318; --warning: #9a5b00; --note: #1d5fae;
  --good: #1a7f37; --picture: none;"""
DARK = """color-scheme: dark; --ground: #1a1a1a; --ink: #e8e8e8; --soft: #a3a7ad;
  --line: #3a3c40; --panel: #242527; --critical: #ff8a7a; --warning: #f0b35a; --note: #82b4f2;
  --good: #6fd08c; --picture: invert(.92) hue-rotate(180deg) brightness(1.3);"""

# Every rule is about the class of the fragment, so that a notebook is left alone. It brings its
# own ground and ink along: those of a notebook that tells its theme (JupyterLab, VS Code), else
# those of the system.
STYLE = f"""
.autoimb {{ {LIGHT} }}
@media (prefers-color-scheme: dark) {{ .autoimb {{ {DARK} }} }}
[data-jp-theme-light="true"] .autoimb, .vscode-light .autoimb {{ {LIGHT} }}
[data-jp-theme-light="false"] .autoimb, .vscode-dark .autoimb {{ {DARK} }}
.autoimb {{ background: var(--ground); color: var(--ink); box-sizing: border-box;
  font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", sans-serif; overflow-wrap: anywhere; }}
.autoimb h1 {{ font-size: 24px; line-height: 1.25; margin: 0 0 8px; }}
.autoimb h2 {{ font-size: 18px; margin: 32px 0 10px; }}
.autoimb h3 {{ font-size: 15px; margin: 0 0 4px; }} .autoimb p {{ margin: 0 0 4px; }}
.autoimb .soft {{ color: var(--soft); font-size: 13px; }}
.autoimb .data {{ unicode-bidi: isolate; white-space: pre-wrap; }}
.autoimb .card {{ border: 1px solid var(--line); border-left: 4px solid var(--tone);
  background: var(--panel); border-radius: 4px; padding: 10px 14px; margin: 0 0 10px; }}
.autoimb .critical {{ --tone: var(--critical); }} .autoimb .warning {{ --tone: var(--warning); }}
.autoimb .note {{ --tone: var(--note); }} .autoimb .good {{ --tone: var(--good); }}
.autoimb .plain {{ --tone: var(--line); }}
.autoimb .badge {{ color: var(--tone); text-transform: uppercase; font-size: 12px;
  letter-spacing: .05em; margin-right: 8px; }}
.autoimb .tiles {{ display: flex; flex-wrap: wrap; gap: 8px 32px; margin: 10px 0 0; }}
.autoimb .tile {{ display: flex; flex-direction: column-reverse; justify-content: flex-end; }}
.autoimb .tile dt {{ color: var(--soft); font-size: 13px; font-weight: normal; }}
.autoimb .tile dd {{ font-size: 18px; margin: 0; }}
.autoimb .scroll {{ overflow-x: auto; }}
.autoimb table {{ border-collapse: collapse; margin: 8px 0 0; font-size: 14px; color: inherit; }}
.autoimb table tbody tr:nth-child(n) {{ background: none; border: 0; }}
.autoimb th, .autoimb td {{ text-align: left; vertical-align: top; padding: 4px 12px 4px 0;
  border: 0; border-bottom: 1px solid var(--line); }}
.autoimb th {{ font-weight: 600; }}
.autoimb thead th {{ color: var(--soft); font-size: 13px; vertical-align: bottom; }}
.autoimb .number {{ text-align: right; overflow-wrap: normal; white-space: nowrap;
  font-variant-numeric: tabular-nums; }}
"""


def wrap(kind: str, style: str, *parts: str) -> str:
    """Put parts of a page into one element that brings its style along.

    Parameters
    ----------
    kind : str
        A further class of the element, that `style` speaks of.
    style : str
        Rules beside those of `STYLE`.
    *parts : str
        HTML.

    Returns
    -------
    str

    Examples
    --------
    >>> wrap("page", "", element("p", "text"))[:33]
    '<div class="autoimb page"><style>'
    """
    return f'<div class="autoimb {kind}"><style>{STYLE}{style}</style>{"".join(parts)}</div>'


def section(title: str, *parts: str, level: int = 2) -> str:
    """Put parts below a heading of a level.

    Examples
    --------
    >>> section("Findings", element("p", "None."))
    '<section><h2>Findings</h2><p>None.</p></section>'
    """
    return element("section", element(f"h{level}", title) + "".join(parts))


def element(tag: str, content: str, style: str = "") -> str:
    """Put content, which is HTML already, into an element of a class.

    Examples
    --------
    >>> element("p", "1 &lt; 2", "soft")
    '<p class="soft">1 &lt; 2</p>'
    """
    opening = f'{tag} class="{style}"' if style else tag
    return f"<{opening}>{content}</{tag}>"


def verbatim(value: Any) -> str:
    """Show what comes from the data as it is, whichever way it is written.

    Examples
    --------
    >>> verbatim("<b>")
    '<span class="data">&lt;b&gt;</span>'
    """
    return f'<span class="data">{escape(value)}</span>'


def quoted(label: Any) -> str:
    """Show a label in quotes."""
    return f"'{verbatim(label)}'"


def escape(value: Any) -> str:
    """Make text out of anything: no markup, and nothing that a file could not hold.

    Examples
    --------
    >>> escape("a < b & c")
    'a &lt; b &amp; c'
    """
    return escape_markup(str(value).encode("utf-8", "replace").decode("utf-8"))


def number(value: float) -> str:
    """Write three significant digits, but whole numbers in full.

    Examples
    --------
    >>> number(0.12345), number(1234.0), number(12345.6), number(0.00001234), number(0)
    ('0.123', '1,234', '12,300', '0.0000123', '0')
    """
    if float(value).is_integer():
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return str(np.format_float_positional(value, precision=3, fractional=False, trim="-"))
