from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from autoimb.data.dataset import Labels
from autoimb.decision.rules import PASSED_ON
from autoimb.explaining.class_table import tabulate_classes

LABELS = Labels.of(["a", "b", "c"])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(PASSED_ON, 2)), min_size=1))
def test_classes_are_counted_as_by_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    y, codes = np.array(pairs).T
    found, clear = tabulate_classes(y, codes, LABELS), codes != PASSED_ON
    json.dumps(found.to_dict(), allow_nan=False)
    assert [one.n_passed_on for one in found.classes] == np.bincount(
        y[~clear], minlength=3
    ).tolist()
    if not clear.any():
        return
    y, codes = y[clear], codes[clear]
    assert np.array_equal(found.confusion_matrix, confusion_matrix(y, codes, labels=[0, 1, 2]))
    expected = precision_recall_fscore_support(y, codes, labels=[0, 1, 2], zero_division=np.nan)
    for name, values in zip(("precision", "recall", "f1"), expected, strict=False):
        estimates = [getattr(one, name) for one in found.classes]
        assert np.allclose([one.value for one in estimates], values, equal_nan=True)
        for one in estimates:
            assert np.isnan(one.value) or 0 <= one.low <= one.value <= one.high <= 1


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (7, 20), (20, 20)])
def test_intervals_of_rates_are_exact(hits: int, n: int) -> None:
    codes = np.repeat([1, 0], [hits, n - hits])
    recall = tabulate_classes(np.ones(n, dtype=int), codes, Labels.of([0, 0, 1])).classes[1].recall
    expected = binomtest(hits, n).proportion_ci(0.95, "exact")
    assert (recall.low, recall.high) == pytest.approx((expected.low, expected.high))


def test_rows_that_belong_together_tell_less() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(40), 10)
    y = np.ones(400, dtype=int)
    codes = (rng.random(40) < 0.6).astype(int)[units]
    labels = Labels.of([0, 0, 1])
    apart = tabulate_classes(y, codes, labels).classes[1].recall
    together = tabulate_classes(y, codes, labels, units).classes[1].recall
    of_units = tabulate_classes(y[::10], codes[::10], labels).classes[1].recall
    assert together.value == apart.value
    assert (together.low, together.high) == pytest.approx((of_units.low, of_units.high))
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_classes_stand_as_labels_sort_whichever_is_positive() -> None:
    labels = Labels.of(["no", "yes", "yes"], positive="no")
    found = tabulate_classes(np.array([1, 0, 0]), np.array([0, 0, 1]), labels)
    assert [one.label for one in found.classes] == ["no", "yes"]
    assert found.confusion_matrix == ((0, 1), (1, 1))
