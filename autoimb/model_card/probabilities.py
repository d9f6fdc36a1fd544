"""How far the probabilities of a model mean what they say, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autoimb.model_card.markdown import bullets, code, section, table
from autoimb.model_card.subject import Subject, figure, share

__all__ = ["describe_calibration"]

# A slope this near to 1 and an intercept this near to 0 are about right.
ABOUT_RIGHT = 0.1
# An ECE below the one is small, from the other on large.
SMALL, LARGE = 0.02, 0.05
MAX_CLASSES = 60
CALIBRATORS = {
    "none": "not corrected: no curve did better on rows that it was not fitted on",
    "temperature": "corrected by a factor on their log-odds (temperature)",
    "platt": "corrected by a logistic curve (Platt)",
    "beta": "corrected by a curve that bends differently at either end (beta calibration)",
    "isotonic": "corrected by a rising curve through the shares that were found (isotonic)",
}


def describe_calibration(subject: Subject) -> str:
    """Say how probabilities were corrected, and how far they mean what they say."""
    found = subject.manifest.get("calibration", {})
    rarest_first = sorted(found.items(), key=lambda item: item[1]["prevalence"])
    before = "Measured before they were aimed at another prevalence."
    parts = [
        f"The probabilities of its models are {CALIBRATORS[subject.model.calibrator.name]}.",
        before if subject.is_retargeted and found else "",
    ]
    if subject.is_binary:
        parts += [bullets(_list_figures(name, one)) for name, one in rarest_first]
    else:
        parts.append(_draw_classes(rarest_first))
    return section("Calibration", *parts)


def _draw_classes(found: list[tuple[str, Mapping[str, Any]]]) -> str:
    heads = ("class", "found in", "mean probability", "ECE", "slope", "its probabilities are")
    return table(
        heads,
        [
            (
                code(name), share(one["prevalence"]), share(one["mean"]), figure(one["ece"]),
                _number(one["slope"]), _in_words(one),
            )
            for name, one in found[:MAX_CLASSES]
        ],
    )  # fmt: skip


def _list_figures(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"On rows that the calibrator did not see, the mean probability of {code(name)} is "
        f"{share(one['mean'])}, and {share(one['prevalence'])} of them are."
    )
    much = "little" if one["ece"] < SMALL else "some" if one["ece"] < LARGE else "much"
    yield (
        f"Expected calibration error (ECE) {figure(one['ece'])}: probabilities and shares found "
        f"differ by {100 * one['ece']:.2g} percentage points in the mean, which is {much}."
    )
    yield (
        f"Slope {_number(one['slope'])}, intercept {_number(one['intercept'])}: they are "
        f"{_in_words(one)}."
    )
    low, high, predicted = (np.asarray(one[key]) for key in ("low", "high", "predicted"))
    n_inside = int(((low <= predicted) & (predicted <= high)).sum())
    yield (
        f"Of {len(predicted)} groups of rows with like probabilities, {n_inside} have their mean "
        "probability in the 95 % interval of the share found."
    )


def _in_words(one: Mapping[str, Any]) -> str:
    """Say what Cox's slope and intercept mean."""
    slope, intercept = one["slope"], one["intercept"]
    if slope is None or intercept is None:
        return "not to be judged"
    found = []
    if abs(slope - 1) > ABOUT_RIGHT:
        found.append("too extreme" if slope < 1 else "too timid")
    if abs(intercept) > ABOUT_RIGHT:
        found.append("too low" if intercept > 0 else "too high")
    return " and ".join(found) or "neither too extreme nor too timid"


def _number(value: float | None) -> str:
    # What rounds to 0 has no sign.
    return "not defined" if value is None else f"{round(value, 2) + 0.0:.2f}"
