"""Boosting of any model, with resampling or costs inside.

AdaBoost.M2 (Freund and Schapire 1997), which the papers below build upon: each pair of a row
and a class that is not its own has a weight, members say how sure they are by their
probabilities, and their votes are averaged. Of two classes it is confidence-rated AdaBoost
(Schapire and Singer 1999).

Reweighted and synthetic rows are no sample of the data: what these ensembles predict ranks
rows, and how frequent the classes are is left to the calibrator.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.strategy.ensembles.voting import Sizes, Table, VotingEnsemble, wished_sizes
from autoimb.strategy.samplers.interpolation import Interpolation

__all__ = ["AdaCost", "RUSBoost", "SMOTEBoost"]

# Nearer to 1 than this nothing is left to learn from.
NEARLY = 1e-9

Drawing = Callable[[FloatArray], Table]


class _Boosted(VotingEnsemble):
    """Members one after the other, each looking at what those before got wrong."""

    n_estimators: int
    learning_rate: float

    def _grow(self, table: Table, rng: np.random.Generator) -> None:
        n, codes = len(table.codes), table.codes
        importance = self._importance(codes)
        weights = np.repeat(importance[:, None], len(self.classes_), axis=1)
        weights[np.arange(n), codes] = 0
        weights /= weights.sum()
        draw = self._drawing(table, rng)
        for _ in range(self.n_estimators):
            member = self._train(draw(weights.sum(axis=1)), rng)
            proba = np.asarray(member.predict_proba(table.X), dtype=float)
            margins = proba[np.arange(n), [codes]].T - proba
            is_perfect = (weights * margins).sum() > 1 - NEARLY
            counted = margins if is_perfect else margins * self._adjust(margins, codes)
            edge = min((weights * counted).sum(), 1 - NEARLY)
            is_no_better_than_chance = edge <= 0
            if is_no_better_than_chance and self.estimators_:
                break
            vote = 1.0 if is_no_better_than_chance else np.log((1 + edge) / (1 - edge)) / 2
            self.estimators_.append(member)
            self.votes_.append(float(vote))
            if is_perfect or is_no_better_than_chance:
                break
            weights *= np.exp(-self.learning_rate * vote * counted)
            weights /= weights.sum()

    def _importance(self, codes: IntArray) -> FloatArray:
        """Return what rows weigh to begin with."""
        return np.ones(len(codes))

    def _adjust(self, margins: FloatArray, codes: IntArray) -> FloatArray:
        """Return how much margins count."""
        return np.ones((len(codes), 1))

    @abstractmethod
    def _drawing(self, table: Table, rng: np.random.Generator) -> Drawing:
        """Return what draws the rows of a member, given the weights of all."""


class RUSBoost(_Boosted):
    """Boosting whose members see all rare rows and a random part of the others.

    Seiffert, Khoshgoftaar, Van Hulse and Napolitano 2010, with any model: each member is trained
    with the weights that rows have, and judged on all rows.

    Parameters
    ----------
    estimator : classifier
        What each member is a clone of. One that takes no `sample_weight` is trained on rows that
        are drawn in proportion to the weights.
    n_estimators : int
        Members, at least one. Boosting ends earlier with one that makes no error, or is no
        better than chance.
    learning_rate : float
        In (0, 1]: how far weights move after each member.
    sampling_strategy : callable, optional
        Takes codes, returns the size of every class that is cut, as
        `autoimb.strategy.resampling.BalanceTowards` does; by default all are cut to the
        size of the smallest.
    random_state : int

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = (X.sum(axis=1) > 2.3).astype(int)
    >>> model = RUSBoost(DecisionTreeClassifier(max_depth=2)).fit(X, y)
    >>> bool(model.predict_proba([[2.0, 2.0]])[0, 1] > 0.8)
    True
    """

    def __init__(
        self,
        estimator: Any,
        n_estimators: int = 6,
        *,
        learning_rate: float = 1.0,
        sampling_strategy: Sizes | None = None,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state

    def _drawing(self, table: Table, rng: np.random.Generator) -> Drawing:
        X, codes, categories, _ = table
        goals = wished_sizes(codes, self.sampling_strategy, int(np.bincount(codes).min()))
        of_class = [np.flatnonzero(codes == code) for code in range(len(goals))]

        def draw(weights: FloatArray) -> Table:
            kept = [
                rng.choice(own, n, replace=False) for own, n in zip(of_class, goals, strict=True)
            ]
            rows = np.sort(np.concatenate(kept))
            return Table(X[rows], codes[rows], categories, weights[rows])

        return draw


class SMOTEBoost(_Boosted):
    """Boosting whose members see other synthetic rows of the rare classes each.

    Chawla, Lazarevic, Hall and Bowyer 2003, with any model. Synthetic rows are made as
    `samplers.interpolation.Interpolation` makes them; they weigh what the rows weigh
    that they start from, and are forgotten after the member: weights move by real rows only.

    Parameters
    ----------
    estimator : classifier
    n_estimators : int
    learning_rate : float
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
    >>> model = SMOTEBoost(DecisionTreeClassifier(max_depth=2)).fit(X, y)
    >>> bool(model.predict_proba([[2.0, 2.0]])[0, 1] > 0.8)
    True
    """

    _sampling_type = "over-sampling"

    def __init__(
        self,
        estimator: Any,
        n_estimators: int = 6,
        *,
        learning_rate: float = 1.0,
        k_neighbors: int = 5,
        sampling_strategy: Sizes | None = None,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.k_neighbors = k_neighbors
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state

    def _drawing(self, table: Table, rng: np.random.Generator) -> Drawing:
        X, codes, categories, _ = table
        sizes = np.bincount(codes)
        wanted = wished_sizes(codes, self.sampling_strategy, int(sizes.max())) - sizes
        between = Interpolation(X, codes, categories, self.k_neighbors)
        labels = np.concatenate([codes, np.repeat(np.arange(len(wanted)), wanted)])

        def draw(weights: FloatArray) -> Table:
            drawn = [between.draw(code, n, rng) for code, n in enumerate(wanted) if n]
            rows = np.concatenate([X, *(made for _, made in drawn)])
            weighed = np.concatenate([weights, *(weights[own] for own, _ in drawn)])
            return Table(rows, labels, categories, weighed)

        return draw


class AdaCost(_Boosted):
    """Boosting that is hard on errors among the rare classes, and slow to be content with them.

    Fan, Stolfo, Zhang and Chan 1999: a margin counts ``(1 + c) / 2`` where a row is taken for
    another class and ``(1 - c) / 2`` where it is not, for a row of cost c; weights are in
    proportion to costs at first. Of several classes each wrong one has its margin.

    Parameters
    ----------
    estimator : classifier
    n_estimators : int
    learning_rate : float
    power : float
        From 0 to 1: a row of class k costs ``(n_smallest / n_k) ** power``.
    random_state : int

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = (X.sum(axis=1) > 2.3).astype(int)
    >>> model = AdaCost(DecisionTreeClassifier(max_depth=2)).fit(X, y)
    >>> bool(model.predict_proba([[2.0, 2.0]])[0, 1] > 0.8)
    True
    """

    def __init__(
        self,
        estimator: Any,
        n_estimators: int = 6,
        *,
        learning_rate: float = 1.0,
        power: float = 0.5,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.power = power
        self.random_state = random_state

    def _importance(self, codes: IntArray) -> FloatArray:
        sizes = np.bincount(codes)
        return np.asarray(((sizes.min() / sizes) ** self.power)[codes])

    def _adjust(self, margins: FloatArray, codes: IntArray) -> FloatArray:
        return np.asarray((1 - np.sign(margins) * self._importance(codes)[:, None]) / 2)

    def _drawing(self, table: Table, rng: np.random.Generator) -> Drawing:
        return lambda weights: table._replace(weights=weights)
