"""Elements that the report is put together from: tables, charts, tiles."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autoimb.markup import element, escape, number, verbatim
from autoimb.reporting.chart import Chart, Table

__all__ = ["draw_chart", "draw_table", "fold_away", "tile"]

# A number, an interval, a share: such cells are not broken.
FIGURES = re.compile(r"([-+±.,%\d\s]|\bto\b)*")


def draw_table(table: Table) -> str:
    """Draw a table; numbers keep to the right, and text is shown as it is.

    Parameters
    ----------
    table : Table

    Returns
    -------
    str
        HTML, empty without rows.

    Examples
    --------
    >>> draw_table(Table(("class",), (("<b>",),))).count("&lt;b&gt;")
    1
    >>> draw_table(Table(("95 %",), (("0.1 to 0.2",),))).count('class="number"')
    2
    """
    if not table.rows:
        return ""
    is_number = [
        all(_is_number(cell) for cell in column) for column in zip(*table.rows, strict=True)
    ]
    head = "".join(
        f'<th scope="col"{_style(right)}>{escape(text)}</th>'
        for text, right in zip(table.headers, is_number, strict=True)
    )
    rows = (
        "".join(
            f"<td{_style(right)}>{_cell(cell)}</td>"
            for cell, right in zip(row, is_number, strict=True)
        )
        for row in table.rows
    )
    body = "".join(element("tr", row) for row in rows)
    whole = element("thead", element("tr", head)) + element("tbody", body)
    return element("div", element("table", whole), "scroll")


def _is_number(cell: str | float | None) -> bool:
    return not isinstance(cell, str) or FIGURES.fullmatch(cell) is not None


def _style(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _cell(cell: str | float | None) -> str:
    if cell is None:
        return ""
    return verbatim(cell) if isinstance(cell, str) else number(cell)


def draw_chart(chart: Chart) -> str:
    """Make the place where a chart is drawn, with what it says in words and figures.

    Parameters
    ----------
    chart : Chart

    Returns
    -------
    str
        HTML of one figure; the script of the page draws into it.
    """
    caption, heading = escape(chart.caption), f"chart-{chart.name}"
    return (
        f'<figure class="chart" aria-labelledby="{heading}">'
        f'<h3 id="{heading}">{escape(chart.title)}</h3>'
        f'<div class="plot" data-chart="{chart.name}" role="img" aria-label="{caption}" '
        f'style="height: {chart.height}px"></div>'
        f"<figcaption>{caption}</figcaption>"
        f"{fold_away('Figures as a table', draw_table(chart.table))}</figure>"
    )


def fold_away(title: str, *parts: str) -> str:
    """Hide parts until they are asked for; print shows them folded."""
    content = "".join(parts)
    return element("details", element("summary", escape(title)) + content) if content else ""


def tile(what: str, figure: str, *more: str) -> str:
    """Show a figure large, with what it is below it, and how sure.

    Parameters
    ----------
    what, figure : str
        Text.
    *more : str
        Further text, smaller.

    Returns
    -------
    str
        HTML, for a list of definitions.
    """
    added: Iterable[str] = (element("span", escape(text), "soft") for text in more if text)
    told = " ".join([escape(figure), *added])
    return element("div", element("dt", escape(what)) + element("dd", told), "tile")
