from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.metrics import geometric_mean_score
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    fbeta_score,
    log_loss,
    matthews_corrcoef,
    precision_recall_curve,
    roc_auc_score,
)

from autoimb.arrays import FloatArray, IntArray
from autoimb.errors import UsageError
from autoimb.metrics import METRICS, Metric, count, get_metric

each_metric = pytest.mark.parametrize("name", METRICS)
each_size = pytest.mark.parametrize("n_classes", [2, 3])


def probabilities(score: FloatArray) -> FloatArray:
    return np.asarray(score / score.sum(axis=1, keepdims=True))


def truth(n_classes: int) -> IntArray:
    return np.repeat(np.arange(n_classes), [60, 20, 10][:n_classes])


def evaluate(metric: Metric, y: IntArray, proba: FloatArray) -> float:
    return metric.evaluate(y, proba, proba.argmax(axis=1))


@st.composite
def predictions(draw: Any, n_classes: int) -> tuple[IntArray, FloatArray]:
    """Codes of every class, and probabilities with many ties."""
    rows = draw(st.lists(st.integers(0, n_classes - 1), min_size=1, max_size=30))
    y = np.array([*range(n_classes), *rows])
    cell = st.integers(1, 6)
    scores = draw(st.lists(cell, min_size=y.size * n_classes, max_size=y.size * n_classes))
    return y, probabilities(np.array(scores, dtype=float).reshape(-1, n_classes))


@each_size
@each_metric
def test_perfect_beats_random_beats_reversed(name: str, n_classes: int) -> None:
    metric, y = METRICS[name], truth(n_classes)
    perfect = np.eye(n_classes)[y]
    rng = np.random.default_rng(0)
    chance = [probabilities(rng.random(perfect.shape) + 1e-3) for _ in range(20)]
    best, worst = (evaluate(metric, y, p) for p in (perfect, np.roll(perfect, 1, axis=1)))
    random = np.mean([metric.utility(evaluate(metric, y, p)) for p in chance])
    assert metric.utility(best) > random > metric.utility(worst)
    assert best == pytest.approx(1.0 if metric.greater_is_better else 0.0)


@each_size
@each_metric
def test_row_order_does_not_matter(name: str, n_classes: int) -> None:
    rng, y = np.random.default_rng(1), truth(n_classes)
    proba = probabilities(rng.integers(1, 5, (len(y), n_classes)).astype(float))
    order = rng.permutation(len(y))
    shuffled = evaluate(METRICS[name], y[order], proba[order])
    assert shuffled == pytest.approx(evaluate(METRICS[name], y, proba))


@each_metric
def test_one_class_or_nothing_predicted_raises_no_warning(name: str) -> None:
    proba = np.tile([0.75, 0.25], (5, 1))
    value = METRICS[name].evaluate(np.zeros(5, dtype=int), proba, np.zeros(5, dtype=int))
    assert np.isnan(value) or np.isfinite(value)


def of_labels(score: Callable[..., float], **options: Any) -> Callable[..., float]:
    return lambda y, proba: score(y, proba.argmax(axis=1), **options)


def f_reference(beta: float, average: str) -> Callable[..., float]:
    return of_labels(partial(fbeta_score, beta=beta), average=average, zero_division=0.0)


