"""Every check passes on sound code and fails on a planted fault of the kind it looks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command
from imblearn.over_sampling import SMOTE, RandomOverSampler
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeClassifier

import autoimb
from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.splitting import deal
from autoimb.decision.scored import Scored
from autoimb.errors import UsageError
from autoimb.evaluation.dealing import make_evaluator
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.folds import Fold
from autoimb.evaluation.scoring import CrossFitted
from autoimb.leaks import chance, checking
from autoimb.leaks.chance import bound_mean, shuffle_labels
from autoimb.leaks.report import LeakReport
from autoimb.leaks.setup import spoil
from autoimb.strategy.encoding import Encoder
from autoimb.strategy.pipeline import TrainingPart

NAMES = ("units_apart", "no_sampled_row_scored", "canary", "shuffled_labels")
Plant = pytest.MonkeyPatch
Check = Callable[..., LeakReport]


class Unsteady(DecisionTreeClassifier):
    """A model that is another one each time."""

    def predict_proba(self, X: Any) -> Any:
        found = super().predict_proba(X)
        return 0.9 * found + 0.1 * np.random.default_rng().dirichlet(np.ones(found.shape[1]))


class Failing(ClassifierMixin, BaseEstimator):
    """A model that cannot be trained."""

    def fit(self, X: Any, y: Any) -> None:
        raise ValueError("no")


SPACE = """
[model.tree]
class = "sklearn.tree.DecisionTreeClassifier"
input = "numeric"
[model.logistic]
class = "sklearn.linear_model.LogisticRegression"
[sampler.none]
[sampler.over]
class = "imblearn.over_sampling.RandomOverSampler"
input = "raw"
[sampler.smote]
class = "imblearn.over_sampling.SMOTE"
balance = 0.5
k_neighbors = 3
[sampler.under]
class = "imblearn.under_sampling.RandomUnderSampler"
input = "raw"
[weight.none]
[weight.power]
class = "autoimb.strategy.weights.ClassWeighted"
power = 0.5
"""


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Run the checks with components that train in no time."""

    def run(data: pd.DataFrame, components: str = SPACE, **given: Any) -> LeakReport:
        path = tmp_path / "small.toml"
        path.write_text(components)
        given = {"n_folds": 3, "time_budget": 30.0, "space": path} | given
        return autoimb.check_leaks(data, **given)

    return run


def states(found: LeakReport) -> dict[str, str]:
    return {check.name: check.state for check in found.checks}


def telling(found: LeakReport, name: str) -> str:
    return next(f"{one.finding} {one.advice}" for one in found.checks if one.name == name)


@pytest.fixture
def three_classes() -> pd.DataFrame:
    """120 rows of three classes with gaps, categories of many levels, and copies."""
    rng = np.random.default_rng(1)
    y = np.repeat(["a", "b", "c"], [60, 40, 20])
    table = pd.DataFrame(
        {
            "x": rng.normal(size=120) + (y == "c"),
            "n": rng.integers(0, 4, 120).astype(float),
            "few": rng.choice(list("pqr"), 120),
            "many": rng.choice([f"level {i}" for i in range(30)], 120),
            "target": y,
        }
    )
    table.loc[rng.choice(120, 15, replace=False), "n"] = np.nan
    table.loc[rng.choice(120, 10, replace=False), "few"] = None
    return pd.concat([table, table.iloc[::6]], ignore_index=True)


