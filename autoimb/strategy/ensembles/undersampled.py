"""Ensembles of any model, each member trained on all of the rare classes and some of the rest.

What a member predicts is corrected for the rows that it was not shown (Dal Pozzolo, Caelen,
Johnson and Bontempi 2015), so that an ensemble speaks of the natural prevalence.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.prevalence import shift_prevalence
from autoimb.strategy.ensembles.voting import (
    Sizes,
    Table,
    VotingEnsemble,
    predict_member,
    wished_sizes,
)

__all__ = ["BalanceCascade", "EasyEnsemble", "MetaSampled", "SelfPaced", "UnderBagging"]

# Part of the rows that members are chosen by.
ASIDE = 0.2


class _Ensemble(VotingEnsemble):
    """Members, each trained on some of the rows and corrected for those that it was not shown.

    Parameters
    ----------
    estimator : classifier
        What each member is a clone of.
    n_estimators : int
        Members, at least one.
    sampling_strategy : callable, optional
        Takes codes, returns the size of every class that is cut, as
        `autoimb.strategy.resampling.BalanceTowards` does; by default all are cut to the
        size of the smallest.
    random_state : int
    """

    def __init__(
        self,
        estimator: Any,
        n_estimators: int = 10,
        *,
        sampling_strategy: Sizes | None = None,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state

    def _grow(self, table: Table, rng: np.random.Generator) -> None:
        self.rates_: list[FloatArray] = []
        self._choose_members(table, rng)
        self.votes_ = [1.0] * len(self.estimators_)

    @abstractmethod
    def _choose_members(self, table: Table, rng: np.random.Generator) -> None:
        """Train the members, each on some rows."""

    def _train_on(
        self, table: Table, rows: IntArray, rng: np.random.Generator
    ) -> tuple[Any, FloatArray]:
        """Train a member on some rows; also return the part of each class that they are."""
        codes = table.codes[rows]
        member = self._train(Table(table.X[rows], codes, table.categories), rng)
        return member, np.bincount(codes, minlength=len(self.classes_)) / np.bincount(table.codes)

    def _add(self, member: Any, rates: FloatArray) -> None:
        self.estimators_.append(member)
        self.rates_.append(rates)

    def _hear(self, place: int, X: FloatArray) -> FloatArray:
        return shift_prevalence(super()._hear(place, X), 1 / self.rates_[place])

    def _sizes(self, codes: IntArray) -> IntArray:
        """Return how many rows of each class a member is shown."""
        return wished_sizes(codes, self.sampling_strategy, int(np.bincount(codes).min()))


class _OneByOne(_Ensemble):
    """Members whose rows are chosen by what those before made of them."""

    # Whether it matters what they made of them.
    looks = True

    def _choose_members(self, table: Table, rng: np.random.Generator) -> None:
        hardness = _Hardness(table.codes, len(self.classes_))
        for place in range(self.n_estimators):
            rows = self._choose(place, hardness.mean, table.codes, rng)
            self._add(*self._train_on(table, rows, rng))
            if self.looks:
                hardness.look(predict_member(self.estimators_[-1], table.X))

    @abstractmethod
    def _choose(
        self, place: int, hardness: FloatArray, codes: IntArray, rng: np.random.Generator
    ) -> IntArray:
        """Choose the rows of a member; of the first one the hardness of all rows is 1."""


class _Hardness:
    """What the probability of the true class lacks of 1, in the mean over members."""

    def __init__(self, codes: IntArray, n_classes: int) -> None:
        self.codes = codes
        self.total = np.zeros((len(codes), n_classes))
        self.n_members = 0

    @property
    def mean(self) -> FloatArray:
        own = self.total[np.arange(len(self.codes)), self.codes]
        return np.asarray(1 - own / max(self.n_members, 1))

    def look(self, proba: FloatArray) -> None:
        self.total += proba
        self.n_members += 1


def _choose_randomly(codes: IntArray, sizes: IntArray, rng: np.random.Generator) -> IntArray:
    """Choose as many rows of each class, none twice."""
    kept = [rng.choice(np.flatnonzero(codes == k), n, replace=False) for k, n in enumerate(sizes)]
    return np.sort(np.concatenate(kept))


class UnderBagging(_OneByOne):
    """Each member sees rows that are chosen at random (Barandela, Valdovinos and Sanchez 2003).

    Parameters
    ----------
    estimator : classifier
    n_estimators : int
    sampling_strategy : callable, optional
        As of every ensemble here: by default classes are cut to the size of the smallest.
    random_state : int

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> y = (rng.random(2000) < 0.05).astype(int)
    >>> X = rng.normal(size=(2000, 1)) + y[:, None]
    >>> model = UnderBagging(LogisticRegression()).fit(X, y)
    >>> bool(abs(model.predict_proba(X)[:, 1].mean() - y.mean()) < 0.01)
    True
    """

    looks = False

    def _choose(
        self, place: int, hardness: FloatArray, codes: IntArray, rng: np.random.Generator
    ) -> IntArray:
        return _choose_randomly(codes, self._sizes(codes), rng)


class EasyEnsemble(UnderBagging):
    """Members on equal classes whose log-odds are added, as of one long boosting.

    Liu, Wu and Zhou 2009, with any model in place of AdaBoost: made for boosted trees.

    Parameters
    ----------
    estimator : classifier
    n_estimators : int
    sampling_strategy : callable, optional
    random_state : int
    """

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict the probabilities of the mean log-odds, of shape (n_samples, n_classes)."""
        each = [np.log(np.clip(self._hear(k, X), 1e-12, 1)) for k in range(len(self.rates_))]
        return np.asarray(softmax(np.mean(each, axis=0), axis=1))


