"""Tables of which it is known what matters in them, and models that have not seen a part."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.decision.criteria import BestMetric
from autoimb.evaluation.dealing import make_evaluator
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.tasks import Training
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.pipeline import TrainedPipeline

LIGHTGBM = Choice(
    "lightgbm",
    "lightgbm.LGBMClassifier",
    "raw",
    values={"n_estimators": 30, "num_leaves": 7, "verbosity": -1, "deterministic": True},
)
LOGISTIC = Choice("logistic", "sklearn.linear_model.LogisticRegression", "scaled")
LABELS = np.array(["none", "mild", "severe"])


def mixed(n_rows: int = 600, n_classes: int = 2, seed: int = 0) -> Dataset:
    """Numbers, categories and dates, with gaps: `signal` and `city` matter, the others do not."""
    rng = np.random.default_rng(seed)
    signal, noise = rng.normal(size=(2, n_rows))
    city = rng.choice(["Rome", "Oslo", "Lima"], n_rows).astype(object)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, n_rows), unit="D")
    score = signal + 1.5 * (city == "Lima") + rng.normal(0, 0.3, n_rows)
    shares = [0.85, 0.95] if n_classes == 3 else [0.85]
    y = LABELS[np.searchsorted(np.quantile(score, shares), score)]
    table = pd.DataFrame({"noise": noise, "city": city, "signal": signal, "day": day.astype(str)})
    for name in ("noise", "city", "signal"):
        table.loc[rng.choice(n_rows, n_rows // 20, replace=False), name] = None
    return make_dataset(table, y)


def evaluator_of(data: Dataset, metric: str = "average_precision", n_folds: int = 3) -> Evaluator:
    return make_evaluator(data, n_folds, metric, 0, 1, BestMetric(metric))[0]


def fit_folds(
    evaluator: Evaluator, model: Choice, folds: tuple[int, ...] = (0, 1, 2)
) -> dict[int, TrainedPipeline]:
    return {fold: evaluator.train(Training(Configuration(model), fold)) for fold in folds}
