"""What all pictures share: figures without matplotlib's global state, and texts that fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np

from autoimb.errors import MissingPackageError

__all__ = [
    "COLORS", "GREY", "Picture", "entitle", "explain_below", "measure_text", "new_figure",
    "open_axes", "readable", "take_picture",
]  # fmt: skip

# In units of the font size: about two dozen letters.
MAX_LABEL = 11.0
# What stands below axes begins so many points lower: under the labels of their ticks and axis.
BELOW = 38.0
GREY = "0.55"
# Those of Okabe and Ito, which the colour-blind can tell apart, and two further ones.
COLORS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F4F24", "#444444",
    "#B2A300", "#8E44AD",
)  # fmt: skip


def new_figure(size: tuple[float, float], dpi: int = 100) -> Any:
    """Make an empty figure.

    Parameters
    ----------
    size : (float, float)
        Width and height in inches.
    dpi : int
        Dots an inch.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def open_axes(ax: Any, size: tuple[float, float]) -> Any:
    """Return the axes to draw on: those given, or those of a figure that a notebook shows.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    size : (float, float)
        Width and height in inches, of a figure that has to be made.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    MissingPackageError
        If matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise MissingPackageError(
            "plots need matplotlib, which is not installed. Install it: pip install matplotlib"
        ) from None
    return pyplot.subplots(figsize=size, layout="constrained")[1]


def explain_below(ax: Any, **options: Any) -> Any:
    """Put a legend below axes, where it covers nothing.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    **options
        Of `Axes.legend`.

    Returns
    -------
    matplotlib.legend.Legend
    """
    from matplotlib.transforms import offset_copy

    below = offset_copy(ax.transAxes, ax.get_figure(), y=-BELOW, units="points")
    return ax.legend(
        loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below, borderaxespad=0,
        frameon=False, fontsize="small", **options,
    )  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A figure as it was drawn.

    Attributes
    ----------
    png : bytes
    size : (float, float)
        Width and height in inches.
    """

    png: bytes
    size: tuple[float, float]


def take_picture(figure: Any, dpi: int | None = None) -> Picture:
    """Draw a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Of `new_figure`.
    dpi : int, optional
        Dots an inch; by default those of the figure.

    Returns
    -------
    Picture

    Examples
    --------
    >>> take_picture(new_figure((2.0, 1.0))).png[1:4]
    b'PNG'
    """
    figure.set_dpi(dpi or figure.dpi)
    buffer = BytesIO()
    # Savefig would draw it twice, the first time for its layout alone.
    figure.canvas.print_png(buffer, metadata={"Software": None})
    width, height = figure.get_size_inches().tolist()
    return Picture(buffer.getvalue(), (width, height))


def entitle(ax: Any, title: str) -> None:
    """Give axes a title, and take away the lines that bound nothing."""
    ax.set_title(title, fontsize="medium", fontweight="bold", loc="left")
    ax.spines[["top", "right"]].set_visible(False)


def readable(name: Any, longest: float = MAX_LABEL) -> str:
    r"""Shorten a label, and replace what the font lacks or would be read as mathematics.

    Parameters
    ----------
    name : object
    longest : float
        In units of the font size.

    Returns
    -------
    str

    Examples
    --------
    >>> readable("amount in $"), readable("a very long name of a column", 8.0)
    ('amount in \\$', 'a very long n…')
    """
    text = "".join("?" if _width(c) is None else c for c in " ".join(str(name).split()))
    if measure_text(text) > longest:
        ends = np.cumsum([measure_text(c) for c in (*"…", *text)])
        text = text[: np.searchsorted(ends, longest) - 1].rstrip() + "…"
    return text.replace("$", r"\$")


def measure_text(text: str) -> float:
    """Tell how long a text is, in units of the font size."""
    return sum(_width(c) or 0.0 for c in text)


@cache
def _width(character: str) -> float | None:
    """Tell how wide a character is in the standard font; None if the font lacks it."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    if ord(character) not in font.get_charmap():
        return None
    size = 100
    font.set_size(size, 72)
    return float(font.load_char(ord(character)).linearHoriAdvance / 2**16 / size)
