"""One fold of a cross-validation, with its encodings computed once for all trials and workers."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.strategy.encoding import Encoder
from autoimb.strategy.pipeline import RowSource, TrainedPipeline, TrainingPart, read_rows

__all__ = ["Fold", "SharedArrays"]

# Larger arrays are computed anew instead of kept: there a fit takes much longer than an encoding.
MAX_SHARED_BYTES = 2**25

Computed = tuple[Any, FloatArray]


class SharedArrays:
    """Arrays that whichever process needs them first computes for all.

    Parameters
    ----------
    folder : Path or None
        Where they are kept; None computes whenever asked.

    Examples
    --------
    >>> SharedArrays(None).recall("ones", lambda: ("about", np.ones(2)))
    ('about', array([1., 1.]))
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def recall(self, name: str, compute: Callable[[], Computed]) -> Computed:
        """Return what `compute` returned to some process, or call it.

        Parameters
        ----------
        name : str
            As a file may be named.
        compute : callable
            Returns an object and an array.

        Returns
        -------
        tuple of object and ndarray
            The array is read-only if it was computed before.
        """
        if self.folder is None:
            return compute()
        array, rest = self.folder / f"{name}.npy", self.folder / f"{name}.pkl"
        if array.exists():
            return pickle.loads(rest.read_bytes()), np.load(array, mmap_mode="r")
        found = compute()
        if found[1].nbytes <= MAX_SHARED_BYTES:
            self._keep(rest, lambda file: pickle.dump(found[0], file))
            # Last, for its presence says that both are there.
            self._keep(array, lambda file: np.save(file, found[1]))
        return found

    def _keep(self, path: Path, write: Callable[[Any], None]) -> None:
        """Write a file that nobody sees unfinished; where there is no room it is done without."""
        own = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            with own.open("wb") as file:
                write(file)
            own.replace(path)
        except OSError:
            own.unlink(missing_ok=True)


class Fold(TrainingPart):
    """Rows to train on and rows to score, both encoded once for each kind of input.

    Parameters
    ----------
    part : TrainingPart
        Is trained on.
    X_scored : ndarray of shape (n_scored, n_features), or callable
        As the rows of a part.
    name : str
        Tells this fold from others.
    shared : SharedArrays
    """

    def __init__(
        self, part: TrainingPart, X_scored: RowSource, name: str, shared: SharedArrays
    ) -> None:
        super().__init__(part.X, part.y, part.n_levels, part.n_classes, part.seed, part.rates)
        self.X_scored = X_scored
        self.y.setflags(write=False)
        self.name = name
        self.shared = shared
        self._scored: dict[str, FloatArray] = {}

    def encode(self, kind: str) -> tuple[Encoder, FloatArray]:
        """Encode the rows to train on, or recall how some process did."""
        own = super().encode
        if kind == "raw":
            encoder, Z = own(kind)
        else:
            encoder, Z = self.shared.recall(f"{self.name}-{kind}", lambda: own(kind))
        # A model that writes into its rows fails alone, instead of changing those of the others.
        Z.setflags(write=False)
        return encoder, Z

    def predict_proba(self, pipeline: TrainedPipeline) -> FloatArray:
        """Predict the rows to score by a pipeline that was trained on this fold.

        Parameters
        ----------
        pipeline : TrainedPipeline

        Returns
        -------
        ndarray of shape (n_scored, n_classes)
        """
        return pipeline.predict_encoded(self._scored_by(pipeline.encoder))

    def _scored_by(self, encoder: Encoder) -> FloatArray:
        """Return the encoded rows to score."""
        if callable(self.X_scored):
            return self._encode_scored(encoder)
        if encoder.input not in self._scored:
            self._scored[encoder.input] = self._encode_scored(encoder)
            self._scored[encoder.input].setflags(write=False)
        return self._scored[encoder.input]

    def _encode_scored(self, encoder: Encoder) -> FloatArray:
        if encoder.input == "raw":
            return read_rows(self.X_scored)
        name = f"{self.name}-{encoder.input}-scored"
        return self.shared.recall(
            name, lambda: (None, encoder.transform(read_rows(self.X_scored)))
        )[1]
