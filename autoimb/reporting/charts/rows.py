"""Charts of named rows: each name stands above what is drawn of it, so that any screen has room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autoimb.reporting.charts.layouts import axis, label
from autoimb.reporting.charts.values import plain, wrapped

__all__ = ["UNLABELLED", "name_rows", "row_axis", "row_bars"]

# Margins of axes that nothing is written beside.
UNLABELLED = {"l": 12, "r": 16, "t": 16, "b": 48}
# Characters, for a name to fit on a narrow screen.
MAX_NAME = 46


def name_rows(names: Iterable[str], bold: str | None = None) -> list[dict[str, Any]]:
    """Write the names of rows, the first at 0 and each further one 1 below.

    Parameters
    ----------
    names : iterable of str
    bold : str, optional
        The one that is written in bold.

    Returns
    -------
    list of dict
        Annotations.
    """
    notes = []
    for place, name in enumerate(names):
        text = wrapped(name, MAX_NAME)
        text = f"<b>{text}</b>" if name == bold else text
        notes.append(
            label(0, -place, text, xref="paper", xanchor="left", yanchor="bottom", align="left")
        )
    return notes


def row_axis(n_rows: int) -> dict[str, Any]:
    """Make the axis that rows are one below the other on."""
    return axis("", range=[0.35 - n_rows, 0.75], showticklabels=False, showgrid=False)


def row_bars(
    values: Sequence[float], colors: Sequence[str], hatches: Sequence[str], **more: Any
) -> dict[str, Any]:
    """Draw bars below the names of rows."""
    return {
        "type": "bar", "orientation": "h", "x": plain(values),
        "y": [-float(place) for place in range(len(values))], "width": 0.34, "offset": -0.42,
        "marker": {"color": list(colors), "pattern": {"shape": list(hatches)}}, **more,
    }  # fmt: skip
