from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from autoimb.data.dataset import Labels
from autoimb.decision.criteria import BestMetric
from autoimb.decision.deciding import Decision
from autoimb.decision.rules import argmax_rule
from autoimb.decision.scored import Scored
from autoimb.displays.predictions import Predictions
from autoimb.figures import draw_figures


def draw(
    n_classes: int, decided: np.ndarray | None = None, names: Sequence[Any] | None = None
) -> Mapping[str, Any]:
    rng = np.random.default_rng(0)
    y = np.arange(20 * n_classes) % n_classes
    proba = rng.dirichlet(np.ones(n_classes), len(y))
    decided = proba.argmax(axis=1) if decided is None else decided
    return draw_predicted(y, proba, decided, names or range(n_classes))


def draw_predicted(
    y: np.ndarray, proba: np.ndarray, decided: np.ndarray, names: Sequence[Any]
) -> Mapping[str, Any]:
    n_classes, rows = len(names), Scored(y, proba)
    decision = Decision(BestMetric("f1"), argmax_rule(n_classes))
    labels = Labels(tuple(names), tuple(range(n_classes)))
    return draw_figures(Predictions(rows, decided, decision, labels, "f1", calibrated=rows))


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


@pytest.mark.parametrize("n_classes", [2, 3, 15, pytest.param(40, marks=pytest.mark.slow)])
def test_any_number_of_classes_can_be_drawn(n_classes: int) -> None:
    for figure in draw(n_classes).values():
        figure.savefig(BytesIO())


def test_two_classes_are_one_curve_and_more_one_each() -> None:
    curves = [sum("'" in text for text in legend(draw(n)["roc"])) for n in (2, 3, 15)]
    assert curves == [1, 3, 10]


def test_the_decision_stands_where_it_is() -> None:
    y = np.array([0, 0, 0, 1, 1])
    p = np.array([0.1, 0.2, 0.9, 0.8, 0.3])
    decided = (p >= 0.5).astype(int)
    figures = draw_predicted(y, np.column_stack([1 - p, p]), decided, ["no", "yes"])
    assert "decision (threshold 0.5): precision 0.500, recall 0.500" in legend(
        figures["precision_recall"]
    )
    (written,) = (t.get_text() for t in figures["roc"].axes[0].texts)
    assert written == "(0.33, 0.50)"
    cells = [text.get_text().split("\n")[0] for text in figures["confusion_matrix"].axes[0].texts]
    assert cells == ["2", "1", "1", "1"]


def test_a_class_that_is_never_predicted_has_no_precision_to_mark() -> None:
    figures = draw(2, np.zeros(40, dtype=int))
    assert "decision (threshold 0.5)" in legend(figures["precision_recall"])


def test_calibration_is_drawn_where_it_is_known() -> None:
    assert list(draw(2)) == ["precision_recall", "roc", "confusion_matrix", "calibration"]


@pytest.mark.parametrize(
    "name",
    [
        *("$x_1$", "a" * 200),
        # to draw each takes a second
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("東京", "_hidden", "%s {0}", "")),
    ],
)
def test_awkward_labels_are_drawn_without_a_warning(name: str) -> None:
    figures = draw(2, names=["no", name])
    for figure in figures.values():
        figure.savefig(BytesIO())
    assert len(legend(figures["roc"])) == 3
