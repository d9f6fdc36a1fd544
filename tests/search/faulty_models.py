"""Classifiers that fail in every way that a search has to survive."""

from __future__ import annotations

import ctypes
import json
import math
import os
import resource
import signal
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Steady(ClassifierMixin, BaseEstimator):
    """Predict from the first column; nothing goes wrong."""

    def __init__(self, slope: float = 1.0) -> None:
        self.slope = slope

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-self.slope * X[:, 0]))
        return np.column_stack([1 - p, p])


class Blurred(Steady):
    """Predict what other slopes predict too, but for some noise."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(int(self.slope * 1000))
        return super().predict_proba(X + rng.normal(0, 0.3, size=X.shape))


class Opposite(Blurred):
    """Predict the opposite."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return super().predict_proba(X)[:, ::-1]


class Raising(Steady):
    """Fail with a message of several lines."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        raise ValueError("out of\n   luck")


class Awkward(Exception):
    """An error that can be pickled but not unpickled."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


class RaisingAwkwardly(Steady):
    """Fail with an error that does not survive the way out of a worker."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        raise Awkward("fit", "out of luck")


class Sleeping(Steady):
    """Take far longer than any test may."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        time.sleep(60)
        return super().fit(X, y)


class Slow(Steady):
    """Take a moment."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        time.sleep(0.1)
        return super().fit(X, y)


class Dying(Steady):
    """Take the whole process along, as one that runs out of memory does."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        os._exit(3)


class Unsure(Steady):
    """Predict what is no probability."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.full((len(X), 2), np.nan)


class Interrupted(Steady):
    """Meet a user who presses Ctrl-C in a certain call."""

    calls = 0
    last_call = 5

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        type(self).calls += 1
        if self.calls == self.last_call:
            raise KeyboardInterrupt
        return super().fit(X, y)


class Tilted(ClassifierMixin, BaseEstimator):
    """Predict from a direction in the plane of two columns, and note every fit in a file."""

    def __init__(self, angle: float = 0.0, seconds: float = 0.0, notes: str = "") -> None:
        self.angle = angle
        self.seconds = seconds
        self.notes = notes

    def fit(self, X: np.ndarray, y: np.ndarray) -> Tilted:
        if self.notes:
            rows = zlib.crc32(np.ascontiguousarray(X).tobytes())
            note = {"pid": os.getpid(), "angle": self.angle, "rows": rows, "n": len(X)}
            with Path(self.notes).open("a") as file:
                file.write(f"{json.dumps(note)}\n")
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-math.cos(self.angle) * X[:, 0] - math.sin(self.angle) * X[:, 1]))
        return np.column_stack([1 - p, p])


class Lingering(Tilted):
    """Take long to train on all rows, of which there are `many`, and no time on other numbers."""

    def __init__(
        self, angle: float = 0.0, seconds: float = 0.0, notes: str = "", many: int = 1
    ) -> None:
        super().__init__(angle, seconds, notes)
        self.many = many

    def fit(self, X: np.ndarray, y: np.ndarray) -> Lingering:
        super().fit(X, y)
        if len(X) == self.many:
            time.sleep(60)
        return self


class Waiting(Tilted):
    """Wait, the first time that any process fits it, to be killed."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Waiting:
        is_first = not Path(self.notes).exists()
        super().fit(X, y)
        time.sleep(60 if is_first else 0)
        return self


class Stuck(Tilted):
    """Hang in native code that lets no other Python code run."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Stuck:
        super().fit(X, y)
        ctypes.PyDLL(None).sleep(60)
        return self


class Confiding(Steady):
    """Tell what the process that it is trained in has of its parent's."""

    def __init__(self, slope: float = 1.0, notes: str = "", variable: str = "") -> None:
        super().__init__(slope)
        self.notes = notes
        self.variable = variable

    def fit(self, X: np.ndarray, y: np.ndarray) -> Confiding:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        found = {
            "variable": os.environ.get(self.variable),
            "hears_interrupts": signal.SIGINT not in blocked and not ignored,
            "main": hasattr(sys.modules["__main__"], "__file__"),
        }
        with Path(self.notes).open("a") as file:
            file.write(json.dumps(found) + "\n")
        super().fit(X, y)
        return self


class Hungry(Steady):
    """Ask for more memory than a worker may take."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Hungry:
        np.empty(3 * 2**30, dtype=np.uint8)
        return super().fit(X, y)


class Leaving(Steady):
    """End the whole process, as if nothing were wrong."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        os._exit(0)


class Exiting(Steady):
    """Ask for the end of the process as a script does."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        raise SystemExit(2)


class Aborting(Steady):
    """Crash as native code does."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Aborting:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.abort()


class Beyond(Steady):
    """Predict more than is possible."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.tile([-0.5, 1.5], (len(X), 1))


class Scribbling(Steady):
    """Change the rows that it is trained on."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Scribbling:
        X *= -1
        return super().fit(X, y)


class OneSided:
    """A sampler that leaves one class only."""

    def fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return X[y == 0], y[y == 0]