@pytest.fixture
def pairs() -> pd.DataFrame:
    """Every row twice."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=60), "z": rng.normal(size=60)})
    table["target"] = np.repeat([0, 1], [40, 20])
    return pd.concat([table, table], ignore_index=True)


def test_sound_code_passes_on_two_classes(check: Check, loans: pd.DataFrame) -> None:
    found = check(loans, target="default")
    assert states(found) == dict.fromkeys(NAMES, "passed"), str(found)
    assert (found.n_rows, found.n_folds, found.passed) == (160, 3, True)
    assert "3 samplers made" in telling(found, "no_sampled_row_scored")
    assert "12 trainings of 4 strategies" in telling(found, "canary")
    assert "shuffled 10 times" in telling(found, "shuffled_labels")


def test_sound_code_passes_on_three_classes(check: Check, three_classes: pd.DataFrame) -> None:
    found = check(three_classes)
    assert states(found) == dict.fromkeys(NAMES, "passed"), str(found)
    assert "20 exact duplicates among them, in 3 x 3 folds" in telling(found, "units_apart")
    assert found.notes == ("target 'target' assumed; --target NAME chooses another.",)


def test_a_small_budget_tests_the_least(check: Check, loans: pd.DataFrame) -> None:
    found = check(loans, target="default", time_budget=0.01)
    assert states(found) == dict.fromkeys(NAMES, "passed"), str(found)
    assert "1 sampler made" in telling(found, "no_sampled_row_scored")
    assert "Not tested: smote, under (the time was over" in telling(found, "no_sampled_row_scored")
    assert "4 trainings of 4 strategies" in telling(found, "canary")
    assert "shuffled 3 times" in telling(found, "shuffled_labels")


def test_the_same_seed_finds_the_same(check: Check, loans: pd.DataFrame) -> None:
    first, again, other = (check(loans, target="default", random_state=k) for k in (0, 0, 1))
    assert first.checks == again.checks
    assert first.checks != other.checks


def test_copies_on_both_sides_are_found(
    check: Check, pairs: pd.DataFrame, monkeypatch: Plant
) -> None:
    assert check(pairs).passed
    monkeypatch.setattr(
        "autoimb.evaluation.dealing.assign_folds",
        lambda data, n_folds, seed: deal(data.y, n_folds, np.random.default_rng(seed)),
    )
    found = check(pairs)
    assert states(found)["units_apart"] == "failed"
    # A tree knows the label of the other copy, whatever it means.
    assert states(found)["shuffled_labels"] == "failed"
    assert states(found)["canary"] == "passed"
    assert "scored rows equal a row that is trained on" in telling(found, "units_apart")
    assert "a fault of the splitting" in telling(found, "units_apart")


def test_copies_are_looked_for_in_further_assignments_too(
    check: Check, pairs: pd.DataFrame, monkeypatch: Plant
) -> None:
    sound = autoimb.data.splitting.assign_folds

    def assign(data: Dataset, n_folds: int, seed: int) -> Any:
        torn = deal(data.y, n_folds, np.random.default_rng(seed))
        return torn if seed == 2 else sound(data, n_folds, seed)

    monkeypatch.setattr("autoimb.evaluation.dealing.assign_folds", assign)
    found = states(check(pairs, time_budget=0.01))
    assert found == dict.fromkeys(NAMES, "passed") | {"units_apart": "failed"}


def test_a_class_of_one_row_s_copies_is_named(check: Check) -> None:
    table = pd.DataFrame({"x": [*range(40), *[99] * 6], "target": ["no"] * 40 + ["yes"] * 6})
    found = check(table, time_budget=0.01)
    assert states(found)["units_apart"] == "failed"
    assert "All rows of class 'yes' are copies of one" in telling(found, "units_apart")


@pytest.mark.parametrize("sampler", [SMOTE(k_neighbors=3, random_state=0), RandomOverSampler()])
def test_sampling_before_the_split_is_found(
    check: Check, pairs: pd.DataFrame, monkeypatch: Plant, sampler: Any
) -> None:
    def resampled(dataset: Dataset, *given: Any) -> Any:
        X, y = sampler.fit_resample(dataset.X, dataset.y)
        return make_evaluator(replace(dataset, X=X, y=y), *given)

    monkeypatch.setattr(checking, "make_evaluator", resampled)
    found = check(pairs, time_budget=0.01)
    assert states(found)["no_sampled_row_scored"] == "failed"
    assert "40 rows" in telling(found, "no_sampled_row_scored")


def test_rows_that_are_scored_otherwise_than_they_are_are_found(
    check: Check, loans: pd.DataFrame, monkeypatch: Plant
) -> None:
    sound = Evaluator._take

    def rounded(self: Evaluator, rows: Any) -> Any:
        return np.nextafter(sound(self, rows), np.inf)

    monkeypatch.setattr(Evaluator, "_take", rounded)
    found = check(loans, target="default", time_budget=0.01)
    assert states(found)["no_sampled_row_scored"] == "failed"


def test_training_on_all_rows_is_found(
    check: Check, loans: pd.DataFrame, monkeypatch: Plant
) -> None:
    sound = Evaluator._part

    def everything(self: Evaluator, rows: Any, max_rows: int | None) -> TrainingPart:
        return sound(self, np.arange(len(self.y)), max_rows)

    monkeypatch.setattr(Evaluator, "_part", everything)
    found = states(check(loans, target="default"))
    assert found == dict.fromkeys(NAMES, "failed") | {"units_apart": "passed"}


@pytest.fixture
def encoders_see_everything(monkeypatch: Plant) -> None:
    """Fit every encoder on all rows and labels."""
    sound = Evaluator._make_fold

    def make_fold(self: Evaluator, *given: Any) -> Fold:
        fold = sound(self, *given)

        def encode(kind: str) -> Any:
            encoder = Encoder(kind, self.n_levels, self.seed)
            encoder.fit_transform(self.X, self.y)
            return encoder, encoder.transform(fold.X)

        fold.encode = encode
        return fold

    monkeypatch.setattr(Evaluator, "_make_fold", make_fold)


@pytest.mark.usefixtures("encoders_see_everything")
def test_an_encoder_that_sees_all_labels_is_found(check: Check) -> None:
    rng = np.random.default_rng(0)
    levels = np.repeat([f"level {i}" for i in range(60)], 3)
    table = pd.DataFrame({"many": levels, "x": rng.normal(size=180)})
    table["target"] = np.where(rng.random(180) < 0.3, "yes", "no")
    found = check(table)
    assert states(found) == dict.fromkeys(NAMES, "failed") | {"units_apart": "passed"}
    assert "Other rows are made by smote once" in telling(found, "no_sampled_row_scored")
    assert "predict otherwise once features and labels" in telling(found, "canary")


def test_what_fails_over_rows_to_score_has_seen_them(
    check: Check, loans: pd.DataFrame, monkeypatch: Plant
) -> None:
    sound = Evaluator._make_fold

    def make_fold(self: Evaluator, *given: Any) -> Fold:
        fold = sound(self, *given)

        def encode(kind: str) -> Any:
            if np.nanmax(self.X) > 1e9 or np.nanmin(self.X) < 0:
                raise ValueError("out of range")
            return TrainingPart.encode(fold, kind)

        fold.encode = encode
        return fold

    monkeypatch.setattr(Evaluator, "_make_fold", make_fold)
    found = states(check(loans.drop(columns="opened"), target="default", time_budget=0.01))
    assert found["no_sampled_row_scored"] == found["canary"] == "failed"


def test_a_threshold_tuned_on_the_rows_it_decides_is_found(
    check: Check, loans: pd.DataFrame, monkeypatch: Plant
) -> None:
    def tuned_on_itself(criterion: Any, scored: Scored, folds: Any) -> CrossFitted:
        codes = np.empty_like(scored.y)
        for fold in folds.each():
            here = scored.take(folds.number == fold)
            codes[folds.number == fold] = criterion.solve(here).decide(here.proba, None)
        return CrossFitted(scored.proba, codes)

    monkeypatch.setattr("autoimb.evaluation.scoring.cross_fit", tuned_on_itself)
    found = check(loans, SPACE[SPACE.index("[model.logistic]") :], target="default")
    assert states(found) == dict.fromkeys(NAMES, "passed") | {"shuffled_labels": "failed"}
    assert "balanced accuracy" in telling(found, "shuffled_labels")
    assert "ROC AUC" not in telling(found, "shuffled_labels")


def test_what_cannot_be_compared_is_no_leak(check: Check, loans: pd.DataFrame) -> None:
    space = f'[model.unsteady]\nclass = "{__name__}.Unsteady"\ninput = "numeric"\n'
    found = check(loans, space, target="default", time_budget=0.01)
    assert states(found)["canary"] == "skipped"
    assert "unsteady (differs each time)" in telling(found, "canary")
    assert telling(found, "no_sampled_row_scored").startswith("All 160 scored rows")


def test_what_cannot_be_trained_is_named(check: Check, loans: pd.DataFrame) -> None:
    space = f'[model.failing]\nclass = "{__name__}.Failing"\ninput = "numeric"\n'
    space += '[sampler.kmeans]\nclass = "imblearn.over_sampling.KMeansSMOTE"\n'
    space += "cluster_balance_threshold = 1e9\n"
    found = check(loans, space, target="default", time_budget=0.01)
    assert states(found)["canary"] == states(found)["shuffled_labels"] == "skipped"
    assert "failing (ValueError: no)" in telling(found, "canary")
    told = telling(found, "no_sampled_row_scored")
    assert "kmeans (could not resample these data)" in told
    assert found.passed


def test_no_more_than_chance_is_judged_by_the_interval() -> None:
    assert bound_mean([0.6, 0.6, 0.6], 0.99).low == pytest.approx(0.6)
    rng = np.random.default_rng(0)
    lows = [bound_mean(rng.normal(0.5, 0.1, 10), 0.95).low for _ in range(2000)]
    assert np.mean(np.array(lows) > 0.5) == pytest.approx(0.05, abs=0.015)


def test_shuffled_labels_stay_with_their_units() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(50), 2)
    y = np.repeat(rng.permutation([0, 1] * 25), 2)
    y[1] = 1 - y[0]  # the first unit has both
    shuffled = shuffle_labels(y, units, rng)
    assert (shuffled[2::2] == shuffled[3::2]).all()
    assert not np.array_equal(shuffled, y)
    # Nothing is kept but how many units have each label.
    assert abs(np.bincount(shuffled) - np.bincount(y)).max() <= 2


def test_a_class_of_one_unit_is_shuffled_over_rows() -> None:
    y = np.array([0] * 10 + [1] * 4)
    units = np.r_[np.arange(10), [10] * 4]
    shuffled = shuffle_labels(y, units, np.random.default_rng(0))
    assert np.bincount(shuffled).tolist() == [10, 4]
    assert not np.array_equal(shuffled, y)


def test_what_is_spoiled_is_what_a_fold_scores_and_nothing_else(three_classes: Any) -> None:
    data = make_dataset(three_classes.drop(columns="target"), three_classes["target"])
    evaluator = Evaluator.on(data, np.arange(140) % 3, "roc_auc", seed=0)
    other = spoil(evaluator, 1, seed=0)
    rows, rest = evaluator.scored_rows(1), evaluator.training_rows(1)
    assert rows.tolist() == list(range(1, 140, 3))
    assert sorted([*rows, *rest]) == list(range(140))
    assert (other.y[rows] != data.y[rows]).all()
    assert not np.isclose(other.X[rows, 0], data.X[rows, 0]).any()
    np.testing.assert_array_equal(other.X[rest], data.X[rest])
    np.testing.assert_array_equal(other.y[rest], data.y[rest])
    levels = np.array(data.schema.n_levels)
    codes = other.X[:, levels > 0]
    assert np.nanmin(codes) >= 0
    assert (np.nanmax(codes, axis=0) < levels[levels > 0]).all()


def test_an_evaluator_of_other_rows_recalls_nothing(loans: pd.DataFrame) -> None:
    data = make_dataset(loans.drop(columns="default"), loans["default"])
    evaluator = Evaluator.on(data, np.arange(160) % 3, "roc_auc", seed=0)
    part, rows = evaluator.training_part(0), evaluator.training_rows(0)
    other = evaluator.with_rows(data.X[::-1].copy(), data.y[::-1].copy())
    assert evaluator.training_part(0) is part
    np.testing.assert_array_equal(other.training_part(0).X, data.X[::-1][rows])
    np.testing.assert_array_equal(part.X, data.X[rows])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"n_folds": 1}, "n_folds must be at least 2"),
        ({"time_budget": 0}, "time_budget must be a positive number"),
        ({"random_state": -1}, "random_state must be from 0"),
        ({"space": "defualt"}, "did you mean 'default'"),
    ],
)
def test_wrong_arguments_are_refused(
    check: Check, loans: pd.DataFrame, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        check(loans, target="default", **given)


QUICKLY = ("--space", "interpretable", "--folds", "2", "--budget", "1s")


def test_the_command_shows_every_check(cli: Command, loans_csv: Path) -> None:
    found = cli("check-leaks", loans_csv, *QUICKLY)
    assert found.code == 0
    assert found.stderr == "note: target 'default' assumed; --target NAME chooses another.\n"
    assert found.stdout.startswith("loans: 160 rows, 2 folds, ")
    assert [line.split()[0] for line in found.stdout.splitlines() if " passed" in line][:4] == [
        *NAMES
    ]
    assert found.stdout.endswith("4 checks: 4 passed\n")


def test_a_leak_is_exit_code_1(cli: Command, loans_csv: Path, monkeypatch: Plant) -> None:
    monkeypatch.setattr(chance, "bound_mean", lambda values, confidence: chance.Bound(0.9, 0.8))
    found = cli("check-leaks", loans_csv, "--target", "default", *QUICKLY)
    assert (found.code, found.stderr) == (1, "")
    assert found.stdout.endswith("4 checks: 3 passed, 1 failed\n")
    told = cli("check-leaks", loans_csv, "--target", "default", *QUICKLY, "--json")
    assert told.code == 1
    assert told.json["passed"] is False
    assert [one["state"] for one in told.json["checks"]] == ["passed"] * 3 + ["failed"]


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (("--target", "nothing"), 1, "no column 'nothing'"),
        (("--drop", "nothing"), 1, "no such feature column"),
        (("--budget", "soon"), 2, "budget must be a positive duration"),
        (("--folds", "1"), 2, "n_folds must be at least 2"),
        (("--space", "nothing"), 2, "nothing"),
    ],
)
def test_bad_input_is_one_line(
    cli: Command, loans_csv: Path, flags: tuple[str, ...], code: int, told: str
) -> None:
    found = cli("check-leaks", loans_csv, *flags)
    assert (found.code, found.stdout) == (code, "")
    assert told in found.stderr
    assert found.stderr.count("\n") == 1