BINARY_REFERENCES: dict[str, Callable[..., float]] = {
    "f1": of_labels(f1_score, zero_division=0.0),
    **{f"f{beta}": f_reference(beta, "binary") for beta in (2, 0.5)},
    "average_precision": lambda y, p: average_precision_score(y, p[:, 1]),
    "roc_auc": lambda y, p: roc_auc_score(y, p[:, 1]),
    "brier": lambda y, p: brier_score_loss(y, p[:, 1]),
}
MULTICLASS_REFERENCES: dict[str, Callable[..., float]] = {
    **{f"f{beta}": f_reference(beta, "macro") for beta in (1, 2, 0.5)},
    "average_precision": lambda y, p: average_precision_score(np.eye(p.shape[1])[y], p),
    "roc_auc": lambda y, p: roc_auc_score(y, p, multi_class="ovr"),
    "roc_auc_weighted": lambda y, p: roc_auc_score(y, p, multi_class="ovr", average="weighted"),
    "average_precision_weighted": lambda y, p: average_precision_score(
        np.eye(p.shape[1])[y], p, average="weighted"
    ),
    "brier": lambda y, p: ((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean(),
}
SHARED_REFERENCES: dict[str, Callable[..., float]] = {
    "balanced_accuracy": of_labels(balanced_accuracy_score),
    "g_mean": of_labels(geometric_mean_score, average="multiclass"),
    "mcc": of_labels(matthews_corrcoef),
    "log_loss": log_loss,
    **{
        f"f{beta}_{average}": f_reference(beta, average)
        for beta in (1, 2, 0.5)
        for average in ("macro", "weighted")
    },
}


@pytest.mark.parametrize("name", [*BINARY_REFERENCES, *SHARED_REFERENCES])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_two_classes_agree_with_the_reference(name: str, data: st.DataObject) -> None:
    y, proba = data.draw(predictions(2))
    expected = {**BINARY_REFERENCES, **SHARED_REFERENCES}[name](y, proba)
    assert evaluate(METRICS[name], y, proba) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", [*MULTICLASS_REFERENCES, *SHARED_REFERENCES])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_three_classes_agree_with_the_reference(name: str, data: st.DataObject) -> None:
    y, proba = data.draw(predictions(3))
    expected = {**MULTICLASS_REFERENCES, **SHARED_REFERENCES}[name](y, proba)
    assert evaluate(METRICS[name], y, proba) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(made=predictions(2), floor=st.sampled_from([0.1, 0.5, 0.8, 0.95]))
def test_floors_are_read_off_the_precision_recall_curve(
    made: tuple[IntArray, FloatArray], floor: float
) -> None:
    y, proba = made
    precision, recall, _ = precision_recall_curve(y, proba[:, 1])
    precision, recall = precision[:-1], recall[:-1]
    for name, allowed, value in [
        ("recall_at_precision", precision, recall),
        ("precision_at_recall", recall, precision),
    ]:
        found = evaluate(get_metric(f"{name}@{floor}"), y, proba)
        assert found == pytest.approx(value[allowed >= floor].max(initial=0.0))


@each_size
@pytest.mark.parametrize("name", [name for name, m in METRICS.items() if m.needs_decision])
def test_many_decisions_are_scored_at_once(name: str, n_classes: int) -> None:
    rng, y = np.random.default_rng(2), truth(n_classes)
    decisions = rng.integers(n_classes, size=(7, len(y)))
    counts = [count(y, labels, n_classes) for labels in decisions]
    stacked = type(counts[0])(
        *(np.stack([getattr(c, part) for c in counts]) for part in ("true", "predicted", "correct"))
    )
    alone = [float(METRICS[name].of_counts(c)) for c in counts]
    np.testing.assert_allclose(METRICS[name].of_counts(stacked), alone)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("f11", "metric 'f11' does not exist; did you mean 'f1'?"),
        ("zzz", f"metric 'zzz' does not exist; choose one of: {', '.join(METRICS)}"),
        ("", f"metric '' does not exist; choose one of: {', '.join(METRICS)}"),
        ("f1@0.5", "metric 'f1' takes no floor, but got '@0.5'. Use 'f1'."),
        *(
            (
                f"recall_at_precision@{floor}",
                f"metric 'recall_at_precision@{floor}': the floor must lie between 0 and 1, "
                "as in 'recall_at_precision@0.8'.",
            )
            for floor in ("1.5", "0", "0.0", "1", "-0.5", "high", "0.8x", "nan", "0.8@0.9")
        ),
    ],
)
def test_a_wrong_name_is_answered_in_one_line(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        get_metric(name)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", [*METRICS, "recall_at_precision@.75", "precision_at_recall@0.5"])
def test_a_metric_keeps_the_name_it_was_asked_for_by(name: str) -> None:
    assert get_metric(name).name == name
    assert get_metric(name).meaning


@pytest.mark.parametrize(
    ("name", "sizes", "classes"),
    [
        ("roc_auc", [60, 20], [1]),
        ("roc_auc_macro", [60, 20], [0, 1]),
        ("roc_auc", [60, 20, 10], [0, 1, 2]),
        ("average_precision_weighted", [60, 0, 10], [0, 2]),
        ("average_precision", [60, 0, 0], []),
        ("average_precision", [0, 20], []),
        ("average_precision", [60, 0], []),
    ],
)
def test_a_class_is_ranked_if_some_rows_have_it_and_some_have_not(
    name: str, sizes: list[int], classes: list[int]
) -> None:
    assert METRICS[name].ranked_classes(np.array(sizes)) == classes
