"""Small networks on one thread, which leave PyTorch's own state as they found it.

PyTorch is imported when a network is trained and not before: it takes seconds, is an extra, and
what was trained predicts without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from autoimb.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["LEAK", "Adam", "Network", "RowsByClass", "Standard", "normal", "training"]

# What a unit lets through below 0, so that none dies.
LEAK = 0.1
# What the weights of an output begin with, as a part of those of other layers.
NEAR_0 = 0.1
# As Kingma and Ba 2015 have them.
SECOND_DECAY, TINY = 0.999, 1e-8
# The number of threads is one of the whole process.
_ONE_AT_A_TIME = Lock()


@contextmanager
def training(random_state: Any) -> Iterator[Generator]:
    """Train on one thread, for a `with` block.

    One thread gives one result on any number of cores, and is the fastest for networks so small.

    Parameters
    ----------
    random_state : int, RandomState instance or None

    Yields
    ------
    torch.Generator
        All randomness comes from it; that of PyTorch itself is not touched.
    """
    import torch

    seed = int(check_random_state(random_state).randint(2**31 - 1))
    with _ONE_AT_A_TIME:
        n_threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.enable_grad():
                yield torch.Generator().manual_seed(seed)
        finally:
            torch.set_num_threads(n_threads)


def normal(n_rows: int, n_columns: int, generator: Generator) -> Tensor:
    """Draw standard normal numbers of shape (n_rows, n_columns), whatever the user's defaults."""
    import torch

    return torch.randn(
        n_rows, n_columns, generator=generator, dtype=torch.float32, device=generator.device
    )


class Network:
    """A multilayer perceptron beside a linear map of its input.

    The linear map, as of a residual network, finds in some steps what is linear in the data; the
    output begins near 0, so that nothing has to be unlearnt.

    Parameters
    ----------
    sizes : sequence of int
        Of the input, of each hidden layer and of the output.
    generator : torch.Generator
        For the weights at the start (He, Zhang, Ren and Sun 2015).

    Attributes
    ----------
    weights : list of Tensor
        Matrix and offset of each layer, then the linear map.
    """

    def __init__(self, sizes: Sequence[int], generator: Generator) -> None:
        layers = [*pairwise(sizes), (sizes[0], sizes[-1])]
        scales = [1.0] * (len(layers) - 2) + [NEAR_0, NEAR_0]
        self.weights: list[Tensor] = []
        for (n_in, n_out), scale in zip(layers, scales, strict=True):
            matrix = normal(n_in, n_out, generator) * (scale * (2 / n_in) ** 0.5)
            self.weights += [matrix.requires_grad_(), (matrix[0] * 0).detach().requires_grad_()]
        del self.weights[-1]

    def features(self, x: Tensor) -> Tensor:
        """Map rows of shape (n_rows, n_in) to the last hidden layer."""
        from torch.nn.functional import leaky_relu

        for place in range(0, len(self.weights) - 3, 2):
            x = leaky_relu(x @ self.weights[place] + self.weights[place + 1], LEAK)
        return x

    def __call__(self, x: Tensor) -> Tensor:
        """Map rows of shape (n_rows, n_in) to (n_rows, n_out)."""
        matrix, offset, linear = self.weights[-3:]
        return self.features(x) @ matrix + x @ linear + offset


