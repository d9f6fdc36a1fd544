"""Which choices of a search its best trials owe their scores to."""

from __future__ import annotations

from collections.abc import Mapping

from autoimb.fitting import FitResult
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import BLUE, GREEN, axis, layout
from autoimb.reporting.charts.rows import UNLABELLED, name_rows, row_axis, row_bars
from autoimb.reporting.charts.values import round_off, shown, spell
from autoimb.search.choice_importance import count_leading, measure_choices

__all__ = ["draw_importance"]

MAX_BARS = 12
STAGE_WORDS = {
    "model": "which model", "ensemble": "which ensemble", "sampler": "which sampler",
    "weight": "which weight",
}  # fmt: skip


def draw_importance(result: FitResult) -> Chart | None:
    """Draw which choices the best trials owe most to.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    Chart or None
        None where too few trials are complete.
    """
    shares = measure_choices(result.search.study)
    if not shares:
        return None
    top = dict(list(shares.items())[:MAX_BARS])
    names = [_name_choice(name) for name in top]
    is_stage = [name in STAGE_WORDS for name in top]
    told = [f"{name}, {_percent(share)}" for name, share in zip(names, top.values(), strict=True)]
    bar = row_bars(
        list(top.values()),
        [BLUE if each else GREEN for each in is_stage],
        ["" if each else "/" for each in is_stage],
        customdata=[shown(text) for text in told],
        name="importance",
        hovertemplate="%{customdata}<extra></extra>",
    )
    across = axis("share of importance", tickformat=".0%", rangemode="tozero")
    rows = [(name, round_off(share)) for name, share in zip(names, top.values(), strict=True)]
    if len(shares) > len(top):
        rows.append(("all others together", round_off(sum(shares.values()) - sum(top.values()))))
    return Chart(
        "choice_importance", "What the best trials owe their scores to", _tell(result, shares),
        [bar], layout(across, row_axis(len(top)), legend=False, annotations=name_rows(told),
                      margin=UNLABELLED),
        Table(("choice", "share"), rows), height=90 + 42 * len(top),
    )  # fmt: skip


def _tell(result: FitResult, shares: Mapping[str, float]) -> str:
    n = sum(record.state == "complete" for record in result.search.records)
    name, share = next(iter(shares.items()))
    return (
        f"How far the choices of the best {count_leading(n)} of {n:,} complete trials differ from "
        "those of all (PED-ANOVA): what has no share might as well have been chosen blindly. "
        "Hatched bars are parameters of a component, the others choose one. First is "
        f"{_name_choice(name)}, with {_percent(share)}; of few trials take no more than the order."
    )


def _name_choice(name: str) -> str:
    """Name a stage, or a parameter of a component.

    Examples
    --------
    >>> _name_choice("sampler"), _name_choice("model.lightgbm.num_leaves")
    ('which sampler', 'num leaves (model lightgbm)')
    """
    if name in STAGE_WORDS:
        return STAGE_WORDS[name]
    stage, component, parameter = name.split(".", 2)
    return f"{spell(parameter)} ({stage} {spell(component)})"


def _percent(share: float) -> str:
    """Write a share in whole percent.

    Examples
    --------
    >>> _percent(0.123), _percent(0.001)
    ('12 %', 'below 1 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.005 else "below 1 %"
