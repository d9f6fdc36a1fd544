"""What a chart is made of: rounded numbers, few points, and text that is no markup."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray

__all__ = ["MAX_POINTS", "of_100", "plain", "round_off", "shown", "spell", "thin", "wrapped"]

MAX_POINTS = 400
DIGITS = 5
# What is longer stands in the table.
MAX_LINES = 4
# Points that a long curve is first cut down to, evenly along the line.
COARSE = 8 * MAX_POINTS


def round_off(value: Any) -> Any:
    """Keep five significant digits of a number; None stands for what is no number.

    Examples
    --------
    >>> round_off(0.123456789), round_off(float("nan")), round_off(12)
    (0.12346, None, 12)
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    number = float(value)
    return float(f"{number:.{DIGITS}g}") if np.isfinite(number) else None


def plain(values: Iterable[Any]) -> list[Any]:
    """Turn numbers into a list that JSON can hold.

    Examples
    --------
    >>> plain(np.array([1 / 3, np.inf]))
    [0.33333, None]
    """
    return [round_off(value) for value in values]


def shown(text: Any) -> str:
    """Show what comes from the data as it is: Plotly would take tags and entities for markup.

    Examples
    --------
    >>> shown("<b>a & b</b>")
    '&lt;b&gt;a &amp; b&lt;/b&gt;'
    """
    whole = " ".join(str(text).encode("utf-8", "replace").decode("utf-8").split())
    return escape(whole, quote=False)


def spell(name: str) -> str:
    """Write a name of the program as words.

    Examples
    --------
    >>> spell("average_precision")
    'average precision'
    """
    return name.replace("_", " ")


def wrapped(text: Any, width: int) -> str:
    """Break what comes from the data into lines of so many characters, and four at most.

    Examples
    --------
    >>> wrapped("best with a sampler: smote", 12)
    'best with a<br>sampler:<br>smote'
    """
    lines = textwrap.wrap(str(text), width, max_lines=MAX_LINES, placeholder=" …")
    return "<br>".join(map(shown, lines))


def of_100(rate: float) -> str:
    """Write a rate as a count out of a hundred, with more digits where it is small or nearly all.

    Examples
    --------
    >>> of_100(0.837), of_100(0.0132), of_100(0.9996), of_100(1.0)
    ('84 of 100', '1.3 of 100', '99.96 of 100', '100 of 100')
    """
    percent = 100 * rate
    if percent < 10:
        return f"{percent:.2g} of 100"
    digits = next((k for k in range(4) if round(percent, k) < 100), 0)
    return f"{percent:.{digits}f} of 100"


def thin(x: FloatArray, y: FloatArray, kept: Iterable[int] = ()) -> IntArray:
    """Choose points of a line that show its shape: corners stay, what lies straight goes.

    A long line is cut down evenly along its length; then the points go that span the smallest
    triangles with their neighbours (Visvalingam and Whyatt 1993), many at a time.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
        As they are drawn: logarithms on a logarithmic axis. Finite.
    kept : iterable of int
        Places that stay in any case.

    Returns
    -------
    ndarray
        Places of at most 400 points, the first and the last among them.

    Examples
    --------
    >>> x = np.arange(10_001.0)
    >>> found = thin(x, abs(x - 3000))
    >>> len(found) <= 400, 3000 in found
    (True, True)
    """
    n, stays = len(x), np.array([0, len(x) - 1, *kept], dtype=int)
    places = np.arange(n)
    if n <= MAX_POINTS:
        return places
    u, v = (_scaled(each) for each in (x, y))
    if n > COARSE:
        along = np.append(0.0, np.cumsum(abs(np.diff(u)) + abs(np.diff(v))))
        even = np.searchsorted(along, np.linspace(0, along[-1], COARSE))
        # Beside a sample lies the corner that it has just passed.
        places = np.unique(np.concatenate([even, np.maximum(even - 1, 0), stays]))
    while len(places) > MAX_POINTS:
        areas = _triangles(u[places], v[places])
        areas[np.isin(places, stays)] = np.inf
        n_over = len(places) - MAX_POINTS
        worst = np.partition(areas, n_over - 1)[n_over - 1]
        goes = (areas <= worst) & np.isfinite(areas)
        # Of neighbours only every other one: a triangle grows as a corner of it goes.
        goes[1:] &= ~(goes[:-1] & (np.arange(1, len(goes)) % 2 == 1))
        goes &= np.cumsum(goes) <= n_over
        places = places[~goes]
    return places


def _scaled(values: FloatArray) -> FloatArray:
    low, high = values.min(), values.max()
    return np.asarray((values - low) / (high - low or 1.0))


def _triangles(u: FloatArray, v: FloatArray) -> FloatArray:
    """Return the area that each point spans with its neighbours; of the ends it is infinite."""
    doubled = (u[1:-1] - u[:-2]) * (v[2:] - v[:-2]) - (u[2:] - u[:-2]) * (v[1:-1] - v[:-2])
    return np.concatenate([[np.inf], abs(doubled), [np.inf]])
