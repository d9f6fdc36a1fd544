"""LightGBM that stops early: on which rows, after how many trees."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from autoimb.strategy.models.early_stopping import EarlyStoppedLightGBM
from autoimb.strategy.weights import ClassWeighted


def draw(n: int, slope: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    odds = slope * (X[:, 0] + X[:, 1]) - 4
    return X, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)


def test_signal_gets_more_trees_than_noise() -> None:
    X, y = draw(2000)
    shuffled = np.random.default_rng(1).permutation(y)
    signal = EarlyStoppedLightGBM(n_jobs=1).fit(X, y).n_trees_
    noise = EarlyStoppedLightGBM(n_jobs=1).fit(X, shuffled).n_trees_
    assert noise < 25 < signal < 500


def test_smaller_steps_take_more_of_them() -> None:
    X, y = draw(2000)
    found = [EarlyStoppedLightGBM(learning_rate=r, n_jobs=1).fit(X, y) for r in (0.02, 0.2)]
    assert found[0].n_trees_ > 3 * found[1].n_trees_


def test_it_stops_before_it_overfits() -> None:
    X, y = draw(1500, slope=1.0)
    X_test, y_test = draw(8000, slope=1.0, seed=1)
    settings = {"learning_rate": 0.2, "num_leaves": 31, "min_child_samples": 2, "n_jobs": 1}
    stopped = EarlyStoppedLightGBM(**settings).fit(X, y)
    endless = lightgbm.LGBMClassifier(n_estimators=500, verbosity=-1, **settings).fit(X, y)
    scores = [roc_auc_score(y_test, m.predict_proba(X_test)[:, 1]) for m in (stopped, endless)]
    assert scores[0] > scores[1] + 0.02


def test_what_it_stops_by_is_a_stratified_part_of_the_training_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = draw(1000)
    taken: list[tuple[list[int], list[int]]] = []
    train = lightgbm.train

    def watch(settings: object, rows: lightgbm.Dataset, *given: object, **more: object) -> object:
        if "valid_sets" in more:
            (aside,) = more["valid_sets"]  # type: ignore[misc]
            taken.append((list(rows.used_indices), list(aside.used_indices)))
        else:
            assert rows.num_data() == len(X)
        return train(settings, rows, *given, **more)

    monkeypatch.setattr(lightgbm, "train", watch)
    EarlyStoppedLightGBM(n_jobs=1).fit(X, y)
    ((grown_on, aside),) = taken
    assert sorted(grown_on + aside) == list(range(len(X)))
    assert len(aside) == pytest.approx(0.15 * len(X), abs=1)
    assert y[aside].mean() == pytest.approx(y.mean(), abs=0.01)


@pytest.mark.parametrize(("n_rare", "n_aside"), [(20, 5), (25, 5), (200, 30)])
def test_some_rare_rows_are_kept_aside(
    n_rare: int, n_aside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    y = np.repeat([0, 1], [400, n_rare])
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    seen: list[int] = []
    train = lightgbm.train

    def watch(settings: object, rows: lightgbm.Dataset, *given: object, **more: object) -> object:
        for aside in more.get("valid_sets", ()):  # type: ignore[attr-defined]
            seen.append(int(y[list(aside.used_indices)].sum()))
        return train(settings, rows, *given, **more)

    monkeypatch.setattr(lightgbm, "train", watch)
    EarlyStoppedLightGBM(50, n_jobs=1).fit(X, y)
    assert seen == [n_aside]


def test_of_few_rare_rows_none_is_kept_aside() -> None:
    X, y = draw(1000)
    kept = np.flatnonzero((y == 0) | (np.cumsum(y) < 20))
    assert y[kept].sum() == 19
    found = [
        EarlyStoppedLightGBM(n, learning_rate=rate, n_jobs=1).fit(X[kept], y[kept]).n_trees_
        for n, rate in ((1000, 0.05), (1000, 0.2), (30, 0.05))
    ]
    assert found == [200, 50, 30]


def test_one_seed_gives_one_model_for_any_number_of_threads() -> None:
    X, y = draw(400)
    settings = {"n_estimators": 100, "subsample": 0.7, "learning_rate": 0.1}
    first, again, other = (
        EarlyStoppedLightGBM(random_state=seed, n_jobs=n_jobs, **settings).fit(X, y)
        for seed, n_jobs in ((0, 1), (0, 2), (1, 1))
    )
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


def test_weights_count() -> None:
    X, y = draw(1000)
    plain = EarlyStoppedLightGBM(n_jobs=1).fit(X, y)
    weighted = ClassWeighted(EarlyStoppedLightGBM(n_jobs=1), power=1.0).fit(X, y)
    assert weighted.predict_proba(X)[:, 1].mean() > 2 * plain.predict_proba(X)[:, 1].mean()


def test_labels_need_not_be_codes_and_one_class_is_refused() -> None:
    X, y = draw(300)
    model = EarlyStoppedLightGBM(30, n_jobs=1).fit(X, np.where(y == 1, "sick", "well"))
    assert list(model.classes_) == ["sick", "well"]
    assert set(model.predict(X)) == {"sick", "well"}
    with pytest.raises(ValueError, match="two classes or more"):
        model.fit(X, np.zeros(len(X)))