class BalanceCascade(_OneByOne):
    """What the members so far are surest of is left out, step by step.

    Liu, Wu and Zhou 2009: of every class that is cut the pool shrinks by the same factor with
    each member, so that the last one chooses among as many rows as it is shown. Where the paper
    adjusts a threshold to a false positive rate, the hardest rows are kept, which is the same.

    Parameters
    ----------
    estimator : classifier
    n_estimators : int
    sampling_strategy : callable, optional
    random_state : int
    """

    def _choose(
        self, place: int, hardness: FloatArray, codes: IntArray, rng: np.random.Generator
    ) -> IntArray:
        goals, sizes = self._sizes(codes), np.bincount(codes)
        passed = place / max(self.n_estimators - 1, 1)
        if not place:
            self._pool = np.ones(len(codes), dtype=bool)
        for code, goal in enumerate(goals):
            rows = np.flatnonzero(self._pool & (codes == code))
            n_kept = max(round(sizes[code] * (goal / sizes[code]) ** passed), goal)
            surest = rows[np.argsort(hardness[rows], kind="stable")][: len(rows) - n_kept]
            self._pool[surest] = False
        pool = np.flatnonzero(self._pool)
        found = pool[_choose_randomly(codes[pool], goals, rng)]
        if place == self.n_estimators - 1:
            del self._pool
        return np.asarray(found)


class SelfPaced(_OneByOne):
    """Rows of all degrees of hardness at first, then more and more of the hard ones.

    Liu, Cao, Gao, Bian, Chen, Chang and Liu 2020, algorithm 1: rows are put in bins by hardness,
    here what the probability of the true class lacks of 1; a bin of mean hardness h gets a share
    in proportion to ``1 / (h + tan(pi / 2 * i / n))``.

    Parameters
    ----------
    estimator : classifier
    n_estimators : int
    n_bins : int
        Of hardness.
    sampling_strategy : callable, optional
    random_state : int
    """

    def __init__(
        self,
        estimator: Any,
        n_estimators: int = 10,
        *,
        n_bins: int = 10,
        sampling_strategy: Sizes | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            estimator, n_estimators, sampling_strategy=sampling_strategy, random_state=random_state
        )
        self.n_bins = n_bins

    def _choose(
        self, place: int, hardness: FloatArray, codes: IntArray, rng: np.random.Generator
    ) -> IntArray:
        goals, sizes = self._sizes(codes), np.bincount(codes)
        if not place:
            return _choose_randomly(codes, goals, rng)
        pace = np.tan(np.pi / 2 * place / self.n_estimators)
        weights = np.ones(len(codes))
        for code in np.flatnonzero(goals < sizes):
            rows = np.flatnonzero(codes == code)
            weights[rows] = self._weigh(hardness[rows], pace)
        return _choose_by_weight(codes, goals, weights, rng)

    def _weigh(self, hardness: FloatArray, pace: float) -> FloatArray:
        """Give each row the share of its bin."""
        low, high = hardness.min(), hardness.max()
        width = (high - low) / self.n_bins
        bins = np.minimum((hardness - low) / width if width else hardness * 0, self.n_bins - 1)
        _, bins, counts = np.unique(bins.astype(int), return_inverse=True, return_counts=True)
        means = np.bincount(bins, hardness) / counts
        return np.asarray((1 / (np.maximum(means, 1e-9) + pace) / counts)[bins])


