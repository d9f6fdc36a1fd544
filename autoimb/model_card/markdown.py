"""Markdown in which text from the data is shown as it is, whatever it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["block", "bullets", "code", "section", "table", "text"]

# A name longer than this is cut: a card is for reading.
MAX_NAME = 120
# Line breaks, other control characters, and those that turn the direction of writing.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
# What begins markup wherever it stands: code, emphasis, links, strokes, formulas.
MARKUP = re.compile(r"([\\`*\[\]~$])|(?<![^\W_])(_)|(_)(?![^\W_])")
# What does so at the start of a line: headings, lists, quotes, rules.
AT_START = re.compile(r"^(\d*)([-+=#.)])(?=[-=#\s]|$)")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def text(content: Any) -> str:
    r"""Show text as it is, in a sentence, an item of a list or a cell.

    Examples
    --------
    >>> print(text("# of <b>'a_b'</b>, *all*"))
    \# of &lt;b&gt;'a_b'&lt;/b&gt;, \*all\*
    """
    line = " ".join(UNPRINTABLE.sub(" ", str(content)).split())
    marked = MARKUP.sub(lambda found: "\\" + found[0], line)
    begun = AT_START.sub(r"\1\\\2", marked)
    return re.sub("[&<>]", lambda found: ENTITIES[found[0]], begun)


def code(content: Any) -> str:
    """Show a name from the data: of a column, a class, a file.

    Examples
    --------
    >>> print(code("a|b"), code("`a` <i>"), code(" "))
    `a|b` `` `a` <i> `` `" "`
    """
    name = UNPRINTABLE.sub(" ", str(content))
    name = name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
    name = name if name.strip() else f'"{name}"'
    fence = "`" * (_longest_run(name) + 1)
    # One space at either end is taken off again.
    pad = " " if name[0] in "` " or name[-1] in "` " else ""
    return f"{fence}{pad}{name}{pad}{fence}"


def _longest_run(content: str) -> int:
    """Count the backticks of the longest run."""
    return max((len(run) for run in re.findall("`+", content)), default=0)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Draw a table of cells that are Markdown; empty without rows.

    Examples
    --------
    >>> print(table(("column", "read as"), [(code("a|b"), "number")]))
    | column | read as |
    |---|---|
    | `a\|b` | number |
    """
    drawn = [_row(row) for row in rows]
    return "\n".join([_row(heads), "|" + "---|" * len(heads), *drawn]) if drawn else ""


def _row(cells: Sequence[str]) -> str:
    # Within a table this holds for code too.
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def bullets(items: Iterable[str]) -> str:
    """Draw a list of items that are Markdown, those left out that are empty."""
    return "\n".join(f"- {item}" for item in items if item)


def block(content: str, language: str) -> str:
    """Show lines of code, whatever quotes they hold."""
    fence = "`" * max(_longest_run(content) + 1, 3)
    return f"{fence}{language}\n{content}\n{fence}"


def section(title: str, *parts: str) -> str:
    """Put parts under a title; without any there is none."""
    shown = [part for part in parts if part]
    return "\n\n".join([f"## {title}", *shown]) if shown else ""
