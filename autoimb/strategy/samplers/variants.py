"""The oversamplers of the package smote_variants, in imbalanced-learn's manner."""

from __future__ import annotations

import importlib
import inspect
import logging
import random
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.utils import check_random_state

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.errors import nearest_name, one_line

__all__ = ["SmoteVariant"]

PACKAGE = "smote_variants"
# Of the spread of a column: rows that differ by less are the same one.
ROUNDING = 1e-8
# What is set here, and is no parameter of an oversampler for the user to give.
SET_HERE = ("proportion", "random_state")


class SmoteVariant(BaseOverSampler):
    """Let an oversampler of smote_variants make rows of the rare classes.

    The package (Kovacs 2019, Neurocomputing 366) holds more than 85 variants of SMOTE, compared by
    Kovacs (2019, Applied Soft Computing 83). What a variant makes beyond the wished-for number is
    left out at random; one that filters its rows may make fewer. With two classes, what it does to
    the original rows counts too, such as leaving noise out. With more, each class is oversampled
    against all others together, and only the rows that are made of it are added.

    Parameters
    ----------
    name : str
        Of the class in smote_variants, such as "polynom_fit_SMOTE_mesh".
    sampling_strategy : float, str, dict or callable
        As of every oversampler; no class can become larger than all others together.
    random_state : int, RandomState instance or None
    **parameters : object
        Further parameters of that class.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,)
        The number of the original row that each row is, -1 for a synthetic one.

    Raises
    ------
    ImportError
        From `fit_resample`, without the package.
    ValueError
        From `fit_resample`, if the variant or a parameter does not exist, or if it fails.

    Examples
    --------
    >>> sampler = SmoteVariant("ProWSyn", random_state=0, n_neighbors=7)
    >>> sampler
    SmoteVariant(n_neighbors=7, name='ProWSyn', random_state=0)
    >>> X, y = np.arange(60.0).reshape(-1, 2), np.repeat([0, 1], [20, 10])
    >>> np.bincount(sampler.fit_resample(X, y)[1])  # doctest: +SKIP
    array([20, 20])
    """

    def __init__(
        self,
        name: str = "SMOTE",
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        **parameters: Any,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.name = name
        self.random_state = random_state
        self.parameters = parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters, those of the variant included."""
        return {**super().get_params(deep), **self.parameters}

    def set_params(self, **params: Any) -> SmoteVariant:
        """Set parameters, those of the variant included."""
        own = super().get_params(deep=False)
        self.parameters = {**self.parameters, **{k: v for k, v in params.items() if k not in own}}
        super().set_params(**{k: v for k, v in params.items() if k in own})
        return self

    def _fit_resample(self, X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
        rng = check_random_state(self.random_state)
        found = _find(self.name, self.parameters)
        Z = np.asarray(X, dtype=float)
        labels = np.unique(y)
        wanted = {k: int(n) for k, n in self.sampling_strategy_.items() if n}
        parts = [] if wanted and len(labels) == 2 else [(np.arange(len(y)), Z, y)]
        for label, n_wanted in wanted.items():
            made = self._oversample(found, Z, y == label, n_wanted, rng)
            made = made.with_at_most(n_wanted, rng)
            if len(labels) > 2:
                made = made.added_rare
            if made.is_idle(y == label):
                raise ValueError(
                    f"{self.name} of {PACKAGE} made no row from the {(y == label).sum()} of a "
                    "class. Choose another variant, or other parameters."
                )
            other = labels[labels != label][0]
            parts.append((made.origin, made.rows, np.where(made.is_rare, label, other)))
        origins, rows, labelled = zip(*parts, strict=True)
        self.sample_indices_ = np.concatenate(origins)
        resampled = np.concatenate(rows).astype(X.dtype, copy=False)
        real = self.sample_indices_ >= 0
        resampled[real] = X[self.sample_indices_[real]]
        return resampled, np.concatenate(labelled).astype(y.dtype, copy=False)

    def _oversample(
        self, found: type, Z: FloatArray, is_rare: BoolArray, n_wanted: int, rng: Any
    ) -> _Output:
        """Oversample one class against the others."""
        n_missing = int((~is_rare).sum() - is_rare.sum())
        if n_missing <= 0:
            raise ValueError(
                f"{self.name} makes rows of a class that has fewer than all others together, but "
                f"one of {is_rare.sum()} among {len(Z)} rows is to grow. Lower sampling_strategy."
            )
        seed = int(rng.randint(2**31 - 1))
        given = {"random_state": seed, **self.parameters}
        if "proportion" in inspect.signature(found).parameters:
            # The product with n_missing is cut to a whole number.
            given["proportion"] = (n_wanted + 0.5) / n_missing
        try:
            with _apart(seed):
                rows, codes = found(**given).sample(Z.copy(), is_rare.astype(int))
        except Exception as error:
            raise ValueError(
                f"{self.name} of {PACKAGE} fails on these data ({one_line(error)}). "
                "Choose another variant, or other parameters."
            ) from error
        rows = self._checked(np.asarray(rows, dtype=float), Z.shape[1])
        output = _compare(rows, np.asarray(codes) == 1, Z, is_rare)
        if not output.n_original:
            raise ValueError(
                f"{self.name} of {PACKAGE} returns no original row, as if it mapped them into "
                "another space. Choose another variant."
            )
        return output

    def _checked(self, rows: FloatArray, n_columns: int) -> FloatArray:
        """Refuse rows that no model can be trained on."""
        if rows.ndim != 2 or rows.shape[1] != n_columns:
            fault = f"returns rows of shape {rows.shape[1:]} instead of {(n_columns,)}"
        elif not np.isfinite(rows).all():
            fault = "returns values that are not finite"
        else:
            return rows
        raise ValueError(f"{self.name} of {PACKAGE} {fault}. Choose another variant.")


@dataclass(frozen=True)
class _Output:
    """What became of two classes: original rows, of which each is there once, before added ones."""

    origin: IntArray
    rows: FloatArray
    is_rare: BoolArray
    n_original: int

    def _part(self, places: IntArray, n_original: int) -> _Output:
        return _Output(self.origin[places], self.rows[places], self.is_rare[places], n_original)

    @property
    def _added(self) -> IntArray:
        """Where the rows are that were added to the rare class."""
        return self.n_original + np.flatnonzero(self.is_rare[self.n_original :])

    @property
    def added_rare(self) -> _Output:
        return self._part(self._added, 0)

    def is_idle(self, was_rare: BoolArray) -> bool:
        """Tell whether nothing was added, left out or relabelled."""
        n_before = len(was_rare) if self.n_original else 0
        changed = self.n_original != n_before or not np.array_equal(
            self.is_rare[: self.n_original], was_rare[:n_before]
        )
        return len(self.rows) == self.n_original and not changed

    def with_at_most(self, n_wanted: int, rng: Any) -> _Output:
        """Leave out what was added beyond a number, at random."""
        n_beyond = len(self._added) - n_wanted
        if n_beyond <= 0:
            return self
        left_out = rng.choice(self._added, n_beyond, replace=False)
        return self._part(np.delete(np.arange(len(self.rows)), left_out), self.n_original)


def _compare(rows: FloatArray, is_rare: BoolArray, Z: FloatArray, was_rare: BoolArray) -> _Output:
    """Find the original row that each row is, whatever was moved, left out or relabelled."""
    # Some scale the columns and scale them back, which changes the last bits.
    step = ROUNDING * np.maximum(Z.std(axis=0), np.abs(Z).max(axis=0) * ROUNDING)
    step[step == 0] = 1.0
    waiting: defaultdict[tuple[bytes, bool], deque[int]] = defaultdict(deque)
    known: dict[bytes, int] = {}
    for number, (key, rare) in enumerate(zip(_keys(Z, step), was_rare.tolist(), strict=True)):
        waiting[key, rare].append(number)
        known.setdefault(key, number)
    origin = np.full(len(rows), -1, dtype=np.intp)
    is_first = np.zeros(len(rows), dtype=bool)
    for place, (key, rare) in enumerate(zip(_keys(rows, step), is_rare.tolist(), strict=True)):
        queue = waiting.get((key, rare)) or waiting.get((key, not rare))
        is_first[place] = bool(queue)
        origin[place] = queue.popleft() if queue else known.get(key, -1)
    first, added = np.flatnonzero(is_first), np.flatnonzero(~is_first)
    order = np.concatenate([first[np.argsort(origin[first])], added])
    return _Output(origin[order], rows[order], is_rare[order], len(first))


def _keys(rows: FloatArray, step: FloatArray) -> Iterator[bytes]:
    # No negative zero: it has bytes of its own.
    return (row.tobytes() for row in np.rint(rows / step) + 0.0)


def _find(name: str, parameters: dict[str, Any]) -> type:
    """Import an oversampler and check the names of its parameters."""
    try:
        # Some of its modules draw from the global random state when they are imported.
        with _apart(0):
            package = importlib.import_module(PACKAGE)
    except ImportError as error:
        raise ImportError(
            f"SmoteVariant needs the package {PACKAGE}, which cannot be imported ({error}). "
            "Install it: pip install 'autoimb[variants]'."
        ) from error
    classes: dict[str, type] = {c.__name__: c for c in package.get_all_oversamplers()}
    if name not in classes:
        raise ValueError(f"{PACKAGE} has no oversampler '{name}'; {nearest_name(name, classes)}")
    # It takes any keyword, and leaves out what it does not know.
    named = [
        key
        for key, parameter in inspect.signature(classes[name]).parameters.items()
        if key not in SET_HERE and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    for key in parameters:
        if key not in named:
            raise ValueError(f"{name} has no parameter '{key}'; {nearest_name(key, named)}")
    return classes[name]


@contextmanager
def _apart(seed: int) -> Iterator[None]:
    """Silence the package, and give it global random states of its own."""
    logger = logging.getLogger(PACKAGE)
    was_disabled, drawn, drawn_here = logger.disabled, np.random.get_state(), random.getstate()
    try:
        logger.disabled = True
        np.random.seed(seed)
        random.seed(seed)
        yield
    finally:
        logger.disabled = was_disabled
        np.random.set_state(drawn)
        random.setstate(drawn_here)
