"""What commands tell a person: sections and tables, plain, or drawn where a terminal shows them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = ["Part", "Section", "Table", "legible", "print_report"]

GAP = 2
# Prose is broken here on a wider terminal.
WIDEST = 100
# How a terminal shows the words that a reader looks for.
MARKS = {
    "critical:": "bold red", "warning:": "yellow", "failed": "red", "passed": "green",
    "skipped": "yellow", "(miscalibrated)": "yellow", "<- exported": "green",
    "<- in the blend": "green",
}  # fmt: skip


def legible(text: str) -> str:
    r"""Spell out control characters: what comes from data steers no terminal.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(legible("red\x1b[31m"), legible("Łódź"))
    red\x1b[31m Łódź
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@dataclass(frozen=True)
class Table:
    """Columns of short texts.

    Attributes
    ----------
    names : sequence of str
        Of the columns; with none but empty ones there is no header.
    rows : sequence of sequence of str
    numbers : collection of int
        Places of the columns that are aligned on the right.
    marks : int or None
        Place of the column whose words are `MARKS`.
    indent : int
        Characters.

    Examples
    --------
    >>> print(Table(("class", "rows"), [("yes", "24"), ("no", "1,136")], numbers={1}))
    class   rows
    yes       24
    no     1,136
    """

    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Collection[int] = ()
    marks: int | None = None
    indent: int = 0

    def _cells(self) -> list[list[str]]:
        return [[legible(cell) for cell in row] for row in self.rows]

    def __str__(self) -> str:
        """Align the columns as plain lines."""
        from rich.cells import cell_len

        lines = [list(self.names)] * any(self.names) + self._cells()
        widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]

        def padded(place: int, cell: str) -> str:
            room = " " * (widths[place] - cell_len(cell))
            return room + cell if place in self.numbers else cell + room

        joined = ((" " * GAP).join(padded(*cell) for cell in enumerate(line)) for line in lines)
        return "\n".join(" " * self.indent + line.rstrip() for line in joined)

    def draw(self, widths: Mapping[str, int] | None = None) -> RenderableType:
        """Lay it out for a terminal.

        Parameters
        ----------
        widths : mapping of str to int, optional
            Characters of the columns that are shown, whose cells are cut; by default all are
            shown, and texts are broken where there is no room.

        Returns
        -------
        rich renderable
        """
        from rich.padding import Padding
        from rich.table import Table as Drawn
        from rich.text import Text

        drawn = Drawn(
            box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold",
            show_header=any(self.names),
        )  # fmt: skip
        shown = [place for place, name in enumerate(self.names) if not widths or name in widths]
        for place in shown:
            is_number, name = place in self.numbers, self.names[place]
            drawn.add_column(
                Text(name), justify="right" if is_number else "left",
                no_wrap=is_number or bool(widths), overflow="ellipsis" if widths else "fold",
                width=widths[name] if widths else None,
            )  # fmt: skip
        for row in self._cells():
            drawn.add_row(
                *(_mark(row[place]) if place == self.marks else Text(row[place]) for place in shown)
            )
        return Padding(drawn, (0, 0, 0, self.indent), expand=False)


@dataclass(frozen=True)
class Section:
    """Lines and tables below a title.

    Attributes
    ----------
    title : str
        Empty for none.
    body : sequence of str or Table
    is_verbatim : bool
        Whether lines are to be copied, so that only the terminal itself may break them.
    """

    title: str
    body: Sequence[str | Table]
    is_verbatim: bool = False

    def __str__(self) -> str:
        """Write it as plain lines."""
        return "\n".join([self.title] * bool(self.title) + [*map(str, self.body)])


Part = str | Table | Section


def print_report(parts: Iterable[Part]) -> None:
    """Print parts on stdout, an empty line between them.

    Parameters
    ----------
    parts : iterable of str, Table or Section
        Empty texts are left out.
    """
    from rich.console import Console

    shown = [part for part in parts if part]
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        print("\n\n".join(map(str, shown)))
        return
    for place, part in enumerate(shown):
        if place:
            console.line()
        section = part if isinstance(part, Section) else Section("", [part])
        _print_section(console, section)
    sys.stdout.flush()


def _print_section(console: Console, section: Section) -> None:
    from rich.text import Text

    if section.title:
        console.print(Text(section.title, "bold"))
    for piece in section.body:
        if isinstance(piece, Table):
            console.print(piece.draw())
            continue
        for line in piece.splitlines() or [""]:
            broken = line if section.is_verbatim else _break(line, console.width)
            console.print(_paint(broken), soft_wrap=True)


def _break(line: str, width: int) -> str:
    """Break a line between words, what follows indented."""
    indent = " " * (len(line) - len(line.lstrip()) + GAP)
    return fill(line, min(width, WIDEST), subsequent_indent=indent, break_on_hyphens=False)


def _paint(line: str) -> Text:
    """Colour the mark that a line begins with."""
    from rich.text import Text

    painted, begin = Text(line), len(line) - len(line.lstrip())
    for mark, style in MARKS.items():
        if line.startswith(mark, begin):
            painted.stylize(style, begin, begin + len(mark))
    return painted


def _mark(cell: str) -> Text:
    """Colour every mark of a cell."""
    from rich.text import Text

    painted = Text(cell)
    for mark, style in MARKS.items():
        painted.highlight_words([mark], style)
    return painted
