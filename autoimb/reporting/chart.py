"""A chart of the report: what Plotly draws, what it says in words, and its figures as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Chart", "Table"]


@dataclass(frozen=True)
class Table:
    """Figures for those who read or hear rather than look.

    Attributes
    ----------
    headers : tuple of str
    rows : tuple of tuple
        Of strings and numbers, as many in each as there are headers.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str | float]]


@dataclass(frozen=True)
class Chart:
    """A chart in plain values that JSON can hold.

    Attributes
    ----------
    name : str
        Of letters, digits and underscores; a chart is found in the page by it.
    title : str
    caption : str
        What it shows, and how to read it, in a sentence or two.
    data : sequence of mapping
        Traces of Plotly. Colours are those of `autoimb.drawing.COLORS`; what they leave open, ink
        and ground among it, follows the theme of the page.
    layout : mapping
        Of Plotly, without sizes, fonts and backgrounds.
    table : Table
    height : int
        In pixels.
    """

    name: str
    title: str
    caption: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    table: Table
    height: int = 340
