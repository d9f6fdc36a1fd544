"""Bagging of any model, with synthetic rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoimb.strategy.ensembles.voting import Sizes, Table, VotingEnsemble, wished_sizes
from autoimb.strategy.samplers.interpolation import Interpolation

__all__ = ["SMOTEBagging"]


class SMOTEBagging(VotingEnsemble):
    """Bags of equal classes: rare rows in part copied, in part synthetic, from bag to bag more.

    Wang and Yao 2009: of a class that is to grow, bag i of n holds a share of ``i / n`` of rows
    drawn with replacement, and for the rest rows that
    `samplers.interpolation.Interpolation` makes. Neither is a sample of its class: how
    frequent the classes are is left to the calibrator.

    Parameters
    ----------
    estimator : classifier
    n_estimators : int
    k_neighbors : int
        That rows are made between.
    sampling_strategy : callable, optional
        Takes codes, returns the size of every class that rows are made of; by default all
        get the size of the largest.
    random_state : int

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = (X.sum(axis=1) > 2.3).astype(int)
    >>> model = SMOTEBagging(DecisionTreeClassifier(max_depth=4)).fit(X, y)
    >>> bool(model.predict_proba([[2.0, 2.0]])[0, 1] > 0.8)
    True
    """

    _sampling_type = "over-sampling"

    def __init__(
        self,
        estimator: Any,
        n_estimators: int = 6,
        *,
        k_neighbors: int = 5,
        sampling_strategy: Sizes | None = None,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.k_neighbors = k_neighbors
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state

    def _grow(self, table: Table, rng: np.random.Generator) -> None:
        X, codes, categories, _ = table
        sizes = np.bincount(codes)
        goals = wished_sizes(codes, self.sampling_strategy, int(sizes.max()))
        between = Interpolation(X, codes, categories, self.k_neighbors)
        labels = np.repeat(np.arange(len(goals)), goals)
        for place in range(self.n_estimators):
            share = (place + 1) / self.n_estimators
            bag = []
            for code, goal in enumerate(goals):
                grows = goal > sizes[code]
                n_copied = max(round(goal * share), 1) if grows else int(goal)
                own = np.flatnonzero(codes == code)
                bag.append(X[rng.choice(own, n_copied)])
                bag.append(between.draw(code, goal - n_copied, rng)[1] if grows else X[:0])
            shown = Table(np.concatenate(bag), labels, categories)
            self.estimators_.append(self._train(shown, rng))
            self.votes_.append(1.0)
