"""How a decision is asked for: options that go together, files of costs, names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from autoimb import AutoImbClassifier
from autoimb.decision.asked import Asked
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import BestMetric, Criterion, Known
from autoimb.decision.fixed import FixedThreshold
from autoimb.decision.floors import Floor
from autoimb.decision.stating import (
    read_cost_matrix,
    resolve_criterion,
    state_criterion,
    state_options,
)
from autoimb.errors import UsageError
from autoimb.metrics import METRICS

SQUARE = ",a,b,c\na,0,1,2\nb,3,0,1\nc,9,4,0\n"
OF_THREE = ((0.0, 1.0, 2.0), (3.0, 0.0, 1.0), (9.0, 4.0, 0.0))

STATED: dict[str, tuple[dict[str, Any], Criterion | str | None]] = {
    "nothing": ({}, None),
    "a metric": ({"decision": "mcc"}, "mcc"),
    "the metric": ({"decision": "metric"}, "metric"),
    "a miss": ({"cost_fn": 25.0}, Costs(fp=1.0, fn=25.0)),
    "an alarm": ({"cost_fp": 0.5}, Costs(fp=0.5, fn=1.0)),
    "all four": (
        {"cost_fp": 4.0, "cost_fn": 9.0, "cost_tp": 1.0, "cost_tn": 0.5},
        Costs(fp=4.0, fn=9.0, tp=1.0, tn=0.5),
    ),
    "a column": (
        {"cost_fp": 10.0, "cost_column": "amount", "cost_tp": 2.0},
        Costs(fp=10.0, tp=2.0, column="amount"),
    ),
    "passing on alone": ({"abstain_cost": 0.2}, Costs(abstain=0.2)),
    "passing on beside costs": (
        {"cost_fp": 1.0, "cost_fn": 9.0, "abstain_cost": 0.4},
        Costs(fp=1.0, fn=9.0, abstain=0.4),
    ),
    "a floor": ({"min_recall": 0.9}, Floor("recall", 0.9, 0.9)),
    "a surer floor": ({"min_precision": 0.7, "confidence": 0.99}, Floor("precision", 0.7, 0.99)),
    "a floor of the others": ({"min_specificity": 0.999}, Floor("specificity", 0.999, 0.9)),
    "a number of rows": ({"top_k": 50}, Capacity(k=50)),
    "a share of rows": ({"top_share": 0.02}, Capacity(share=0.02)),
    "a threshold": ({"threshold": 0.03}, FixedThreshold(0.03)),
}


@pytest.mark.parametrize(("given", "expected"), STATED.values(), ids=list(STATED))
def test_options_ask_for(given: dict[str, Any], expected: Criterion | str | None) -> None:
    found = state_criterion(Asked(**given))
    assert found == expected
    assert type(found) is type(expected)


def read_options(options: list[str]) -> Asked:
    """Read options as the command line does, where each is followed by its value."""
    texts = {"decision": str, "cost_column": str, "cost_matrix": Path, "top_k": int}
    given = {
        flag.removeprefix("--").replace("-", "_"): value
        for flag, value in zip(options[::2], options[1::2], strict=True)
    }
    return Asked(**{name: texts.get(name, float)(value) for name, value in given.items()})


COSTS = st.floats(0.001, 1e6, allow_nan=False)
FURTHER = [expected for _, expected in STATED.values() if isinstance(expected, Costs)]


@given(
    st.one_of(
        st.builds(Costs, fp=COSTS, fn=COSTS, tp=st.just(0.0), tn=st.just(0.0)),
        st.builds(Costs, fp=COSTS, fn=st.just(1.0), column=st.text(min_size=1)),
        st.builds(
            Floor,
            st.sampled_from(["precision", "recall", "specificity"]),
            st.floats(0.01, 0.99),
            st.floats(0.01, 0.99),
        ),
        st.builds(Capacity, k=st.integers(1, 10**9)),
        st.builds(Capacity, share=st.floats(1e-9, 0.999)),
        st.builds(FixedThreshold, st.floats(0.0, 1.0)),
        st.sampled_from(
            [expected for _, expected in STATED.values() if isinstance(expected, Costs)]
        ),
    )
)
def test_a_decision_is_spelled_in_the_options_that_ask_for_it(criterion: Criterion) -> None:
    assert state_criterion(read_options(state_options(criterion))) == criterion


def test_a_metric_and_a_matrix_are_spelled_in_options(tmp_path: Path) -> None:
    assert state_options(BestMetric("f2")) == ["--decision", "f2"]
    (tmp_path / "c.csv").write_text(SQUARE)
    asked = CostMatrix(("a", "b", "c"), OF_THREE, abstain=0.5)
    options = state_options(asked, str(tmp_path / "c.csv"))
    assert state_criterion(read_options(options)) == asked


# One option of each decision; any two of them contradict each other.
ALONE: dict[str, Any] = {
    "decision": "f1",
    "cost_fn": 5.0,
    "cost_matrix": Path("costs.csv"),
    "min_precision": 0.5,
    "min_recall": 0.5,
    "min_specificity": 0.5,
    "top_k": 5,
    "top_share": 0.1,
    "threshold": 0.1,
}


@pytest.mark.parametrize("first", ALONE)
@pytest.mark.parametrize("second", ALONE)
def test_options_of_two_decisions_contradict_each_other(first: str, second: str) -> None:
    if first == second:
        return
    with pytest.raises(UsageError) as caught:
        state_criterion(Asked(**{first: ALONE[first], second: ALONE[second]}))
    told = str(caught.value)
    for name in (first, second):
        assert "--" + name.replace("_", "-") in told
    assert "\n" not in told


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "confidence alone": {"confidence": 0.95},
    "confidence beside costs": {"confidence": 0.95, "cost_fn": 5.0},
    "confidence beside a capacity": {"confidence": 0.95, "top_k": 5},
    "confidence beside passing on": {"confidence": 0.95, "abstain_cost": 0.2},
    "passing on beside a metric": {"abstain_cost": 0.2, "decision": "f1"},
    "passing on beside a floor": {"abstain_cost": 0.2, "min_recall": 0.9},
    "passing on beside a threshold": {"abstain_cost": 0.2, "threshold": 0.5},
    "confidence beside a threshold": {"confidence": 0.95, "threshold": 0.5},
    "passing on beside a capacity": {"abstain_cost": 0.2, "top_share": 0.1},
    "a column beside a miss": {"cost_column": "amount", "cost_fp": 1.0, "cost_fn": 5.0},
    "a column without an alarm": {"cost_column": "amount"},
    "a column beside passing on": {"cost_column": "amount", "cost_fp": 1.0, "abstain_cost": 0.2},
    "a matrix beside a cost": {"cost_matrix": Path("costs.csv"), "cost_tp": 1.0},
    "a matrix beside a column": {"cost_matrix": Path("costs.csv"), "cost_column": "amount"},
    "costs beside a metric": {"decision": "metric", "cost_tn": 0.1},
    "a negative cost": {"cost_fn": -1.0},
    "a cost that is no number": {"cost_fp": float("nan")},
    "an infinite cost": {"cost_fn": float("inf")},
    "a miss that costs nothing": {"cost_fn": 0.0},
    "an alarm that costs nothing": {"cost_fp": 0.0},
    "a hit dearer than a miss": {"cost_tp": 3.0},
    "passing on for nothing": {"abstain_cost": 0.0},
    "passing on that never pays": {"abstain_cost": 0.5},
    "passing on that is no number": {"abstain_cost": float("nan")},
    "a floor above all": {"min_recall": 1.0},
    "a floor below all": {"min_precision": 0.0},
    "a floor that is no number": {"min_specificity": float("nan")},
    "too much confidence": {"min_recall": 0.9, "confidence": 1.0},
    "no row": {"top_k": 0},
    "fewer rows than none": {"top_k": -3},
    "no share": {"top_share": 0.0},
    "more than all": {"top_share": 1.5},
    "a threshold beyond all": {"threshold": 1.01},
    "a threshold below nothing": {"threshold": -0.01},
}


@pytest.mark.parametrize("given", CONTRADICTIONS.values(), ids=list(CONTRADICTIONS))
def test_what_cannot_be_meant_is_refused_in_one_line(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        state_criterion(Asked(**given))
    told = str(caught.value)
    assert "\n" not in told
    assert told.endswith(".")


# Names.


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_labels_can_be_asked_for_and_one_of_probabilities_not(name: str) -> None:
    metric = METRICS[name]
    if metric.needs_decision or metric.floor is not None:
        assert resolve_criterion(name, "f1") == BestMetric(name)
    else:
        with pytest.raises(UsageError, match=f"decision '{name}' cannot be maximised"):
            resolve_criterion(name, "f1")


@pytest.mark.parametrize("decision", [None, "metric"])
@pytest.mark.parametrize(
    ("name", "served"),
    [("f1", "f1"), ("mcc", "mcc"), ("roc_auc", "f1"), ("log_loss", "f1")],
)
def test_by_default_the_decision_serves_the_metric(
    decision: str | None, name: str, served: str
) -> None:
    """A ranking and a loss have no decision of their own."""
    assert resolve_criterion(decision, name) == BestMetric(served)


def test_an_unknown_name_is_told_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"'f11' does not exist; did you mean 'f1'\?"):
        resolve_criterion("f11", "mcc")
    with pytest.raises(UsageError, match=r"recall_at_precision@0\.8'"):
        resolve_criterion("recall_at_precision@2", "mcc")
    assert resolve_criterion("recall_at_precision@0.8", "mcc") == BestMetric(
        "recall_at_precision@0.8"
    )


def test_an_object_is_checked() -> None:
    assert resolve_criterion(Costs(fn=9.0), "f1") == Costs(fn=9.0)
    with pytest.raises(UsageError, match="at least 0, but got -9"):
        resolve_criterion(Costs(fn=-9.0), "f1")
    with pytest.raises(UsageError, match="cannot be maximised"):
        resolve_criterion("roc_auc", "f1")


@pytest.mark.parametrize("given", [0.3, 7, Costs, ["f1"], {"fn": 25}, True], ids=repr)
def test_what_is_no_decision_is_refused(given: Any) -> None:
    """As a threshold that somebody had in mind."""
    with pytest.raises(UsageError, match="decision"):
        resolve_criterion(given, "f1")


# Files of costs.


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "costs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_of_costs_is_read(tmp_path: Path) -> None:
    found = read_cost_matrix(write(tmp_path, SQUARE))
    assert found == CostMatrix(("a", "b", "c"), OF_THREE)
    stated = state_criterion(Asked(cost_matrix=tmp_path / "costs.csv", abstain_cost=0.5))
    assert stated == CostMatrix(("a", "b", "c"), OF_THREE, abstain=0.5)


SAME = {
    "rows in another order": ",a,b,c\nc,9,4,0\na,0,1,2\nb,3,0,1\n",
    "columns in another order": ",c,a,b\na,2,0,1\nb,1,3,0\nc,0,9,4\n",
    "both in another order": ",b,c,a\nc,4,0,9\nb,0,1,3\na,1,2,0\n",
    "a name for the corner": SQUARE.replace(",a,b,c", "true \\ predicted,a,b,c"),
    "spaces": SQUARE.replace(",", " , "),
    "empty lines": SQUARE.replace("\n", "\n\n"),
    "no last line break": SQUARE.rstrip(),
    "line breaks of Windows": SQUARE.replace("\n", "\r\n"),
    "quotes": SQUARE.replace("a,", '"a",'),
    "a byte order mark": "\ufeff" + SQUARE,
}


@pytest.mark.parametrize("text", SAME.values(), ids=list(SAME))
def test_files_that_say_the_same(tmp_path: Path, text: str) -> None:
    known = Known(("a", "b", "c"), np.array([5, 5, 5]))
    found = read_cost_matrix(write(tmp_path, text)).suited(known)
    assert (found.labels, found.costs) == (("a", "b", "c"), OF_THREE)


@settings(max_examples=40, deadline=None)
@given(places=st.permutations(range(3)), columns=st.permutations(range(3)))
def test_no_order_of_labels_matters(
    tmp_path_factory: pytest.TempPathFactory, places: list[int], columns: list[int]
) -> None:
    names = ("north", "south", "east")
    lines = [",".join(["", *(names[j] for j in columns)])]
    lines += [",".join([names[i], *(str(OF_THREE[i][j]) for j in columns)]) for i in places]
    path = tmp_path_factory.mktemp("order") / "costs.csv"
    path.write_text("\n".join(lines))
    found = read_cost_matrix(path).suited(Known(names, np.array([5, 5, 5])))
    assert (found.labels, found.costs) == (names, OF_THREE)


FAULTY: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "0 rows for 0 columns"),
    "header only": (",a,b\n", "0 rows for 2 columns"),
    "a row too few": (",a,b\na,0,1\n", "1 rows for 2 columns"),
    "a row too many": (",a,b\na,0,1\nb,1,0\nc,1,1\n", "3 rows for 2 columns"),
    "a short row": (",a,b\na,0\nb,1,0\n", "2 rows for 2 columns"),
    "no labels of rows": ("a,b\n0,1\n1,0\n", "rows"),
    "other labels of rows": (",a,b\na,0,1\nc,1,0\n", "rows are labelled a, c, columns a, b"),
    "a label twice": (",a,a\na,0,1\na,1,0\n", "name each class once"),
    "text": (",a,b\na,0,much\nb,1,0\n", "much"),
    "an empty cell": (",a,b\na,0,\nb,1,0\n", "Every cell is a number"),
    "a cell that is no number": (",a,b\na,0,nan\nb,1,0\n", "no number of at least 0"),
    "an infinite cell": (",a,b\na,0,inf\nb,1,0\n", "no number of at least 0"),
    "a negative cell": (",a,b\na,0,-1\nb,1,0\n", "no number of at least 0"),
    "one label that is always right": (",a,b\na,0,1\nb,0,1\n", "'a' is always right"),
    "no UTF-8": (",a,b\nä,0,1\nb,1,0\n".encode("latin1"), "cannot be read"),
    "semicolons": (";a;b\na;0;1\nb;1;0\n", "rows for 0 columns"),
}


@pytest.mark.parametrize(("text", "told"), FAULTY.values(), ids=list(FAULTY))
def test_faulty_files_are_refused_in_one_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_cost_matrix(write(tmp_path, text))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["absent", "a folder"])
def test_a_file_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path if kind == "a folder" else tmp_path / "costs.csv"
    with pytest.raises(UsageError, match="cannot be read"):
        read_cost_matrix(path)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=60) | st.text(alphabet=',ab01"\n\r -.', max_size=40))
def test_no_file_is_an_error_that_nobody_foresaw(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    path = write(tmp_path_factory.mktemp("any"), content)
    try:
        found = read_cost_matrix(path)
    except UsageError as error:
        assert "\n" not in " ".join(str(error).split())
    else:
        assert len(found.labels) == len(found.costs)


# The classifier.


QUICK: dict[str, Any] = {
    "time_budget": None, "n_trials": 2, "space": "fast", "n_folds": 2, "executor": "in_process",
    "tracking_uri": "off", "random_state": 0,
}  # fmt: skip
OBJECTS: list[str | Criterion] = [
    Costs(fn=25),
    Costs(fp=10, column="income"),
    Floor("recall", 0.9),
    Capacity(k=5),
    FixedThreshold(0.2),
    CostMatrix(("no", "yes"), ((0, 1), (9, 0))),
    "mcc",
]


@pytest.mark.parametrize("decision", OBJECTS, ids=repr)
def test_a_search_with_a_decision_is_cloned_and_shown(decision: str | Criterion) -> None:
    search = AutoImbClassifier(decision=decision)
    assert search.get_params()["decision"] == decision
    assert clone(search).get_params() == search.get_params()
    assert clone(search).set_params(decision=None).decision is None
    shown = repr(search)
    assert shown.startswith("AutoImbClassifier(decision=")
    assert " object at 0x" not in shown
    if not isinstance(decision, str):
        assert type(decision).__name__ in shown
    assert AutoImbClassifier().get_params()["decision"] is None


def fit_to(decision: Any, loans: pd.DataFrame, **changes: Any) -> AutoImbClassifier:
    search = AutoImbClassifier(**{**QUICK, "decision": decision, **changes})
    return search.fit(loans.drop(columns="default"), loans["default"])


def test_a_search_predicts_by_its_decision(loans: pd.DataFrame) -> None:
    X = loans.drop(columns="default")
    n_flagged = {}
    for fn in (0.2, 25):
        search = fit_to(Costs(fn=fn), loans)
        assert search.model_.decision.criterion == Costs(fn=fn)
        threshold = search.model_.decision.rule.value  # type: ignore[union-attr]
        labels = np.where(search.predict_proba(X)[:, 1] >= threshold, "yes", "no")
        assert search.predict(X).tolist() == labels.tolist()
        n_flagged[fn] = (labels == "yes").sum()
    assert n_flagged[0.2] < n_flagged[25]


def test_a_search_for_one_metric_decides_by_another(loans: pd.DataFrame) -> None:
    search = fit_to("mcc", loans, metric="average_precision")
    assert search.model_.metric == "average_precision"
    assert search.model_.decision.criterion == BestMetric("mcc")


def test_a_search_passes_rows_on(loans: pd.DataFrame) -> None:
    search = fit_to(Costs(fp=1, fn=5, abstain=0.3), loans)
    labels = search.predict(loans.drop(columns="default"))
    assert set(labels) == {"no", "yes", None}


def test_a_search_flags_as_many_rows_as_can_be_dealt_with(loans: pd.DataFrame) -> None:
    search = fit_to(Capacity(k=5), loans)
    X = loans.drop(columns="default")
    assert (search.predict(X) == "yes").sum() == 5
    assert (search.predict(X.head(50)) == "yes").sum() == 5
    assert (search.predict(X.head(3)) == "yes").sum() == 3


WRONG: dict[str, Any] = {
    "a negative cost": Costs(fn=-1),
    "a cost that is no number": Costs(fp=float("nan")),
    "a miss for nothing": Costs(fn=0),
    "a floor above all": Floor("recall", 1.2),
    "a floor of so few rows": Floor("recall", 0.99),
    "no capacity": Capacity(),
    "half a row": Capacity(k=2.5),  # type: ignore[arg-type]
    "all rows": Capacity(k=160),
    "a matrix of other classes": CostMatrix(("a", "b"), ((0, 1), (1, 0))),
    "a matrix that is not square": CostMatrix(("no", "yes"), ((0, 1),)),
    "a column beside an abstain cost": Costs(fp=9, column="income", abstain=0.5),
    "a metric of probabilities": "roc_auc",
    "an unknown metric": "f11",
    "a threshold": 0.3,
    "a class": Costs,
}


@pytest.mark.parametrize("decision", WRONG.values(), ids=list(WRONG))
def test_a_wrong_decision_is_refused_before_the_search(
    loans: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, decision: Any
) -> None:
    monkeypatch.setattr(
        "autoimb.classifier.fit_dataset", lambda *_, **__: pytest.fail("it was searched")
    )
    with pytest.raises(UsageError) as caught:
        fit_to(decision, loans)
    assert "\n" not in str(caught.value)