def _choose_by_weight(
    codes: IntArray, sizes: IntArray, weights: FloatArray, rng: np.random.Generator
) -> IntArray:
    """Choose as many rows of each class, none twice, the likelier the more they weigh.

    Efraimidis and Spirakis 2006.
    """
    keys = rng.exponential(size=len(codes)) / np.maximum(weights, 1e-300)
    kept = []
    for code, n in enumerate(sizes):
        rows = np.flatnonzero(codes == code)
        kept.append(rows[np.argpartition(keys[rows], n - 1)[:n]])
    return np.sort(np.concatenate(kept))


class MetaSampled(_Ensemble):
    """The hardness that is sampled around is chosen, for each member, on rows kept aside.

    In the spirit of MESA (Liu, Wei, Jiang, Cao, Bian and Chang 2020): rows are drawn with a
    Gaussian weight of their hardness. There a policy, learned by reinforcement, gives the centre
    from the distribution of errors; here the neighbours of the last centre are tried, and the
    member is kept that gives the ensemble the best average precision on a fifth of the rows,
    which no member is trained on.

    Parameters
    ----------
    estimator : classifier
    n_estimators : int
    width : float
        Standard deviation of the Gaussian.
    step : float
        From a centre to its neighbours.
    sampling_strategy : callable, optional
    random_state : int
    """

    def __init__(
        self,
        estimator: Any,
        n_estimators: int = 10,
        *,
        width: float = 0.2,
        step: float = 0.2,
        sampling_strategy: Sizes | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            estimator, n_estimators, sampling_strategy=sampling_strategy, random_state=random_state
        )
        self.width = width
        self.step = step

    def _choose_members(self, table: Table, rng: np.random.Generator) -> None:
        centre, X, codes = 0.5, table.X, table.codes
        rows, aside = train_test_split(
            np.arange(len(codes)), test_size=ASIDE, stratify=codes, random_state=self.random_state
        )
        hardness = _Hardness(codes[rows], len(self.classes_))
        total = np.zeros((len(aside), len(self.classes_)))
        for place in range(self.n_estimators):
            near = (centre,) if not place else (centre, centre - self.step, centre + self.step)
            tried: list[tuple[float, float, Any, FloatArray, FloatArray]] = []
            for one in sorted({min(max(c, 0.0), 1.0) for c in near}):
                weights = np.exp(-(((hardness.mean - one) / self.width) ** 2) / 2)
                chosen = _choose_by_weight(codes[rows], self._sizes(codes[rows]), weights, rng)
                member, rates = self._train_on(table, rows[chosen], rng)
                proba = total + predict_member(member, X[aside])
                tried.append((_precision(codes[aside], proba), one, member, rates, proba))
            _, centre, member, rates, total = max(tried, key=lambda each: each[0])
            self._add(member, rates)
            hardness.look(predict_member(member, X[rows]))


def _precision(codes: IntArray, proba: FloatArray) -> float:
    """Give the average precision, of several classes their mean."""
    if proba.shape[1] == 2:
        return float(average_precision_score(codes, proba[:, 1]))
    own = np.arange(proba.shape[1]) == codes[:, None]
    return float(average_precision_score(own, proba, average="macro"))
