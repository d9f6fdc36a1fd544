"""Another decision, or another prevalence, for a finished model: what changes and what not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command

import autoimb
from autoimb import artifact, manifest
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.fixed import FixedThreshold
from autoimb.decision.floors import Floor
from autoimb.decision.prevalence import shift_prevalence
from autoimb.errors import ArtifactError, UsageError
from autoimb.fitted_model import FittedModel, Packed
from autoimb.manifest import card_path, manifest_path, read_manifest, report_path
from autoimb.retuning import retarget, retune

QUICK: dict[str, Any] = {
    "n_trials": 2, "time_budget": None, "space": "fast", "n_folds": 2, "executor": "in_process",
    "tracking_uri": "off",
}  # fmt: skip
CHEAP_MISS, DEAR_MISS = Costs(fp=25.0, fn=1.0), Costs(fp=1.0, fn=25.0)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def require_whole(path: Path) -> dict[str, Any]:
    """Check that a manifest is that of its model, and plain JSON."""
    text = manifest_path(path).read_text("utf-8")
    found = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} in {text}"))
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    model = autoimb.load(path)
    assert found["decision"] == str(model.rule)
    assert found["decided"]["asked"] == str(model.decision.criterion)
    return dict(found)


@pytest.fixture(scope="session")
def fitted_to_costs(loans: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a run whose decision reads a column of costs."""
    run_dir = tmp_path_factory.mktemp("costs") / "run"
    decision = Costs(fp=9000.0, column="income")
    return autoimb.fit(loans, **QUICK, run_dir=run_dir, decision=decision).model_path


