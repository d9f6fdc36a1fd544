"""A profile as HTML: a fragment for notebooks and a page that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoimb.drawing import Picture
from autoimb.markup import element, escape, number, quoted, section, verbatim, wrap
from autoimb.profiling.findings import SEVERITIES, Finding
from autoimb.profiling.interpretation import CAUTION, Reading
from autoimb.profiling.measures import MEASURES, Estimate
from autoimb.profiling.plots import picture_profile
from autoimb.profiling.power import PowerCard
from autoimb.profiling.profile import Profile

__all__ = ["render_body", "render_page"]

# Of the columns and rows of a finding, and of columns left out.
MAX_SHOWN = 20
MAX_CLASSES_LISTED = 100

NEIGHBOUR_NOTE = (
    "Safe, borderline, rare and outlier say how dense the class is around its own rows: they "
    "are local densities, not separability. Compare kdn with its value at random labels."
)
HALF_WIDTH_NOTE = (
    "± is half of a 95 % interval: of landmarkers that of their score, of the others what the "
    "choice of rows makes, and nothing where all were used. Open a name for its definition."
)
CAPTIONS = {
    "class_counts": "",
    "projection": (
        "The plane along which the table varies most. It is drawn without looking at the "
        "classes, so that classes which overlap here may still be apart."
    ),
    "feature_overlap": (
        "One bar for each bin: its share of the rows of the class (filled) and of the rest "
        "(line). Below it stands the upper end of the bin, or the level."
    ),
}

STYLE = """
.autoimb.profile { padding: 20px 28px 28px; max-width: 1120px; margin: 0 auto; }
.autoimb .pictures { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
.autoimb figure { margin: 0; max-width: 100%; }
.autoimb figcaption { max-width: 520px; margin-top: 4px; }
.autoimb .wide figcaption { max-width: 760px; }
.autoimb img { display: block; max-width: 100%; height: auto; margin: 0; filter: var(--picture); }
.autoimb summary { cursor: pointer; }
.autoimb.profile table { width: 100%; table-layout: fixed; min-width: 640px; }
.autoimb th.group { padding-top: 18px; font-size: 15px; }
.autoimb th.group .soft { font-weight: normal; }
.autoimb details .soft { margin: 2px 0 4px 14px; }
"""
PAGE_STYLE = """
html { color-scheme: light dark; background: #fff; }
body { margin: 0; }
@media (prefers-color-scheme: dark) { html { background: #1a1a1a; } }
"""
# Nothing is loaded and nothing runs, whatever the names in the data hold.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def render_page(profile: Profile, pictures: Mapping[str, Picture] | None = None) -> str:
    """Write a profile as one page that can be sent and kept: it loads nothing.

    Parameters
    ----------
    profile : Profile
    pictures : mapping of str to Picture, optional
        Those of `picture_profile`, if they were drawn already.

    Returns
    -------
    str
        HTML of a whole document.
    """
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Profile of {escape(profile.name)}</title><style>{PAGE_STYLE}</style>"
    )
    body = f"<body>\n{render_body(profile, pictures)}\n</body>"
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n{body}\n</html>\n'


def render_body(profile: Profile, pictures: Mapping[str, Picture] | None = None) -> str:
    """Write a profile as a part of a page, with its own style and pictures.

    Parameters
    ----------
    profile : Profile
    pictures : mapping of str to Picture, optional
        As in `render_page`.

    Returns
    -------
    str
        HTML of one element.
    """
    parts = (
        _header(profile),
        _findings(profile.findings),
        _interpretation(profile.interpretation, profile.minority),
        _power(profile.power, profile.minority),
        _pictures(profile, picture_profile(profile) if pictures is None else pictures),
        _measures(profile),
        _dropped(profile),
    )
    return wrap("profile", STYLE, *parts)


def _header(profile: Profile) -> str:
    title = element("h1", f"Profile of {verbatim(profile.name)}")
    lines = "".join(element("p", escape(line)) for line in str(profile).split("\n"))
    target = element("p", f"Target: {verbatim(profile.target)}", "soft")
    return element("header", title + lines + target)


def _findings(findings: Sequence[Finding]) -> str:
    worst_first = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    cards = [_finding(finding) for finding in worst_first]
    nothing = element("p", "Nothing found.")
    return section("Findings", *(cards or [nothing]))


def _finding(finding: Finding) -> str:
    badge = element("span", finding.severity, "badge")
    parts = [
        element("h3", badge + escape(finding.check.replace("_", " "))),
        element("p", escape(finding.evidence)),
        element("p", escape(finding.advice)),
    ]
    for what, names in (("Columns", finding.columns), ("Rows", finding.rows)):
        if names:
            parts.append(element("p", f"{what}: {_listed(names)}", "soft"))
    return element("article", "".join(parts), f"card {finding.severity}")


def _interpretation(readings: Sequence[Reading], minority: str) -> str:
    cards = [
        element(
            "article",
            element("p", escape(reading.words)) + element("p", escape(reading.evidence), "soft"),
            "card plain",
        )
        for reading in readings
    ]
    nothing = element("p", "No rule of thumb applies.")
    about = element("p", f"Of class {quoted(minority)}, the rarest. {escape(CAUTION)}", "soft")
    return section("Interpretation", *(cards or [nothing]), about)


def _power(power: PowerCard, minority: str) -> str:
    smallest, usual = power.smallest_recall_difference, min(power.usual_recall_difference, 1.0)
    none = smallest > 1
    tiles = {
        f"rows of {quoted(minority)}": f"{power.n_positives:,}",
        "average precision": f"± {number(power.average_precision)}",
        "recall": f"± {number(power.recall)}",
        "F1": f"± {number(power.f1)}",
        "smallest difference in recall": "none" if none else number(smallest),
        "difference found 4 times in 5": "none" if none else number(usual),
    }
    shown = [
        element("div", element("dt", what) + element("dd", figure), "tile")
        for what, figure in tiles.items()
    ]
    card = element("p", escape(power)) + element("dl", "".join(shown), "tiles")
    return section("What so few rows can show", element("div", card, "card plain"))


def _pictures(profile: Profile, pictures: Mapping[str, Picture]) -> str:
    shown = [_picture(profile, name, picture) for name, picture in pictures.items()]
    return section("Pictures", element("div", "".join(shown), "pictures"))


def _picture(profile: Profile, name: str, picture: Picture) -> str:
    source = base64.b64encode(picture.png).decode("ascii")
    width, height = (round(100 * inches) for inches in picture.size)
    image = (
        f'<img src="data:image/png;base64,{source}" width="{width}" height="{height}" '
        f'alt="{escape(_alternative(profile, name))}">'
    )
    caption = element("figcaption", CAPTIONS[name] + _in_full(profile, name), "soft")
    return element("figure", image + caption, "wide" if name == "feature_overlap" else "")


def _alternative(profile: Profile, name: str) -> str:
    """Tell in words what a picture shows."""
    if name == "class_counts":
        (most, n), *_ = profile.class_counts.items()
        return (
            f"Bars: rows of each of {profile.n_classes} classes, from {n:,} of '{most}' "
            f"to {profile.n_minority:,} of '{profile.minority}'."
        )
    if name == "projection":
        return (
            f"Scatter plot: rows of class '{profile.minority}' among the rest on two principal "
            "axes, by the number of enemies near them."
        )
    return (
        f"Histograms: the features in which class '{profile.minority}' differs most from the rest."
    )


def _in_full(profile: Profile, name: str) -> str:
    """List what a picture has to shorten."""
    if name == "class_counts":
        what = "Counts"
        names = [f"{label}: {n:,}" for label, n in profile.class_counts.items()]
    elif name == "feature_overlap" and profile.sketch:
        what = "Names"
        names = [f.name for f in profile.sketch.features]
    else:
        return ""
    summary = element("summary", f"{what} in full")
    return element("details", summary + _listed(names, MAX_CLASSES_LISTED))


def _measures(profile: Profile) -> str:
    n_rare = len(profile.classes)
    heads = ["measure", "of", "value", "±", "rows used"]
    if n_rare > 1:
        heads += ["worst", "in class"]
    widths = (23, 20, 12, 8, 15, 12, 10)
    head = "".join(
        f'<th scope="col" style="width:{width}%"{_numeric(name)}>{name}</th>'
        for name, width in zip(heads, widths, strict=False)
    )
    groups = dict.fromkeys(measure.group for measure in MEASURES.values())
    bodies = "".join(_group(profile, group, len(heads)) for group in groups)
    table = element("table", element("thead", element("tr", head)) + bodies)
    note = element("p", HALF_WIDTH_NOTE, "soft")
    return section("Measures", note, element("div", table, "scroll"))


def _numeric(head: str) -> str:
    return ' class="number"' if head in ("value", "±", "rows used", "worst") else ""


def _group(profile: Profile, group: str, n_columns: int) -> str:
    title = escape(group.capitalize())
    if group == "neighbourhood":
        title += element("p", NEIGHBOUR_NOTE, "soft")
    head = f'<tr><th colspan="{n_columns}" scope="colgroup" class="group">{title}</th></tr>'
    names = [name for name, measure in MEASURES.items() if measure.group == group]
    rows = [_measure(profile, name) for name in names if name in profile.measures]
    return element("tbody", head + "".join(rows))


def _measure(profile: Profile, name: str) -> str:
    of_a_class = MEASURES[name].of_a_class
    sizes = [one.n_rows for one in profile.classes]
    of = (
        f"class {quoted(profile.minority)}"
        if len(sizes) == 1
        else f"mean of {len(sizes)} rare classes"
    )
    random = _at_random(name, sizes, profile.n_rows)
    cells = [
        element("td", _definition(name)),
        element("td", of if of_a_class else "the table"),
        _values(profile.measures[name], random),
    ]
    if len(sizes) > 1:
        cells += _worst(profile, name) if of_a_class else ["<td></td><td></td>"]
    return element("tr", "".join(cells))


def _worst(profile: Profile, name: str) -> list[str]:
    """Show a measure in the rare class where it is hardest."""
    worst = profile.worst[name]
    hardest = [one for one in profile.classes if one.measures.get(name) == worst]
    if worst.value is None or not hardest:
        return ["<td></td><td></td>"]
    random = _at_random(name, [hardest[0].n_rows], profile.n_rows)
    figure = element("td", number(worst.value) + random, "number")
    return [figure, element("td", quoted(hardest[0].label))]


def _definition(name: str) -> str:
    measure = MEASURES[name]
    harder = f"The {measure.worse}er, the harder." if measure.worse else ""
    parts = [f"{measure.definition}.", harder, measure.source]
    told = [element("p", escape(part), "soft") for part in parts if part]
    return element("details", element("summary", escape(name)) + "".join(told))


def _values(estimate: Estimate, random: str) -> str:
    if estimate.value is None:
        return f'<td colspan="3" class="soft">not defined: {escape(estimate.why)}</td>'
    spread = f"{estimate.half_width:.2g}" if estimate.half_width else ""
    against = f" against {estimate.n_ref:,}" if estimate.n_ref else ""
    figures = (number(estimate.value) + random, spread, f"{estimate.n_used:,}{against}")
    return "".join(element("td", figure, "number") for figure in figures)


def _at_random(name: str, sizes: Sequence[int], n_rows: int) -> str:
    """Write what kDN would be at random labels: mean over classes weighted by their rows."""
    if name != "kdn":
        return ""
    n = np.array(sizes, dtype=float)
    return element("p", f"at random {number(float(1 - (n @ n) / n.sum() / n_rows))}", "soft")


def _dropped(profile: Profile) -> str:
    if not profile.dropped:
        return ""
    items = [f"{verbatim(name)}: {escape(why)}" for name, why in profile.dropped.items()]
    more = [f"and {len(items) - MAX_SHOWN:,} more"] if len(items) > MAX_SHOWN else []
    listed = "".join(element("li", item) for item in [*items[:MAX_SHOWN], *more])
    return section("Columns left out", element("ul", listed))


def _listed(names: Sequence[Any], most: int = MAX_SHOWN) -> str:
    shown = ", ".join(verbatim(name) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
