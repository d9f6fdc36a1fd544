"""Boosting by other packages: categories count, odd cells do no harm, nothing is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from autoimb.strategy.models.gradient_boosting import CatBoost, ExplainableBoosting, XGBoost
from autoimb.strategy.weights import ClassWeighted
from autoimb.threads import in_threads

FEW: dict[type[Any], dict[str, Any]] = {
    CatBoost: {"iterations": 30, "depth": 3},
    XGBoost: {"n_estimators": 30, "max_depth": 3, "learning_rate": 0.1},
    ExplainableBoosting: {"outer_bags": 1},
}
STUMPS: dict[type[Any], dict[str, Any]] = {
    CatBoost: {"iterations": 12, "depth": 1},
    XGBoost: {"n_estimators": 3, "max_depth": 1},
}
PACKAGES = {CatBoost: "catboost", XGBoost: "xgboost", ExplainableBoosting: "interpret"}
# InterpretML says that its plots do not show gaps.
pytestmark = pytest.mark.filterwarnings("ignore:Missing values detected:UserWarning")
each = pytest.mark.parametrize("boosting", FEW)


def build(boosting: type[Any], **settings: Any) -> Any:
    pytest.importorskip(PACKAGES[boosting])
    return boosting(random_state=0, n_jobs=1, **{**FEW[boosting], **settings})


def draw(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw a number without and a category of 30 levels with signal, either with gaps."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=n), rng.integers(0, 30, n)])
    y = (np.isin(X[:, 1], [2, 7, 8, 13, 19, 28]) & (rng.random(n) < 0.6)).astype(int)
    return np.where(rng.random(X.shape) < 0.05, np.nan, X), y


@each
def test_a_column_of_categories_is_split_by_category(boosting: type[Any]) -> None:
    (X, y), (X_test, y_test) = draw(3000), draw(3000, seed=1)
    model = build(boosting, **STUMPS.get(boosting, {}))
    as_categories = model.fit(X, y, categorical_feature=[1]).predict_proba(X_test)[:, 1]
    as_numbers = model.fit(X, y).predict_proba(X_test)[:, 1]
    aware, blind = (roc_auc_score(y_test, p) for p in (as_categories, as_numbers))
    assert aware > 0.85
    # a curve of as many steps as levels is all that a single column can give
    assert aware > blind + (0.03 if boosting is not ExplainableBoosting else -0.02)


@each
def test_infinite_huge_missing_and_unseen_cells_do_no_harm(boosting: type[Any]) -> None:
    X, y = draw(600)
    X[:3, 0] = [np.inf, -np.inf, 1e300]
    model = build(boosting).fit(X, y, categorical_feature=[1])
    odd = [[np.inf, 1], [-1e300, 1], [np.nan, np.nan], [0.0, 77.0]]
    proba = model.predict_proba(np.array(odd))
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@each
def test_weights_count_and_labels_need_not_be_codes(boosting: type[Any]) -> None:
    X, y = draw(800)
    plain = build(boosting).fit(X, np.where(y == 1, "sick", "well"), categorical_feature=[1])
    assert list(plain.classes_) == ["sick", "well"]
    assert set(plain.predict(X)) <= {"sick", "well"}
    weighted = ClassWeighted(build(boosting), power=1.0).fit(X, y, categorical_feature=[1])
    sick = plain.predict_proba(X)[:, 0].mean()
    assert sick == pytest.approx(y.mean(), abs=0.03)
    assert weighted.predict_proba(X)[:, 1].mean() > 1.3 * sick


@each
def test_it_is_the_same_for_any_number_of_threads_and_leaves_no_file(
    boosting: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    X, y = draw(300)
    models = [build(boosting).set_params(n_jobs=n) for n in (1, 2)]
    with in_threads():
        proba = [m.fit(X, y, categorical_feature=[1]).predict_proba(X) for m in models]
    np.testing.assert_array_equal(proba[0], proba[1])
    assert not list(tmp_path.iterdir())


@each
def test_one_class_is_refused(boosting: type[Any]) -> None:
    with pytest.raises(ValueError, match="two classes or more"):
        build(boosting).fit(np.zeros((5, 1)), np.zeros(5))


def test_explainable_boosting_shows_a_curve_for_each_column() -> None:
    X, y = draw(600)
    model = build(ExplainableBoosting).fit(X, y, categorical_feature=[1])
    names = model.model_.explain_global().data()["names"]
    assert len(names) == 2
