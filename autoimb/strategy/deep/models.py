"""A multilayer perceptron for rare classes, which predicts without PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.prevalence import match_prevalence
from autoimb.strategy.deep.networks import LEAK, Adam, Network, Standard, training
from autoimb.strategy.models.losses import Margins, to_one
from autoimb.strategy.weights import effective_number_weights

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["DeepMLP"]

LOSSES = ("balanced_softmax", "ldam", "cross_entropy")
# Of the training rows, what says when to stop; where a class has fewer than so many rows there, it
# would say little.
HELD_OUT, MIN_HELD_OUT = 0.15, 3
# How often it is asked, and how often it may say in a row that nothing got better.
N_CHECKS, PATIENCE = 40, 8
MIN_BATCH, MAX_BATCH, BATCHES_A_PASS = 32, 1024, 16
# No vector is shorter: one of nothing but 0 has no direction.
TINY_LENGTH = 1e-12


class DeepMLP(ClassifierMixin, BaseEstimator):
    """A small multilayer perceptron with a loss for rare classes.

    Trained by AdamW on all rows but a part of each class that tells when to stop; what is kept
    are the weights that did best there. Its probabilities are those of the natural prevalence.
    The weights are kept as arrays, so that predicting takes no PyTorch.

    Parameters
    ----------
    loss : {"balanced_softmax", "ldam", "cross_entropy"}
        "balanced_softmax" adds the logarithm of the prior to the scores (Ren et al. 2020, eq. 4),
        in training and, for the natural prevalence, in predicting: the network learns
        what the classes would be if they were equally frequent, and decay shrinks towards that.
        "ldam" is the margin loss on cosines, weighted late (Cao et al. 2019, eq. 13 and
        algorithm 1).
    hidden : int
        Units of each hidden layer.
    n_layers : int
        Hidden layers.
    learning_rate : float
        At the start; it falls linearly to 0.
    weight_decay : float
    n_steps : int
        At most; of a batch of a sixteenth of the rows, from 32 to 1024.
    max_margin : float
        Of "ldam": that of the rarest class, as a difference of cosines.
    scale : float
        Of "ldam": what cosines are multiplied by.
    beta : float
        Of "ldam": of the weights by the effective number of rows (Cui et al. 2019).
    deferred : float
        Of "ldam": share of the steps that are taken before rows are weighted.
    random_state : int, RandomState instance or None

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = (X[:, 0] + 0.5 * rng.normal(size=500) > 1.5).astype(int)
    >>> model = DeepMLP(n_steps=200, random_state=0).fit(X, y)
    >>> bool(model.predict_proba([[3.0, 0.0]])[0, 1] > 0.5)
    True
    """

    def __init__(
        self,
        loss: str = "balanced_softmax",
        *,
        hidden: int = 64,
        n_layers: int = 2,
        learning_rate: float = 3e-3,
        weight_decay: float = 1.0,
        n_steps: int = 800,
        max_margin: float = 0.5,
        scale: float = 10.0,
        beta: float = 0.999,
        deferred: float = 0.7,
        random_state: Any = None,
    ) -> None:
        self.loss = loss
        self.hidden = hidden
        self.n_layers = n_layers
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.n_steps = n_steps
        self.max_margin = max_margin
        self.scale = scale
        self.beta = beta
        self.deferred = deferred
        self.random_state = random_state

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> DeepMLP:
        """Train the network.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Without gaps.
        y : ndarray of shape (n_samples,)
        sample_weight : ndarray of shape (n_samples,), optional
            Is divided out of the probabilities by "ldam" alone.

        Returns
        -------
        DeepMLP

        Raises
        ------
        ValueError
            If the loss is not known, or there is one class only.
        """
        if self.loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, but is {self.loss!r}")
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("a classifier needs rows of two classes or more")
        given = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight)
        given = given / given.mean()
        self.standard_ = Standard.of(X)
        sizes = np.bincount(codes)
        shares = np.bincount(codes, given) / given.sum()
        self.offset_ = np.log(shares) * (self.loss == "balanced_softmax")
        self.margins_ = self.scale * self.max_margin * (sizes / sizes.min()) ** -0.25
        rng = check_random_state(self.random_state)
        learnt, held = _hold_out(codes, rng)
        self._train(self.standard_.apply(X), codes, given, learnt, held, rng)
        self.divisors_ = np.ones(len(sizes))
        if self.loss == "ldam":
            # Weights that came late have not had their whole effect.
            judged = held if len(held) else learnt
            shares = np.bincount(codes[judged]) / len(judged)
            self.divisors_ = match_prevalence(self._posterior(X[judged]), shares)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        return to_one(self._posterior(X) / self.divisors_)

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _posterior(self, X: FloatArray) -> FloatArray:
        x = self.standard_.apply(np.asarray(X))
        *layers, matrix, offset, linear = self.weights_
        features = x
        for weights, start in zip(layers[::2], layers[1::2], strict=True):
            features = features @ weights + start
            features = np.maximum(features, LEAK * features)
        if self.loss == "ldam":
            lengths = np.linalg.norm(features, axis=1, keepdims=True)
            cosines = features @ matrix / np.maximum(lengths, TINY_LENGTH)
            cosines = cosines / np.maximum(np.linalg.norm(matrix, axis=0), TINY_LENGTH)
            return Margins(self.margins_).posterior(self.scale * cosines.astype(float))
        scores = (features @ matrix + x @ linear + offset).astype(float)
        return np.asarray(softmax(scores + self.offset_, axis=1))

    def _train(
        self, Z: FloatArray, codes: IntArray, given: FloatArray, learnt: IntArray, held: IntArray,
        rng: Any,
    ) -> None:  # fmt: skip
        import torch

        sizes = np.bincount(codes)
        with training(rng) as generator:
            layers = [self.hidden] * self.n_layers
            network = Network((Z.shape[1], *layers, len(sizes)), generator)
            loss = _Loss(self, network, sizes)
            # cosines take neither an offset nor a linear map
            weights = network.weights[:-2] if self.loss == "ldam" else network.weights
            adam = Adam(weights, self.n_steps, self.learning_rate, decay=self.weight_decay)
            arrays = (Z, codes, given.astype(np.float32))
            rows = _Rows(*(torch.from_numpy(array[learnt]) for array in arrays))
            checked = _Rows(*(torch.from_numpy(array[held]) for array in arrays))
            late = round(self.deferred * self.n_steps) if self.loss == "ldam" else 0
            _descend(adam, loss, rows, checked, late, generator)
        self.weights_ = [weight.detach().numpy().copy() for weight in network.weights]


class _Rows(NamedTuple):
    """Rows, codes of their classes, and weights."""

    x: Tensor
    y: Tensor
    weight: Tensor

    def take(self, places: Tensor) -> _Rows:
        return _Rows(*(each[places] for each in self))


class _Loss:
    """The loss of rows, as a number to descend from; of "ldam" weighted by class when late."""

    def __init__(self, model: DeepMLP, network: Network, sizes: IntArray) -> None:
        import torch

        self.network = network
        self.scale = model.scale if model.loss == "ldam" else None
        self.offset = torch.from_numpy(model.offset_.astype(np.float32))
        self.margins = torch.from_numpy(np.diag(model.margins_).astype(np.float32))
        of_class = effective_number_weights(sizes, model.beta).astype(np.float32)
        self.of_class = torch.from_numpy(of_class)

    def __call__(self, rows: _Rows, late: bool) -> Tensor:
        from torch.nn.functional import cross_entropy, normalize

        weight = rows.weight
        if self.scale is None:
            scores = self.network(rows.x) + self.offset
        else:
            features = normalize(self.network.features(rows.x), dim=1)
            cosines = features @ normalize(self.network.weights[-3], dim=0)
            scores = self.scale * cosines - self.margins[rows.y]
            weight = weight * self.of_class[rows.y] if late else weight
        return (cross_entropy(scores, rows.y, reduction="none") * weight).mean()


def _descend(
    adam: Adam, loss: _Loss, rows: _Rows, checked: _Rows, late: int, generator: Generator
) -> None:
    """Go down the loss of rows until that of those held out has not fallen for a while."""
    import torch

    every = max(adam.n_steps // N_CHECKS, 1)
    least, best, n_in_vain = np.inf, None, 0
    for step, places in zip(range(adam.n_steps), _batches(len(rows.y), generator), strict=False):
        adam.step(loss(rows.take(places), step >= late))
        # Before weights count, the loss is another one.
        if not len(checked.y) or step < late or step % every:
            continue
        with torch.no_grad():
            value = float(loss(checked, True))
        if value < least:
            least, best, n_in_vain = value, adam.vector.clone(), 0
            continue
        n_in_vain += 1
        if n_in_vain == PATIENCE:
            break
    if best is not None:
        adam.vector.copy_(best)


def _batches(n_rows: int, generator: Generator) -> Iterator[Tensor]:
    """Deal rows into batches, again and again."""
    import torch

    size = min(int(np.clip(n_rows // BATCHES_A_PASS, MIN_BATCH, MAX_BATCH)), n_rows)
    while True:
        order = torch.randperm(n_rows, generator=generator, device=generator.device)
        yield from torch.split(order[: n_rows // size * size], size)


def _hold_out(codes: IntArray, rng: Any) -> tuple[IntArray, IntArray]:
    """Set a part of every class aside, or nothing where that would be too few rows."""
    places = np.arange(len(codes))
    if np.bincount(codes).min() * HELD_OUT < MIN_HELD_OUT:
        return places, places[:0]
    learnt, held = train_test_split(
        places, test_size=HELD_OUT, stratify=codes, random_state=rng.randint(2**31 - 1)
    )
    return learnt, held
