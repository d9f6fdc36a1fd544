"""A profile as HTML: a fragment for notebooks and a page that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from autoimb.drawing import Picture
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

# Every rule begins with the class of the fragment, so that a notebook is left alone. It brings
# its own ground and ink along, as the theme of a notebook need not be that of the system.
STYLE = """
.autoimb-profile { color-scheme: light dark; --ground: #fff; --ink: #1c2024; --soft: #5d6570;
  --line: #dfe2e6; --panel: #f6f7f8; --critical: #b42318; --warning: #9a5b00; --note: #1d5fae;
  --picture: none; background: var(--ground); color: var(--ink); padding: 20px 28px 28px;
  max-width: 1120px; margin: 0 auto; box-sizing: border-box;
  font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", sans-serif; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { .autoimb-profile { --ground: #1a1a1a; --ink: #e8e8e8;
  --soft: #a3a7ad; --line: #3a3c40; --panel: #242527; --critical: #ff8a7a; --warning: #f0b35a;
  --note: #82b4f2; --picture: invert(.92) hue-rotate(180deg) brightness(1.3); } }
.autoimb-profile h1 { font-size: 24px; line-height: 1.25; margin: 0 0 8px; }
.autoimb-profile h2 { font-size: 18px; margin: 32px 0 10px; }
.autoimb-profile h3 { font-size: 15px; margin: 0 0 4px; } .autoimb-profile p { margin: 0 0 4px; }
.autoimb-profile .soft { color: var(--soft); font-size: 13px; }
.autoimb-profile .data { unicode-bidi: isolate; white-space: pre-wrap; }
.autoimb-profile .card { border: 1px solid var(--line); border-left: 4px solid var(--tone);
  background: var(--panel); border-radius: 4px; padding: 10px 14px; margin: 0 0 10px; }
.autoimb-profile .critical { --tone: var(--critical); }
.autoimb-profile .warning { --tone: var(--warning); }
.autoimb-profile .note { --tone: var(--note); } .autoimb-profile .plain { --tone: var(--line); }
.autoimb-profile .badge { color: var(--tone); text-transform: uppercase; font-size: 12px;
  letter-spacing: .05em; margin-right: 8px; }
.autoimb-profile .tiles { display: flex; flex-wrap: wrap; gap: 8px 32px; margin: 10px 0 0; }
.autoimb-profile .tile { display: flex; flex-direction: column-reverse; }
.autoimb-profile .tile dt { color: var(--soft); font-size: 13px; font-weight: normal; }
.autoimb-profile .tile dd { font-size: 18px; margin: 0; }
.autoimb-profile .pictures { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
.autoimb-profile figure { margin: 0; max-width: 100%; }
.autoimb-profile figcaption { max-width: 520px; margin-top: 4px; }
.autoimb-profile .wide figcaption { max-width: 760px; }
.autoimb-profile img { display: block; max-width: 100%; height: auto; margin: 0;
  filter: var(--picture); }
.autoimb-profile summary { cursor: pointer; } .autoimb-profile .scroll { overflow-x: auto; }
.autoimb-profile table { border-collapse: collapse; width: 100%; table-layout: fixed;
  min-width: 640px; margin: 8px 0 0; font-size: 14px; color: inherit; }
.autoimb-profile table tbody tr:nth-child(n) { background: none; border: 0; }
.autoimb-profile th, .autoimb-profile td { text-align: left; vertical-align: top;
  padding: 4px 12px 4px 0; border: 0; border-bottom: 1px solid var(--line); }
.autoimb-profile th { font-weight: 600; }
.autoimb-profile thead th { color: var(--soft); font-size: 13px; vertical-align: bottom; }
.autoimb-profile th.group { padding-top: 18px; font-size: 15px; }
.autoimb-profile th.group .soft { font-weight: normal; }
.autoimb-profile .number { text-align: right; overflow-wrap: normal;
  font-variant-numeric: tabular-nums; }
.autoimb-profile details .soft { margin: 2px 0 4px 14px; }
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
        f"<title>Profile of {_escape(profile.name)}</title><style>{PAGE_STYLE}</style>"
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
        f"<style>{STYLE}</style>",
        _header(profile),
        _findings(profile.findings),
        _interpretation(profile.interpretation, profile.minority),
        _power(profile.power, profile.minority),
        _pictures(profile, picture_profile(profile) if pictures is None else pictures),
        _measures(profile),
        _dropped(profile),
    )
    return f'<div class="autoimb-profile">{"".join(parts)}</div>'


def _header(profile: Profile) -> str:
    title = _element("h1", f"Profile of {_data(profile.name)}")
    lines = "".join(_element("p", _escape(line)) for line in str(profile).split("\n"))
    target = _element("p", f"Target: {_data(profile.target)}", "soft")
    return _element("header", title + lines + target)


def _findings(findings: Sequence[Finding]) -> str:
    worst_first = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    cards = [_finding(finding) for finding in worst_first]
    nothing = _element("p", "Nothing found.")
    return _section("Findings", *(cards or [nothing]))


def _finding(finding: Finding) -> str:
    badge = _element("span", finding.severity, "badge")
    parts = [
        _element("h3", badge + _escape(finding.check.replace("_", " "))),
        _element("p", _escape(finding.evidence)),
        _element("p", _escape(finding.advice)),
    ]
    for what, names in (("Columns", finding.columns), ("Rows", finding.rows)):
        if names:
            parts.append(_element("p", f"{what}: {_listed(names)}", "soft"))
    return _element("article", "".join(parts), f"card {finding.severity}")


def _interpretation(readings: Sequence[Reading], minority: str) -> str:
    cards = [
        _element(
            "article",
            _element("p", _escape(reading.words))
            + _element("p", _escape(reading.evidence), "soft"),
            "card plain",
        )
        for reading in readings
    ]
    nothing = _element("p", "No rule of thumb applies.")
    about = _element("p", f"Of class {_quoted(minority)}, the rarest. {_escape(CAUTION)}", "soft")
    return _section("Interpretation", *(cards or [nothing]), about)


def _power(power: PowerCard, minority: str) -> str:
    smallest, usual = power.smallest_recall_difference, min(power.usual_recall_difference, 1.0)
    none = smallest > 1
    tiles = {
        f"rows of {_quoted(minority)}": f"{power.n_positives:,}",
        "average precision": f"± {_number(power.average_precision)}",
        "recall": f"± {_number(power.recall)}",
        "F1": f"± {_number(power.f1)}",
        "smallest difference in recall": "none" if none else _number(smallest),
        "difference found 4 times in 5": "none" if none else _number(usual),
    }
    shown = [
        _element("div", _element("dt", what) + _element("dd", figure), "tile")
        for what, figure in tiles.items()
    ]
    card = _element("p", _escape(power)) + _element("dl", "".join(shown), "tiles")
    return _section("What so few rows can show", _element("div", card, "card plain"))


def _pictures(profile: Profile, pictures: Mapping[str, Picture]) -> str:
    shown = [_picture(profile, name, picture) for name, picture in pictures.items()]
    return _section("Pictures", _element("div", "".join(shown), "pictures"))


def _picture(profile: Profile, name: str, picture: Picture) -> str:
    source = base64.b64encode(picture.png).decode("ascii")
    width, height = (round(100 * inches) for inches in picture.size)
    image = (
        f'<img src="data:image/png;base64,{source}" width="{width}" height="{height}" '
        f'alt="{_escape(_alternative(profile, name))}">'
    )
    caption = _element("figcaption", CAPTIONS[name] + _in_full(profile, name), "soft")
    return _element("figure", image + caption, "wide" if name == "feature_overlap" else "")


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
    summary = _element("summary", f"{what} in full")
    return _element("details", summary + _listed(names, MAX_CLASSES_LISTED))


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
    table = _element("table", _element("thead", _element("tr", head)) + bodies)
    note = _element("p", HALF_WIDTH_NOTE, "soft")
    return _section("Measures", note, _element("div", table, "scroll"))


def _numeric(head: str) -> str:
    return ' class="number"' if head in ("value", "±", "rows used", "worst") else ""


def _group(profile: Profile, group: str, n_columns: int) -> str:
    title = _escape(group.capitalize())
    if group == "neighbourhood":
        title += _element("p", NEIGHBOUR_NOTE, "soft")
    head = f'<tr><th colspan="{n_columns}" scope="colgroup" class="group">{title}</th></tr>'
    names = [name for name, measure in MEASURES.items() if measure.group == group]
    rows = [_measure(profile, name) for name in names if name in profile.measures]
    return _element("tbody", head + "".join(rows))


def _measure(profile: Profile, name: str) -> str:
    of_a_class = MEASURES[name].of_a_class
    sizes = [one.n_rows for one in profile.classes]
    of = (
        f"class {_quoted(profile.minority)}"
        if len(sizes) == 1
        else f"mean of {len(sizes)} rare classes"
    )
    random = _at_random(name, sizes, profile.n_rows)
    cells = [
        _element("td", _definition(name)),
        _element("td", of if of_a_class else "the table"),
        _values(profile.measures[name], random),
    ]
    if len(sizes) > 1:
        cells += _worst(profile, name) if of_a_class else ["<td></td><td></td>"]
    return _element("tr", "".join(cells))


def _worst(profile: Profile, name: str) -> list[str]:
    """Show a measure in the rare class where it is hardest."""
    worst = profile.worst[name]
    hardest = [one for one in profile.classes if one.measures.get(name) == worst]
    if worst.value is None or not hardest:
        return ["<td></td><td></td>"]
    random = _at_random(name, [hardest[0].n_rows], profile.n_rows)
    figure = _element("td", _number(worst.value) + random, "number")
    return [figure, _element("td", _quoted(hardest[0].label))]


def _definition(name: str) -> str:
    measure = MEASURES[name]
    harder = f"The {measure.worse}er, the harder." if measure.worse else ""
    parts = [f"{measure.definition}.", harder, measure.source]
    told = [_element("p", _escape(part), "soft") for part in parts if part]
    return _element("details", _element("summary", _escape(name)) + "".join(told))


def _values(estimate: Estimate, random: str) -> str:
    if estimate.value is None:
        return f'<td colspan="3" class="soft">not defined: {_escape(estimate.why)}</td>'
    spread = f"{estimate.half_width:.2g}" if estimate.half_width else ""
    against = f" against {estimate.n_ref:,}" if estimate.n_ref else ""
    figures = (_number(estimate.value) + random, spread, f"{estimate.n_used:,}{against}")
    return "".join(_element("td", figure, "number") for figure in figures)


def _at_random(name: str, sizes: Sequence[int], n_rows: int) -> str:
    """Write what kDN would be at random labels: mean over classes weighted by their rows."""
    if name != "kdn":
        return ""
    n = np.array(sizes, dtype=float)
    return _element("p", f"at random {_number(float(1 - (n @ n) / n.sum() / n_rows))}", "soft")


def _dropped(profile: Profile) -> str:
    if not profile.dropped:
        return ""
    items = [f"{_data(name)}: {_escape(why)}" for name, why in profile.dropped.items()]
    more = [f"and {len(items) - MAX_SHOWN:,} more"] if len(items) > MAX_SHOWN else []
    listed = "".join(_element("li", item) for item in [*items[:MAX_SHOWN], *more])
    return _section("Columns left out", _element("ul", listed))


def _section(title: str, *parts: str) -> str:
    return _element("section", _element("h2", title) + "".join(parts))


def _element(tag: str, content: str, style: str = "") -> str:
    opening = f'{tag} class="{style}"' if style else tag
    return f"<{opening}>{content}</{tag}>"


def _listed(names: Sequence[Any], most: int = MAX_SHOWN) -> str:
    shown = ", ".join(_data(name) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def _data(value: Any) -> str:
    """Show what comes from the data as it is, whichever way it is written."""
    return f'<span class="data">{_escape(value)}</span>'


def _quoted(label: str) -> str:
    return f"'{_data(label)}'"


def _escape(value: Any) -> str:
    """Make text out of anything: no markup, and nothing that a file could not hold."""
    return escape(str(value).encode("utf-8", "replace").decode("utf-8"))


def _number(value: float) -> str:
    """Write three significant digits, but whole numbers in full.

    Examples
    --------
    >>> _number(0.12345), _number(1234.0), _number(12345.6), _number(0.00001234), _number(0)
    ('0.123', '1,234', '12,300', '0.0000123', '0')
    """
    if float(value).is_integer():
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return str(np.format_float_positional(value, precision=3, fractional=False, trim="-"))
