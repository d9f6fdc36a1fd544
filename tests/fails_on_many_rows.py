"""A classifier that works on the folds and fails on all rows."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression


class Picky(LogisticRegression):
    """Refuse tables of more than some rows."""

    def __init__(self, max_rows: int = 10) -> None:
        super().__init__()
        self.max_rows = max_rows

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: None = None) -> Picky:
        if len(X) > self.max_rows:
            raise RuntimeError(f"{len(X)} rows are too many")
        return super().fit(X, y, sample_weight)
