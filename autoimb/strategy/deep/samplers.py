"""Oversamplers that are neural networks, in imbalanced-learn's manner.

Each trains one small network on the rows of all classes, told the class of each, with as many
rows of every class in a batch; then it draws rows of the classes that are to grow. Columns are put
on one scale before, and no row is drawn beyond what a column holds.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler

from autoimb.arrays import FloatArray, IntArray
from autoimb.strategy.deep.generators import (
    Draw,
    train_adversaries,
    train_denoiser,
    train_variational,
)
from autoimb.strategy.deep.networks import RowsByClass, Standard, training

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "DenoisingAutoencoderSampler",
    "GenerativeAdversarialSampler",
    "VariationalAutoencoderSampler",
]

SOURCES = ("posterior", "prior")


class _NeuralSampler(BaseOverSampler):
    """Train a network on all rows, and have it draw."""

    random_state: Any
    _parameter_constraints: ClassVar[dict[str, Any]] = {**BaseOverSampler._parameter_constraints}

    @abstractmethod
    def _train(self, rows: RowsByClass) -> Draw: ...

    def _fit_resample(self, X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
        wanted = {label: n for label, n in self.sampling_strategy_.items() if n}
        if not wanted:
            return X.copy(), y.copy()
        import torch

        labels, codes = np.unique(y, return_inverse=True)
        standard = Standard.of(X)
        with training(self.random_state) as generator:
            draw = self._train(RowsByClass(standard.apply(X), codes, generator))
            with torch.no_grad():
                drawn = [draw(int(np.searchsorted(labels, k)), n) for k, n in wanted.items()]
        made = [_read(rows, standard, X) for rows in drawn]
        added = [np.full(n, label, dtype=y.dtype) for label, n in wanted.items()]
        return np.concatenate([X, *made]), np.concatenate([y, *added])


def _read(drawn: Tensor, standard: Standard, X: FloatArray) -> FloatArray:
    rows = standard.undo(drawn.numpy())
    return np.asarray(np.clip(rows, X.min(axis=0), X.max(axis=0)), dtype=X.dtype)


class DenoisingAutoencoderSampler(_NeuralSampler):
    """Make rows of a rare class by making its rows noisy, and finding rows from that.

    A denoising autoencoder (Vincent, Larochelle, Bengio and Manzagol 2008; with Gaussian noise
    2010) leads noisy rows back to where rows are. With the error that it makes, what it finds is
    distributed as the rows of the class are (Bengio, Yao, Alain and Vincent 2013).

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable
        As of every oversampler.
    noise : float
        Standard deviation, where that of a column is 1: how far rows are from their original.
    hidden : int
        Units of either hidden layer.
    n_steps : int
        Of training, 128 rows each.
    random_state : int, RandomState instance or None

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(0, 1, (90, 2)), rng.normal(4, 1, (10, 2))])
    >>> y = np.repeat([0, 1], [90, 10])
    >>> sampler = DenoisingAutoencoderSampler(n_steps=50, random_state=0)
    >>> X_more, y_more = sampler.fit_resample(X, y)
    >>> np.bincount(y_more)
    array([90, 90])
    """

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        noise: float = 0.3,
        hidden: int = 64,
        n_steps: int = 500,
        random_state: Any = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.noise = noise
        self.hidden = hidden
        self.n_steps = n_steps
        self.random_state = random_state

    def _train(self, rows: RowsByClass) -> Draw:
        return train_denoiser(rows, noise=self.noise, hidden=self.hidden, n_steps=self.n_steps)


class VariationalAutoencoderSampler(_NeuralSampler):
    """Make rows of a rare class by decoding random latent numbers.

    A variational autoencoder (Kingma and Welling 2014) that is told the class (Sohn, Lee and Yan
    2015) and learns how wide each column is spread around what it decodes.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable
        As of every oversampler.
    source : {"posterior", "prior"}
        Latent numbers are drawn near those of rows of the class, or from the normal distribution
        that these are trained to have.
    latent_dim : int
        Latent numbers of a row.
    hidden : int
        Units of every hidden layer, two of the encoder and two of the decoder.
    n_steps : int
        Of training, 128 rows each.
    random_state : int, RandomState instance or None

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(0, 1, (90, 2)), rng.normal(4, 1, (10, 2))])
    >>> y = np.repeat([0, 1], [90, 10])
    >>> sampler = VariationalAutoencoderSampler(n_steps=50, random_state=0)
    >>> X_more, y_more = sampler.fit_resample(X, y)
    >>> np.bincount(y_more)
    array([90, 90])
    """

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        source: str = "posterior",
        latent_dim: int = 8,
        hidden: int = 64,
        n_steps: int = 500,
        random_state: Any = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.source = source
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.n_steps = n_steps
        self.random_state = random_state

    def _train(self, rows: RowsByClass) -> Draw:
        if self.source not in SOURCES:
            raise ValueError(f"source must be one of {', '.join(SOURCES)}, but is {self.source!r}")
        return train_variational(
            rows, source=self.source, latent_dim=self.latent_dim, hidden=self.hidden,
            n_steps=self.n_steps,
        )  # fmt: skip


class GenerativeAdversarialSampler(_NeuralSampler):
    """Make rows of a rare class with a generator that was trained against a critic.

    A generative adversarial network (Goodfellow et al. 2014) whose networks are told the class
    (Mirza and Osindero 2014); the critic measures the Wasserstein distance, its slope penalised
    (Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville 2017). Rows are drawn with the mean of the
    generator's latest weights.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable
        As of every oversampler.
    latent_dim : int
        Random numbers that a row is made of.
    n_critic : int
        Steps of the critic for one of the generator.
    hidden : int
        Units of every hidden layer, two of the generator and two of the critic.
    n_steps : int
        Of the generator, 64 rows each.
    random_state : int, RandomState instance or None

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(0, 1, (90, 2)), rng.normal(4, 1, (10, 2))])
    >>> y = np.repeat([0, 1], [90, 10])
    >>> sampler = GenerativeAdversarialSampler(n_steps=50, random_state=0)
    >>> X_more, y_more = sampler.fit_resample(X, y)
    >>> np.bincount(y_more)
    array([90, 90])
    """

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        latent_dim: int = 16,
        n_critic: int = 1,
        hidden: int = 64,
        n_steps: int = 400,
        random_state: Any = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.latent_dim = latent_dim
        self.n_critic = n_critic
        self.hidden = hidden
        self.n_steps = n_steps
        self.random_state = random_state

    def _train(self, rows: RowsByClass) -> Draw:
        return train_adversaries(
            rows, latent_dim=self.latent_dim, n_critic=self.n_critic, hidden=self.hidden,
            n_steps=self.n_steps,
        )  # fmt: skip
