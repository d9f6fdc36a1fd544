"""The explorer of a report: a threshold to drag, or to have found, and what it comes to."""

from __future__ import annotations

import shlex
from string import Template

import numpy as np

from autoimb.decision.rules import DecisionRule, Threshold
from autoimb.fitted_model import FittedModel
from autoimb.markup import element, number, quoted, verbatim
from autoimb.reporting.operating_points import OperatingPoints, find_points, stated_costs
from autoimb.reporting.page import embed_json, read_resource

__all__ = ["EXPLORER_SCRIPT", "EXPLORER_STYLE", "render_explorer"]


# A page holds each of them once, whatever it shows.
EXPLORER_SCRIPT = read_resource("explorer.js")
EXPLORER_STYLE = read_resource("explorer.css")

PLAIN = 0.5
# Of the thresholds that are listed for those who cannot drag one.
RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
METHOD = (
    "Counted on rows that the models had not seen, but on which the threshold is chosen: that "
    "flatters it a little. Intervals are for rows like these. Those of recall, precision and "
    "alerts are Clopper and Pearson's (1934), those of costs join Wilson's (1927) of both kinds of "
    "errors."
)


def render_explorer(model: FittedModel, model_file: str) -> str:
    """Write the part of a page that a threshold is explored in.

    It needs `autoimb.markup.STYLE`, `EXPLORER_STYLE` and `EXPLORER_SCRIPT` in the page; without
    the script a table of some thresholds is shown. On each change of the threshold the document
    hears an ``autoimb:threshold`` event, whose detail holds `threshold` and `index`, the place
    among those of the element ``operating-points``.

    Parameters
    ----------
    model : FittedModel
    model_file : str
        As `autoimb retune` is to find it.

    Returns
    -------
    str
        HTML of one section; empty without out-of-fold predictions of both classes, and for more
        than two.
    """
    if model.evidence is None or len(model.labels.classes) != 2 or len(set(model.evidence.y)) < 2:
        return ""
    scored, codes = model.out_of_fold(), model.out_of_fold_codes()
    threshold = _exported_threshold(model.rule)
    points = find_points(scored, [PLAIN] if threshold is None else [PLAIN, threshold])
    exported = None if threshold is None else points.place_of(threshold)
    n_alerts = points.hits + points.false_alarms
    # What is no threshold flags about as many rows as one.
    start = int(abs(n_alerts - (codes == 1).sum()).argmin()) if exported is None else exported
    costs = stated_costs(model.decision.criterion) or (1.0, 1.0)
    stored = {
        **points.to_dict(),
        "costs": costs,
        "exported": exported,
        "plain": points.place_of(PLAIN),
        "start": start,
        "command": shlex.join(["autoimb", "retune", model_file]),
    }
    return Template(read_resource("explorer.html")).substitute(
        positive=quoted(model.labels.by_code[1]),
        negative=quoted(model.labels.by_code[0]),
        origin=_tell_origin(model, points) + _tell_rule(model.rule),
        n_rows=f"{points.n_rows:,}",
        n_points=_tell_points(points),
        last=len(points.thresholds) - 1,
        false_alarm=f"{costs[0]:g}",
        miss=f"{costs[1]:g}",
        exported_off="disabled" if exported is None else "",
        alternatives=_list_alternatives(exported is not None),
        table=_list_points(points, costs, exported),
        method=METHOD + _tell_aim(points),
        data=embed_json("operating-points", stored),
    )


def _exported_threshold(rule: DecisionRule) -> float | None:
    """Return the threshold that the model decides by, whatever the rows are."""
    # Above every probability there may be none.
    return rule.value if isinstance(rule, Threshold) and rule.value <= 1 else None


def _tell_origin(model: FittedModel, points: OperatingPoints) -> str:
    positive = quoted(model.labels.by_code[1])
    found = (
        f"These are {points.n_rows:,} rows, {points.n_positive:,} of them {positive}, each with "
        "the probability that models gave it which had not seen it."
    )
    if model.prevalence is None:
        return found
    share = f"{_figure(100 * model.prevalence[1])} %"
    return (
        f"{found} Precision, alerts and costs are those where {share} of the cases are {positive}, "
        "which the model is aimed at."
    )


def _tell_rule(rule: DecisionRule) -> str:
    if not isinstance(rule, Threshold):
        return f" The model decides by another rule than a threshold: {verbatim(rule)}."
    return "" if rule.value <= 1 else " The model makes no case an alert."


def _tell_points(points: OperatingPoints) -> str:
    n = len(points.thresholds)
    if n >= points.n_distinct:
        return f"The nearest of {n:,} is taken: no other decides these rows otherwise."
    return f"The nearest of {n:,} out of {points.n_distinct:,} is taken."


def _tell_aim(points: OperatingPoints) -> str:
    """Say how intervals come about where classes are as frequent as elsewhere."""
    if points.shares is None:
        return ""
    return (
        " The shares of the classes are taken as known: those of alerts join the intervals of both "
        "classes, and so do costs."
    )


def _list_alternatives(is_point: bool) -> str:
    """Write the rows that the script fills."""
    names = {"this": "this threshold", "exported": "as exported", "plain": "at 0.5",
             "nobody": "alert to nobody", "everybody": "alert to everybody"}  # fmt: skip
    return "".join(
        f'<tr data-beside="{name}"><th scope="row">{title}</th>{6 * _cell("")}</tr>'
        for name, title in names.items()
        if is_point or name != "exported"
    )


def _list_points(points: OperatingPoints, costs: tuple[float, float], exported: int | None) -> str:
    """Write the table of some thresholds."""
    recall = points.recall()
    places = {} if exported is None else {"as exported": exported}
    places["without tuning"] = points.place_of(PLAIN)
    for asked in RECALLS:
        places[f"recall of {100 * asked:.0f} %"] = int(np.argmax(recall.value >= asked))
    shares, counts = (recall, points.precision()), (points.alerts(), points.cost(*costs))
    rows = [
        f'<th scope="row">{name}</th>{_cell(number(points.thresholds[place]))}'
        + "".join(_cell(_spell(one.at(place), 100, " %")) for one in shares)
        + "".join(_cell(_spell(one.at(place), 1000)) for one in counts)
        for name, place in places.items()
    ]
    per = element("span", "per 1,000", "soft")
    titles = "threshold", "recall", "precision", f"alerts {per}", f"cost {per}"
    heads = "".join(f'<th scope="col" class="number">{title}</th>' for title in titles)
    priced = f"a miss at {costs[1]:g}, a false alarm at {costs[0]:g}"
    caption = element("caption", f"Some thresholds, with 95 % intervals; {priced}")
    body = "".join(element("tr", row) for row in rows)
    return element("table", f"{caption}<thead><tr><td></td>{heads}</tr></thead>"
                   + element("tbody", body))  # fmt: skip


def _cell(content: str) -> str:
    return element("td", content, "number")


def _spell(figures: tuple[float, float, float], unit: float, sign: str = "") -> str:
    """Write a figure and its interval, in parts of a hundred or a thousand."""
    value, low, high = (_figure(unit * one) for one in figures)
    if np.isnan(figures[0]):
        return "no alert"
    return f"{value}{sign} {element('span', f'{low} to {high}{sign}', 'soft')}"


def _figure(value: float) -> str:
    """Write a number as the script does."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 0.95 or value == 0 else f"{value:.2g}"
