"""Pictures of a profile: class counts, a map of the rarest class, and its best features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoimb.drawing import (
    Picture,
    entitle,
    measure_text,
    new_figure,
    readable,
    take_picture,
)
from autoimb.profiling.profile import Profile
from autoimb.profiling.sketch import KINDS, FeatureSketch, Sketch

__all__ = ["draw_profile", "picture_profile"]

# Finer than a page shows them, for screens with small pixels.
PICTURE_DPI = 160

# More bars than this cannot be read; the most frequent and the rarest classes are drawn.
MAX_BARS = 20
# Lengths of texts are in units of their font size.
# What the longest labels leave for bars and what is written at them.
BARS_WIDTH = 27.0
# What fits above and below the picture of a feature.
ROOM_ABOVE = 14.0
ROOM_BELOW = 16.5
SPACE_BETWEEN = 0.8
MAX_COLUMNS = 5
MAX_WRITTEN_BINS = 3

GREY = "0.62"
FAINT = "0.45"
# Colour, marker, its area, opacity and explanation of each of `KINDS`. Close to the colours of
# Okabe and Ito, from cold to warm; the shapes tell the kinds apart without colours.
KIND_STYLES = (
    (GREY, "o", 12, 0.45, ""),
    ("#0072B2", "o", 24, 0.75, ": at most 1 of 5 neighbours is of another class"),
    ("#45A9E0", "s", 24, 0.8, ": 2 or 3 of 5"),
    ("#DB9200", "^", 30, 0.85, ": 4 of 5"),
    ("#D55E00", "X", 34, 0.85, ": 5 of 5"),
)
RARE_COLOR = "#D55E00"
COMMON_COLOR = "0.7"


def draw_profile(profile: Profile) -> Mapping[str, Any]:
    """Draw what a profile knows.

    Parameters
    ----------
    profile : Profile

    Returns
    -------
    mapping of str to matplotlib.figure.Figure
        By file name without extension: `class_counts` and, unless no column tells rows apart,
        `projection` and `feature_overlap`.
    """
    figures = {"class_counts": _draw_counts(profile)}
    if profile.sketch is not None:
        figures["projection"] = _draw_projection(profile, profile.sketch)
        if profile.sketch.features:
            figures["feature_overlap"] = _draw_overlap(profile, profile.sketch.features)
    return figures


def picture_profile(profile: Profile) -> dict[str, Picture]:
    """Draw what a profile knows, as pictures for pages and files.

    Parameters
    ----------
    profile : Profile

    Returns
    -------
    dict of str to Picture
        By the names of `draw_profile`.
    """
    drawn = draw_profile(profile)
    return {name: take_picture(figure, PICTURE_DPI) for name, figure in drawn.items()}


def _draw_counts(profile: Profile) -> Any:
    bars = list(profile.class_counts.items())
    n_hidden = max(len(bars) - MAX_BARS, 0)
    half = MAX_BARS // 2
    places = [float(i) for i in range(len(bars))]
    if n_hidden:
        hidden = bars[half:-half]
        bars = bars[:half] + bars[-half:]
        # A gap of one bar, in which stands what is left out.
        places = [i + float(i >= half) for i in range(MAX_BARS)]
    figure = new_figure((5.2, 1.3 + 0.3 * len(places)))
    ax = figure.add_subplot()
    rare = {one.label for one in profile.classes}
    colors = [RARE_COLOR if name in rare else COMMON_COLOR for name, _ in bars]
    sizes = [n for _, n in bars]
    ax.barh(places, sizes, color=colors, height=0.72)
    texts = [f"{n:,} ({_percent(n / profile.n_rows)})" for n in sizes]
    for place, n, text in zip(places, sizes, texts, strict=True):
        _write(ax, text, n, place)
    if n_hidden:
        between = f"{n_hidden:,} classes of {_range(hidden)} rows left out"
        ax.text(0.02, half, between, va="center", fontsize="small", color=FAINT,
                transform=ax.get_yaxis_transform())  # fmt: skip
    ax.set_yticks(places, [readable(name) for name, _ in bars])
    ax.set_ylim(places[-1] + 0.6, -0.6)
    _scale_counts(ax, max(sizes), max(map(measure_text, texts)))
    entitle(ax, "Rows of each class")
    _explain_rarity(figure, rare, profile.n_classes)
    return figure


def _write(ax: Any, text: str, x: float, y: float) -> None:
    offset = {"xytext": (4, 0), "textcoords": "offset points"}
    ax.annotate(text, (x, y), va="center", fontsize="small", **offset)


def _scale_counts(ax: Any, most: int, longest: float) -> None:
    """Make the axis logarithmic, with plain figures and room for what is written at the bars."""
    ax.set_xscale("log")
    # One row has a bar too.
    ax.set_xlim(0.7, 0.7 * (most / 0.7) ** (1 / (1 - longest / BARS_WIDTH)))
    n_digits = len(str(most))
    powers = range(0, n_digits, -(-n_digits // 4))
    ax.set_xticks([10**p for p in powers], [_short(10**p) for p in powers])
    ax.minorticks_off()
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("rows, on a logarithmic scale")
    ax.grid(axis="x", alpha=0.25)
    ax.set_axisbelow(True)


def _explain_rarity(figure: Any, rare: set[str], n_classes: int) -> None:
    from matplotlib.patches import Patch

    if n_classes == 2:
        return
    words = "rarer than the average class" if len(rare) > 1 else "the rarest class"
    handles = [Patch(color=RARE_COLOR, label=words), Patch(color=COMMON_COLOR, label="the others")]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, **_PLAIN_LEGEND)


def _draw_projection(profile: Profile, sketch: Sketch) -> Any:
    figure = new_figure((5.2, 5.6))
    ax = figure.add_subplot()
    points = np.asarray(sketch.points, dtype=float).reshape(-1, 2)
    kinds = np.asarray(sketch.kinds, dtype=int)
    for kind, (color, marker, area, alpha, words) in enumerate(KIND_STYLES):
        own = points[kinds == kind]
        label = f"{KINDS[kind]}{words} ({len(own):,})"
        ax.scatter(*own.T, s=area, c=color, marker=marker, alpha=alpha, lw=0, label=label)
    for axis, share in zip((ax.xaxis, ax.yaxis), sketch.explained, strict=True):
        axis.set_label_text(f"{'first' if axis is ax.xaxis else 'second'} principal axis "
                            f"({_percent(share)} of the variance)")  # fmt: skip
    # A unit is equally long both ways, so that distances may be compared.
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.04)
    ax.grid(alpha=0.25)
    entitle(ax, f"Class '{readable(profile.minority)}' among the rest")
    legend = figure.legend(loc="outside lower left", title=_count_shown(profile, kinds),
                           markerscale=1.3, alignment="left", **_PLAIN_LEGEND)  # fmt: skip
    legend.get_title().set_fontsize("small")
    for handle in legend.legend_handles:
        handle.set_alpha(1)
    return figure


def _count_shown(profile: Profile, kinds: Any) -> str:
    """Say how many rows of how many are in the picture."""
    members = int((kinds > 0).sum())
    n_others = profile.n_rows - profile.n_minority
    return (
        f"{members:,} of {profile.n_minority:,} rows of the class, "
        f"{len(kinds) - members:,} of {n_others:,} others"
    )


def _draw_overlap(profile: Profile, features: Sequence[FeatureSketch]) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    n_lines = -(-len(features) // MAX_COLUMNS)
    n_columns = max(-(-len(features) // n_lines), 2)
    figure = new_figure((2.12 * n_columns, 1.95 * n_lines + 0.75))
    grid = figure.subplots(n_lines, n_columns, squeeze=False)
    for ax, feature in zip(grid.flat, features, strict=False):
        _draw_feature(ax, feature)
    for ax in list(grid.flat)[len(features) :]:
        ax.remove()
    figure.get_layout_engine().set(h_pad=0.07)
    for ax in grid[:, 0]:
        ax.set_ylabel("share of rows", fontsize="small")
    handles = [
        Patch(color=RARE_COLOR, alpha=0.55, label=f"class '{readable(profile.minority)}'"),
        Line2D([], [], color="0.25", label="the rest"),
    ]
    legend = figure.legend(handles=handles, loc="outside upper left", ncols=2, **_PLAIN_LEGEND)
    legend.set_title("Features that tell the class apart best")
    legend.get_title().set_fontweight("bold")
    legend.set_alignment("left")
    return figure


def _draw_feature(ax: Any, feature: FeatureSketch) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    edges = np.arange(len(feature.bins) + 1.0)
    ax.stairs(feature.minority, edges, fill=True, color=RARE_COLOR, alpha=0.55, lw=0)
    ax.stairs(feature.rest, edges, color="0.25", lw=1.3, baseline=0)
    highest = max(*feature.minority, *feature.rest)
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.08 * highest))
    ax.spines[["top", "right"]].set_visible(False)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:.3g}"))
    ax.tick_params(labelsize="x-small", length=2)
    figures = f"overlap {feature.overlap:.2f}, AUC {feature.auc:.2f}"
    title = f"{readable(feature.name, ROOM_ABOVE)}\n{figures}"
    ax.set_title(title, fontsize="small", loc="left")
    ax.grid(axis="y", alpha=0.25)
    if feature.bins[-1] == "missing" and len(feature.bins) > 1:
        # What is missing lies beside the values, not above the largest.
        ax.axvline(edges[-2], color=FAINT, ls=":", lw=1)
    _label_bins(ax, feature.bins)


def _label_bins(ax: Any, bins: Sequence[str]) -> None:
    """Write below as many bins as there is room for, the outer ones inside the picture."""
    n, names = len(bins), list(bins)
    needed = [measure_text(name) + SPACE_BETWEEN for name in names]
    # A label may reach below the next bin if that one's is short.
    pairs = zip([needed[0], *needed], [*needed, needed[-1]], strict=True)
    all_fit = n * max((a + b) / 2 for a, b in pairs) <= ROOM_BELOW
    few = all_fit or n <= MAX_WRITTEN_BINS
    chosen = range(n) if few else (0, n // 2, n - 1)
    places = [i + 0.5 for i in chosen] if few else [0.0, n // 2 + 0.5, float(n)]
    room = np.inf if all_fit else ROOM_BELOW / len(chosen) - SPACE_BETWEEN
    ax.set_xticks(places, [readable(names[i], room) for i in chosen])
    ax.tick_params(axis="x", length=0)
    if not few:
        for label, side in zip(ax.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)


_PLAIN_LEGEND: Mapping[str, Any] = {"frameon": False, "fontsize": "small", "borderaxespad": 0.2}


def _percent(share: float) -> str:
    """Write a share so that a small one is not called zero.

    Examples
    --------
    >>> _percent(0.977), _percent(0.00012), _percent(0.0), _percent(1e-7)
    ('97.7%', '0.012%', '0%', '<0.001%')
    """
    if 0 < share < 1e-5:
        return "<0.001%"
    return f"{share:.1%}" if share >= 0.01 else f"{100 * share:.2g}%"


def _short(n: float) -> str:
    """Write a power of ten.

    Examples
    --------
    >>> _short(1000), _short(1e6)
    ('1,000', '1M')
    """
    return f"{n / 1e6:,.0f}M" if n >= 1e6 else f"{n:,.0f}"


def _range(bars: Sequence[tuple[str, int]]) -> str:
    sizes = [n for _, n in bars]
    low, high = min(sizes), max(sizes)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