class Adam:
    """Adam with decoupled decay (Loshchilov and Hutter 2019), whose rate falls linearly to 0.

    That of PyTorch imports its compiler, which takes as long as all the training here.

    Parameters
    ----------
    weights : sequence of Tensor
    n_steps : int
        After which the rate is 0.
    rate : float
        At the start.
    decay : float
    first_decay : float
        Of the mean gradient.

    Attributes
    ----------
    vector : Tensor
        All weights, in place.
    """

    def __init__(
        self,
        weights: Sequence[Tensor],
        n_steps: int,
        rate: float,
        *,
        decay: float = 0.0,
        first_decay: float = 0.9,
    ) -> None:
        import torch

        self.weights = list(weights)
        self.n_steps = n_steps
        self.rate = rate
        self.decay = decay
        self.first_decay = first_decay
        self.n_done = 0
        self.vector = torch.cat([w.detach().reshape(-1) for w in self.weights])
        parts = torch.split(self.vector, [w.numel() for w in self.weights])
        for w, part in zip(self.weights, parts, strict=True):
            w.data = part.view_as(w)
        self.mean = torch.zeros_like(self.vector)
        self.square = torch.zeros_like(self.vector)

    def step(self, loss: Tensor) -> None:
        """Go a step down the gradient of a loss."""
        import torch

        found = torch.autograd.grad(loss, self.weights)
        gradient = torch.cat([part.reshape(-1) for part in found])
        rate = self.rate * (1 - self.n_done / self.n_steps)
        self.n_done += 1
        self.mean.lerp_(gradient, 1 - self.first_decay)
        self.square.lerp_(gradient * gradient, 1 - SECOND_DECAY)
        unbiased = (self.square / (1 - SECOND_DECAY**self.n_done)).sqrt_().add_(TINY)
        size = rate / (1 - self.first_decay**self.n_done)
        self.vector.mul_(1 - rate * self.decay).addcdiv_(self.mean, unbiased, value=-size)


@dataclass(frozen=True)
class Standard:
    """Centre and width of each column, as training rows have them.

    Attributes
    ----------
    centre, width : ndarray of shape (n_features,)
    """

    centre: FloatArray
    width: FloatArray

    @classmethod
    def of(cls, X: FloatArray) -> Standard:
        """Measure rows.

        The width is the deviation, but at least a sixth of the extent, the normal one: a column
        that is rarely anything but 0 is not blown up.

        Examples
        --------
        >>> Standard.of(np.array([[0.0, 5.0], [12.0, 5.0]]))
        Standard(centre=array([6., 5.]), width=array([6., 1.]))
        """
        X = np.asarray(X, dtype=np.float64)
        width = np.maximum(X.std(axis=0), np.ptp(X, axis=0) / 6)
        return cls(X.mean(axis=0), np.where(width > 0, width, 1.0))

    def apply(self, X: FloatArray) -> FloatArray:
        """Put rows on the scale, in single precision."""
        return np.asarray((X - self.centre) / self.width, dtype=np.float32)

    def undo(self, Z: FloatArray) -> FloatArray:
        """Bring rows back from the scale."""
        return np.asarray(Z * self.width + self.centre)


class RowsByClass:
    """Rows to learn from, of which each class gives as many to a batch.

    A network that is told the class learns what all classes share from all rows, and what is of
    a rare class alone from its few.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        In single precision.
    codes : ndarray of shape (n_samples,)
        Every class from 0 on has a row.
    generator : torch.Generator

    Attributes
    ----------
    n_features, n_classes : int
    """

    def __init__(self, Z: FloatArray, codes: IntArray, generator: Generator) -> None:
        import torch

        sizes = np.bincount(codes)
        self.generator = generator
        self.n_features, self.n_classes = Z.shape[1], len(sizes)
        self.rows = torch.from_numpy(Z[np.argsort(codes, kind="stable")])
        self.sizes = torch.from_numpy(sizes)
        self.starts = torch.from_numpy(np.cumsum(sizes) - sizes)
        self.marks = torch.from_numpy(np.eye(len(sizes), dtype=np.float32))

    def batch(self, n_rows: int) -> tuple[Tensor, Tensor]:
        """Draw rows of any class, and the marks of their classes."""
        import torch

        of_class = torch.randint(
            self.n_classes, (n_rows,), generator=self.generator, device=self.generator.device
        )
        return self._draw(of_class)

    def of(self, code: int, n_rows: int) -> tuple[Tensor, Tensor]:
        """Draw rows of one class, with replacement, and their marks."""
        return self._draw(self.starts.new_full((n_rows,), code))

    def noise(self, n_rows: int, n_columns: int) -> Tensor:
        """Draw standard normal numbers."""
        return normal(n_rows, n_columns, self.generator)

    def _draw(self, of_class: Tensor) -> tuple[Tensor, Tensor]:
        import torch

        part = torch.rand(
            len(of_class), generator=self.generator, dtype=torch.float64,
            device=self.generator.device,
        )  # fmt: skip
        place = self.starts[of_class] + (part * self.sizes[of_class]).long()
        return self.rows[place], self.marks[of_class]
