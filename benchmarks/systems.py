"""The systems that are compared: autoimb, and two ways to use LightGBM on imbalanced classes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SEED = 0
TEST_SHARE = 0.3
ONE_HOT_UP_TO = 15  # levels
MAX_TREES, PATIENCE = 2000, 50
SEARCH_FOLDS, THRESHOLD_FOLDS = 3, 5
CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class Task:
    """One data set, split: frames as pandas reads them, labels as the file has them."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    labels_train: np.ndarray
    labels_test: np.ndarray
    positive: str
    budget: float

    @property
    def y_train(self) -> np.ndarray:
        return (self.labels_train == self.positive).astype(int)

    @property
    def y_test(self) -> np.ndarray:
        return (self.labels_test == self.positive).astype(int)


@dataclass(frozen=True)
class Answer:
    """What a system says of the test rows: 0 or 1, and a score that ranks them."""

    y: np.ndarray
    score: np.ndarray
    trials: int


def read_task(folder: Path, entry: dict[str, Any], budget: float, seed: int) -> Task:
    from sklearn.model_selection import train_test_split

    path, target = folder / entry["file"], entry["target"]
    X = pd.read_csv(path, low_memory=False).drop(columns=target)
    # read apart: among labels, "NA" is a word and "1" is not 1.0
    labels = pd.read_csv(path, usecols=[target], dtype=str, keep_default_na=False)[target]
    labels = labels.to_numpy(dtype=object)
    parts = train_test_split(X, labels, test_size=TEST_SHARE, stratify=labels, random_state=seed)
    return Task(*parts, positive=entry["positive"], budget=budget)


def run_autoimb(task: Task) -> Answer:
    from autoimb import AutoImbClassifier

    model = AutoImbClassifier(
        metric="f1",
        time_budget=task.budget,
        positive=task.positive,
        random_state=SEED,
        tracking_uri="off",
    ).fit(task.X_train, task.labels_train)
    column = list(model.classes_).index(task.positive)
    score = model.predict_proba(task.X_test)[:, column]
    y = (np.asarray(model.predict(task.X_test)) == task.positive).astype(int)
    return Answer(y, score, trials=len(model.study_.trials))


def run_threshold(task: Task) -> Answer:
    from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV
    from sklearn.pipeline import make_pipeline

    folds = StratifiedKFold(THRESHOLD_FOLDS, shuffle=True, random_state=SEED)
    model = TunedThresholdClassifierCV(
        make_pipeline(preparation(task.X_train), lightgbm_classifier()), scoring="f1", cv=folds
    ).fit(task.X_train, task.y_train)
    return Answer(model.predict(task.X_test), model.predict_proba(task.X_test)[:, 1], trials=1)


def run_optuna(task: Task) -> Answer:
    import optuna
    from sklearn.pipeline import make_pipeline

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    deadline = time.monotonic() + task.budget
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    study.enqueue_trial(DEFAULTS)
    objective = cross_validated_f1(task, deadline)
    study.optimize(objective, timeout=max(0.1, deadline - time.monotonic()))
    best = study.best_trial.user_attrs
    settings = {**best["settings"], "n_estimators": best["trees"]}
    model = make_pipeline(preparation(task.X_train), lightgbm_classifier(**settings))
    score = model.fit(task.X_train, task.y_train).predict_proba(task.X_test)[:, 1]
    done = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    return Answer((score >= best["threshold"]).astype(int), score, trials=len(done))


def lightgbm_classifier(**settings: Any) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=SEED, n_jobs=CORES, verbosity=-1, **settings)


def as_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn every cell into text, a missing one into a word of its own."""
    cells = frame.astype(object)
    return cells.where(cells.notna(), "(missing)").astype(str).astype(object)


def preparation(X: pd.DataFrame) -> Any:
    """Median for numbers; one-hot for few levels, ordinal for many. The result has no names."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

    numbers = list(X.select_dtypes("number").columns)
    words = [column for column in X.columns if column not in numbers]
    few = [column for column in words if X[column].nunique(dropna=False) <= ONE_HOT_UP_TO]
    many = [column for column in words if column not in few]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    steps = [
        ("numbers", SimpleImputer(strategy="median", keep_empty_features=True), numbers),
        ("few", make_pipeline(FunctionTransformer(as_words), one_hot), few),
        ("many", make_pipeline(FunctionTransformer(as_words), ordinal), many),
    ]
    return ColumnTransformer(steps, sparse_threshold=0).set_output(transform="default")


DEFAULTS = {
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_child_samples": 20,
    "subsample": 1.0,
    "colsample_bytree": 1.0,
    "reg_alpha": 1e-8,
    "reg_lambda": 1e-8,
    "weight_power": 0.0,
}


def suggest(trial: Any, y: np.ndarray) -> dict[str, Any]:
    power = trial.suggest_float("weight_power", 0.0, 1.0)  # 0: no weight, 1: equal classes
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 256, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 1, 100, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "subsample_freq": 1,
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_alpha": trial.suggest_float("reg_alpha", 1e-8, 10.0, log=True),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-8, 10.0, log=True),
        "scale_pos_weight": float(((y == 0).sum() / (y == 1).sum()) ** power),
    }


def prepared_folds(task: Task) -> list[tuple[Any, ...]]:
    """Return X and y to learn from, X and y to stop by, and the row numbers of the latter."""
    from sklearn.model_selection import StratifiedKFold

    X, y = task.X_train, task.y_train
    folds = []
    for fit, check in StratifiedKFold(SEARCH_FOLDS, shuffle=True, random_state=SEED).split(X, y):
        prepare = preparation(X).fit(X.iloc[fit])
        parts = prepare.transform(X.iloc[fit]), y[fit], prepare.transform(X.iloc[check]), y[check]
        folds.append((*parts, check))
    return folds


def cross_validated_f1(task: Task, deadline: float) -> Callable[[Any], float]:
    """Make the objective; all trials but the first are given up when the time is over."""
    import lightgbm
    import optuna

    folds, y = prepared_folds(task), task.y_train

    def objective(trial: Any) -> float:
        def give_up(_: Any) -> None:
            if trial.number and time.monotonic() > deadline:
                raise optuna.TrialPruned

        settings = suggest(trial, y)
        out_of_fold, trees = np.zeros(len(y)), []
        for X_fit, y_fit, X_check, y_check, check in folds:
            model = lightgbm_classifier(n_estimators=MAX_TREES, **settings)
            callbacks = [lightgbm.early_stopping(PATIENCE, verbose=False), give_up]
            model.fit(X_fit, y_fit, eval_X=X_check, eval_y=y_check, callbacks=callbacks)
            out_of_fold[check] = model.predict_proba(X_check)[:, 1]
            trees.append(model.best_iteration_ or MAX_TREES)
        threshold, f1 = best_f1_threshold(y, out_of_fold)
        trial.set_user_attr("settings", settings)
        trial.set_user_attr("trees", max(1, round(np.mean(trees))))
        trial.set_user_attr("threshold", threshold)
        return f1

    return objective


def best_f1_threshold(y: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Return the threshold (half-way to the next score below) with the best F1, and that F1."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(y, score)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    below = thresholds[max(best - 1, 0)]
    return float((thresholds[best] + below) / 2), float(f1[best])


SYSTEMS: dict[str, Callable[[Task], Answer]] = {
    "autoimb": run_autoimb,
    "lightgbm_threshold": run_threshold,
    "lightgbm_optuna": run_optuna,
}