@pytest.fixture
def costs_file(fitted_to_costs: Path, tmp_path: Path) -> Path:
    for path in (fitted_to_costs, manifest_path(fitted_to_costs)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path / fitted_to_costs.name


@pytest.fixture(scope="session")
def fitted_to_three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a run on three classes."""
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 240, p=[0.6, 0.25, 0.15])
    x = (
        rng.normal(size=(240, 2))
        + np.array([[0, 0], [1.5, 0], [0, 1.5]])[np.unique(y, return_inverse=True)[1]]
    )
    table = pd.DataFrame({"x": x[:, 0], "z": x[:, 1], "target": y})
    run_dir = tmp_path_factory.mktemp("three") / "run"
    return autoimb.fit(table, **QUICK, run_dir=run_dir).model_path


@pytest.fixture
def three_file(fitted_to_three: Path, tmp_path: Path) -> Path:
    for path in (fitted_to_three, manifest_path(fitted_to_three)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path / fitted_to_three.name


def probability(model: FittedModel, table: pd.DataFrame) -> Any:
    """Predict the probability of the positive class."""
    return model.proba_by_code(table)[:, 1]


# Another decision.


DECISIONS: list[str | Criterion] = [
    "mcc",
    "recall_at_precision@0.8",
    DEAR_MISS,
    CHEAP_MISS,
    Costs(fp=1.0, fn=4.0, abstain=0.3),
    Floor("recall", 0.5),
    Floor("specificity", 0.9),
    Capacity(k=7),
    Capacity(share=0.1),
    FixedThreshold(0.2),
    CostMatrix(("yes", "no"), ((0.0, 30.0), (1.0, 0.0))),
]


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_the_decision_is_another_and_all_else_as_before(
    model_file: Path, loans: pd.DataFrame, decision: str | Criterion
) -> None:
    before, facts = autoimb.load(model_file), read_manifest(model_file)
    returned = retune(model_file, decision)
    after = autoimb.load(model_file)
    assert sorted(files_of(model_file.parent)) == [
        "model.manifest.json", "model.pkl", "model_card.md",
    ]  # fmt: skip
    assert after.decision == returned.decision
    assert str(after.decision.criterion) != str(before.decision.criterion)
    np.testing.assert_array_equal(after.predict_proba(loans), before.predict_proba(loans))
    codes = after.rule.decide(after.proba_by_code(loans))
    assert after.predict(loans).tolist() == after.labels_of(codes).tolist()
    told = require_whole(model_file)
    changed = {
        "sha256", "sha256_before", "decision", "decided", "recommendation", "changed",
        "decisions_before",
    }  # fmt: skip
    assert {name for name in told if told[name] != facts.get(name)} <= changed
    assert set(facts) <= set(told)


def test_labels_follow_the_costs(model_file: Path, loans: pd.DataFrame) -> None:
    n_flagged = [
        (retune(model_file, decision).predict(loans) == "yes").sum()
        for decision in (CHEAP_MISS, Costs(), DEAR_MISS)
    ]
    assert n_flagged[0] < n_flagged[1] < n_flagged[2]


@pytest.mark.parametrize("decision", ["mcc", DEAR_MISS, Floor("recall", 0.5)], ids=str)
def test_it_is_solved_on_the_predictions_of_rows_not_seen(
    model_file: Path, decision: str | Criterion
) -> None:
    model = retune(model_file, decision)
    assert model.evidence is not None
    rows = model.evidence.scored(model.calibrator, None)
    assert len(rows.y) == 160
    assert model.rule == model.decision.criterion.solve(rows)


def test_the_same_decision_comes_back(model_file: Path) -> None:
    before = autoimb.load(model_file).decision
    retune(model_file, DEAR_MISS)
    assert retune(model_file, "metric").decision == before


def test_the_manifest_keeps_the_decisions_before_in_order(model_file: Path) -> None:
    decisions = [read_manifest(model_file)]
    for decision in (DEAR_MISS, "mcc", Capacity(k=7), Floor("recall", 0.5)):
        retune(model_file, decision)
        decisions.append(require_whole(model_file))
    told = decisions[-1]
    assert [one["decision"] for one in told["decisions_before"]] == [
        one["decision"] for one in decisions[:-1]
    ]
    for kept, was in zip(told["decisions_before"], decisions, strict=False):
        for name in ("decided", "recommendation"):
            assert kept[name] == was[name]
    # All that is said of the search stays; of the changes the last is told.
    first = decisions[0]["recommendation"]
    assert told["recommendation"].startswith(first)
    assert told["recommendation"].count("Changed afterwards") == 1
    assert "a recall of at least 0.5" in told["recommendation"]


def test_another_file_leaves_the_model_alone(model_file: Path, loans: pd.DataFrame) -> None:
    before = files_of(model_file.parent)
    out = model_file.with_name("other.pkl")
    returned = retune(model_file, DEAR_MISS, out=out)
    after = files_of(model_file.parent)
    assert sorted(set(after) - set(before)) == [
        "other.manifest.json", "other.pkl", "other_card.md",
    ]  # fmt: skip
    assert {name: after[name] for name in before} == before
    assert autoimb.load(out).predict(loans).tolist() == returned.predict(loans).tolist()
    assert [one["decision"] for one in require_whole(out)["decisions_before"]] == [
        read_manifest(model_file)["decision"]
    ]


def test_another_file_that_is_there_is_set_aside(model_file: Path) -> None:
    out = model_file.with_name("other.pkl")
    retune(model_file, DEAR_MISS, out=out)
    retune(model_file, "mcc", out=out)
    assert str(autoimb.load(out).decision.criterion) == "best mcc"
    kept = autoimb.load(out.with_name("other.pkl.1"))
    assert kept.decision.criterion == DEAR_MISS
    require_whole(out)


def test_its_own_file_may_be_named(model_file: Path) -> None:
    before = autoimb.load(model_file).decision
    retune(model_file, DEAR_MISS, out=model_file)
    require_whole(model_file)
    assert autoimb.load(model_file).decision.criterion == DEAR_MISS
    assert autoimb.load(model_file.with_name("model.pkl.1")).decision == before


@pytest.mark.parametrize("out", ["folder", "nowhere/other.pkl"])
def test_a_place_that_no_model_can_be_written_to(
    model_file: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    """A folder above all is not renamed."""
    monkeypatch.chdir(model_file.parent)
    folder = model_file.with_name("folder")
    folder.mkdir()
    (folder / "precious").write_text("precious")
    with pytest.raises(UsageError, match=r"--out|folder"):
        retune(model_file, DEAR_MISS, out=out)
    assert sorted(path.name for path in model_file.parent.iterdir()) == [
        "folder", "model.manifest.json", "model.pkl", "model_card.md",
    ]  # fmt: skip
    assert (folder / "precious").read_text() == "precious"


def test_nothing_is_unpickled_that_predicts(
    model_file: Path, loans: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = autoimb.load(model_file).predict_proba(loans)
    with monkeypatch.context() as patch:
        patch.setattr(Packed, "get", lambda self: pytest.fail("the pipeline was unpickled"))
        retune(model_file, DEAR_MISS)
        retarget(model_file, prevalence=0.15)
    np.testing.assert_allclose(autoimb.load(model_file).predict_proba(loans), expected)


RUN = """
import sys
from autoimb.cli.app import main
sys.argv[0] = "autoimb"
try:
    main()
finally:
    loaded = {name.partition(".")[0] for name in sys.modules}
    heavy = {"sklearn", "lightgbm", "imblearn", "optuna", "mlflow", "matplotlib"}
    print(sorted(loaded & heavy), file=sys.stderr)
"""


@pytest.mark.parametrize("has_report", [False, True])
@pytest.mark.parametrize(
    "arguments", [("retune", "--cost-fn", 25), ("retarget", "--prevalence", 0.004)], ids=str
)
def test_nothing_that_takes_long_to_import_is_imported(
    fresh_python: Command, model_file: Path, arguments: tuple[object, ...], has_report: bool
) -> None:
    if has_report:
        report_path(model_file).write_text("of the decision before")
    command, *options = arguments
    found = fresh_python(RUN, command, model_file, *options)
    assert (found.code, found.stderr) == (0, "[]\n")
    require_whole(model_file)


# What goes wrong.


def fail_at_call(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the n-th file that is written end the process, as it were."""
    write: Callable[[Path, bytes], None] = manifest.write_whole
    calls = []

    def write_or_die(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) == number:
            raise KeyboardInterrupt
        write(path, content)

    for module in (manifest, artifact):
        monkeypatch.setattr(module, "write_whole", write_or_die)


def crash(change: Callable[[], object], monkeypatch: pytest.MonkeyPatch, number: int = 2) -> None:
    with monkeypatch.context() as patch:
        fail_at_call(number, patch)
        with pytest.raises(KeyboardInterrupt):
            change()


def test_a_crash_between_the_two_files_leaves_a_model_that_loads(
    model_file: Path, loans: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = autoimb.load(model_file)
    crash(lambda: retune(model_file, DEAR_MISS), monkeypatch)
    found = autoimb.load(model_file)
    assert found.decision.criterion in (before.decision.criterion, DEAR_MISS)
    np.testing.assert_array_equal(found.predict_proba(loans), before.predict_proba(loans))
    assert len(found.predict(loans)) == len(loans)


@pytest.mark.parametrize("number", [2, 3])
def test_a_crash_leaves_no_card_that_contradicts_the_model(
    model_file: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    crash(lambda: retune(model_file, DEAR_MISS), monkeypatch, number)
    assert autoimb.load(model_file)
    assert not card_path(model_file).exists()
    retune(model_file, "mcc")
    assert "Asked for: best mcc." in card_path(model_file).read_text("utf-8")


def test_a_crash_before_the_first_file_changes_nothing(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(model_file.parent)
    crash(lambda: retune(model_file, DEAR_MISS), monkeypatch, number=1)
    assert files_of(model_file.parent) == before


def test_after_a_crash_it_is_changed_again(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_manifest(model_file)["decision"]
    crash(lambda: retune(model_file, DEAR_MISS), monkeypatch)
    retune(model_file, "mcc")
    told = require_whole(model_file)
    assert told["decisions_before"][0]["decision"] == first


def test_a_decision_that_a_crash_prevented_is_not_told_as_one_before(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model never decided so."""
    crash(lambda: retune(model_file, DEAR_MISS), monkeypatch)
    was = str(autoimb.load(model_file).decision.criterion)
    retune(model_file, "mcc")
    asked = [one["decided"]["asked"] for one in require_whole(model_file)["decisions_before"]]
    assert asked == [was]


def test_two_crashes_leave_a_model_that_loads(
    model_file: Path, loans: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = autoimb.load(model_file).predict_proba(loans)
    for decision in (DEAR_MISS, "mcc", CHEAP_MISS):
        crash(lambda wanted=decision: retune(model_file, wanted), monkeypatch)  # type: ignore[misc]
        np.testing.assert_array_equal(autoimb.load(model_file).predict_proba(loans), expected)


def test_a_crash_beside_another_file_leaves_the_model(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(model_file.parent)
    crash(lambda: retune(model_file, DEAR_MISS, out=model_file.with_name("new.pkl")), monkeypatch)
    after = files_of(model_file.parent)
    assert {name: after[name] for name in before} == before


REFUSED: dict[str, tuple[Any, str]] = {
    "a column of costs": (Costs(fp=1.0, column="income"), "'income' were not kept"),
    "a floor of so few rows": (Floor("recall", 0.99), "the most that can be promised"),
    "a floor that no threshold reaches": (Floor("precision", 0.8), "promise only 0."),
    "all rows": (Capacity(k=160), "flags every one"),
    "a metric of probabilities": ("roc_auc", "cannot be maximised by a threshold"),
    "an unknown metric": ("f11", "did you mean 'f1'"),
    "a cost below nothing": (Costs(fn=-1.0), "at least 0"),
    "classes of another table": (
        CostMatrix(("a", "b"), ((0.0, 1.0), (1.0, 0.0))), "is no class of the target"
    ),
}  # fmt: skip


@pytest.mark.parametrize("out", [None, "other.pkl"])
@pytest.mark.parametrize(("decision", "told"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_had_changes_nothing_on_disk(
    model_file: Path, decision: Any, told: str, out: str | None
) -> None:
    (model_file.parent / "other.pkl").write_text("precious")
    before = files_of(model_file.parent)
    with pytest.raises(UsageError) as caught:
        retune(model_file, decision, out=out and model_file.with_name(out))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_of(model_file.parent) == before


def test_a_model_without_predictions_of_rows_not_seen(fitted: Any, tmp_path: Path) -> None:
    bare = autoimb.save(replace(fitted.result.model, evidence=None), tmp_path / "bare.pkl")
    before = files_of(tmp_path)
    for change in (
        lambda: retune(bare, "mcc"),
        lambda: retarget(bare, prevalence=0.1),
    ):
        with pytest.raises(ArtifactError, match="holds no out-of-fold predictions"):
            change()
    assert files_of(tmp_path) == before


def test_a_damaged_model_is_not_changed(model_file: Path) -> None:
    model_file.write_bytes(model_file.read_bytes()[:-1])
    before = files_of(model_file.parent)
    with pytest.raises(ArtifactError, match="sha256"):
        retune(model_file, "mcc")
    assert files_of(model_file.parent) == before


# Costs of rows.


def test_costs_that_were_kept_can_be_weighed_otherwise(
    costs_file: Path, loans: pd.DataFrame
) -> None:
    cheap, dear = (
        (retune(costs_file, Costs(fp=fp, column="income")).predict(loans) == "yes").sum()
        for fp in (2000.0, 40_000.0)
    )
    assert cheap > dear


def test_costs_that_were_kept_are_there_after_another_decision(costs_file: Path) -> None:
    before = autoimb.load(costs_file).decision
    retune(costs_file, "mcc")
    assert retune(costs_file, Costs(fp=9000.0, column="income")).decision == before


def test_costs_of_another_column_are_refused(costs_file: Path) -> None:
    before = files_of(costs_file.parent)
    with pytest.raises(UsageError, match=r"'age' were not kept with the model \(that of 'income'"):
        retune(costs_file, Costs(fp=9000.0, column="age"))
    assert files_of(costs_file.parent) == before


# Another prevalence.


@pytest.mark.parametrize("prevalence", [0.004, 0.05, 0.5])
def test_probabilities_are_those_of_another_prevalence(
    model_file: Path, loans: pd.DataFrame, prevalence: float
) -> None:
    before = autoimb.load(model_file)
    retarget(model_file, prevalence=prevalence)
    after = autoimb.load(model_file)
    ratios = np.array([(1 - prevalence) / 0.85, prevalence / 0.15])
    expected = shift_prevalence(before.proba_by_code(loans), ratios)
    np.testing.assert_allclose(after.proba_by_code(loans), expected, rtol=1e-9)
    np.testing.assert_allclose(after.predict_proba(loans).sum(axis=1), 1)
    # As it is of rows that are of that prevalence.
    weights = np.where(loans["default"] == "yes", ratios[1], ratios[0])
    mean = np.average(probability(after, loans), weights=weights)
    assert mean == pytest.approx(
        np.average(probability(before, loans)) / 0.15 * prevalence, rel=0.5
    )
    assert (probability(after, loans).mean() < probability(before, loans).mean()) == (
        prevalence < 0.15
    )
    assert require_whole(model_file)["prevalence"] == pytest.approx(
        {"no": 1 - prevalence, "yes": prevalence}
    )


@pytest.mark.parametrize("decision", ["metric", DEAR_MISS, Floor("specificity", 0.9)], ids=str)
def test_the_decision_is_solved_again(model_file: Path, decision: str | Criterion) -> None:
    asked = retune(model_file, decision).decision.criterion
    after = retarget(model_file, prevalence=0.01)
    assert after.decision.criterion == asked
    assert after.evidence is not None
    rows = after.evidence.scored(after.calibrator, np.array([0.99 / 0.85, 0.01 / 0.15]))
    assert rows.row_weights is not None
    assert np.average(rows.y, weights=rows.row_weights) == pytest.approx(0.01)
    assert after.rule == asked.solve(rows)


def test_the_least_cost_is_that_at_the_other_prevalence(
    model_file: Path, loans: pd.DataFrame
) -> None:
    """Fewer rows are worth an alarm where positives are rarer."""
    n_flagged = []
    retune(model_file, Costs(fp=1.0, fn=6.0))
    for prevalence in (0.5, 0.15, 0.01):
        retarget(model_file, prevalence=prevalence)
        n_flagged.append((autoimb.load(model_file).predict(loans) == "yes").sum())
    assert n_flagged[0] > n_flagged[1] > n_flagged[2]


def test_the_prevalence_of_training_changes_nothing(model_file: Path, loans: pd.DataFrame) -> None:
    before = autoimb.load(model_file)
    retarget(model_file, prevalence=0.004)
    back = retarget(model_file, prevalence=0.15)
    np.testing.assert_allclose(back.predict_proba(loans), before.predict_proba(loans), rtol=1e-9)
    assert back.predict(loans).tolist() == before.predict(loans).tolist()


def test_a_prevalence_outlives_another_decision(model_file: Path, loans: pd.DataFrame) -> None:
    expected = retarget(model_file, prevalence=0.004).predict_proba(loans)
    retune(model_file, DEAR_MISS)
    after = autoimb.load(model_file)
    np.testing.assert_array_equal(after.predict_proba(loans), expected)
    told = require_whole(model_file)
    assert told["prevalence"]["yes"] == pytest.approx(0.004)
    assert told["decisions_before"][0].get("prevalence") is None
    assert told["decisions_before"][1]["prevalence"]["yes"] == pytest.approx(0.004)


def test_the_prevalence_is_estimated_from_rows_without_labels(
    model_file: Path, loans: pd.DataFrame, tmp_path: Path
) -> None:
    is_positive = loans["default"] == "yes"
    many = pd.concat([loans, *[loans[is_positive]] * 5], ignore_index=True)
    few = pd.concat([loans[~is_positive], loans[is_positive][:3]], ignore_index=True)
    found = {}
    for name, table in (("many", many), ("as it was", loans), ("few", few)):
        rows = table.drop(columns="default")
        rows.to_csv(tmp_path / "new.csv", index=False)
        after = retarget(model_file, data=tmp_path / "new.csv", out=tmp_path / "aimed.pkl")
        assert after.prevalence is not None
        assert sum(after.prevalence) == pytest.approx(1)
        again = retarget(model_file, data=rows, out=tmp_path / "aimed.pkl")
        assert again.prevalence == pytest.approx(after.prevalence)
        found[name] = after.prevalence[1]
    assert found["many"] > 0.3 > found["as it was"] > 0.1 > found["few"]


def test_an_estimate_does_not_depend_on_the_one_before(
    model_file: Path, loans: pd.DataFrame
) -> None:
    rows = loans.drop(columns="default")
    first = retarget(model_file, data=rows).prevalence
    retarget(model_file, prevalence=0.6)
    assert retarget(model_file, data=rows).prevalence == pytest.approx(first)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -1.0, 2.0, float("nan"), float("inf")])
def test_what_is_no_prevalence_is_refused(model_file: Path, prevalence: float) -> None:
    before = files_of(model_file.parent)
    with pytest.raises(UsageError, match="the prevalence must lie between 0 and 1"):
        retarget(model_file, prevalence=prevalence)
    assert files_of(model_file.parent) == before


@pytest.mark.parametrize("prevalence", [1e-300, 1e-7, 1 - 1e-9])
def test_a_prevalence_at_which_a_class_is_all_but_absent_is_refused(
    model_file: Path, prevalence: float
) -> None:
    before = files_of(model_file.parent)
    with pytest.raises(UsageError, match=r"all but absent\. Give one between 0\.000001 and 0\.9"):
        retarget(model_file, prevalence=prevalence)
    assert files_of(model_file.parent) == before


def test_either_a_prevalence_or_rows_are_given(model_file: Path, loans: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="either a prevalence or unlabelled data"):
        retarget(model_file)
    with pytest.raises(UsageError, match="either a prevalence or unlabelled data"):
        retarget(model_file, prevalence=0.1, data=loans)


def test_costs_of_rows_are_weighed_at_another_prevalence(
    costs_file: Path, loans: pd.DataFrame
) -> None:
    n_before = (autoimb.load(costs_file).predict(loans) == "yes").sum()
    after = retarget(costs_file, prevalence=0.01)
    assert (after.predict(loans) == "yes").sum() < n_before


# Three classes.


def test_a_prevalence_is_that_of_one_class_of_two(three_file: Path) -> None:
    before = files_of(three_file.parent)
    with pytest.raises(UsageError, match=r"the model has 3.*unlabelled data"):
        retarget(three_file, prevalence=0.1)
    assert files_of(three_file.parent) == before


def test_the_shares_of_three_classes_are_estimated(three_file: Path) -> None:
    rng = np.random.default_rng(1)
    y = rng.choice(3, 2000, p=[0.2, 0.2, 0.6])
    x = rng.normal(size=(2000, 2)) + np.array([[0, 0], [1.5, 0], [0, 1.5]])[y]
    rows = pd.DataFrame({"x": x[:, 0], "z": x[:, 1]})
    before = autoimb.load(three_file).predict_proba(rows).mean(axis=0)
    after = retarget(three_file, data=rows)
    assert after.prevalence is not None
    np.testing.assert_allclose(after.prevalence, [0.2, 0.2, 0.6], atol=0.12)
    np.testing.assert_allclose(after.predict_proba(rows).mean(axis=0), after.prevalence, atol=1e-4)
    assert abs(before - [0.2, 0.2, 0.6]).max() > 0.1
    told = require_whole(three_file)
    assert sorted(told["prevalence"]) == ["a", "b", "c"]


def test_three_classes_are_decided_by_other_costs(three_file: Path) -> None:
    costs = ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (50.0, 50.0, 0.0))
    after = retune(three_file, CostMatrix(("a", "b", "c"), costs))
    assert (after.out_of_fold_figures()[-1][0]) == "cost"
    x = np.random.default_rng(2).normal(size=(300, 2))
    rows = pd.DataFrame({"x": x[:, 0], "z": x[:, 1]})
    expected = after.proba_by_code(rows) @ np.array(costs)
    labels = np.array(["a", "b", "c"])[expected.argmin(axis=1)]
    assert after.predict(rows).tolist() == labels.tolist()
    assert isinstance(retune(three_file, "metric").decision.criterion, BestMetric)


@pytest.mark.parametrize(
    "decision", [DEAR_MISS, Floor("recall", 0.5), Capacity(k=7), Capacity(share=0.1)], ids=str
)
def test_three_classes_cannot_be_decided_as_two(three_file: Path, decision: Criterion) -> None:
    before = files_of(three_file.parent)
    with pytest.raises(UsageError, match="needs two classes, but the target has 3"):
        retune(three_file, decision)
    assert files_of(three_file.parent) == before
