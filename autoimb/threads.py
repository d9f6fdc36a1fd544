"""Threads of the numerical libraries."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

import joblib
from threadpoolctl import ThreadpoolController

__all__ = ["in_threads", "limit_threads"]


def in_threads() -> AbstractContextManager[Any]:
    """Have what joblib runs in parallel run in threads, for a `with` block.

    Its processes take seconds to start and a copy of the rows each, stay after a worker that is
    killed, and are no faster for the trees that use them.

    Examples
    --------
    >>> with in_threads():
    ...     joblib.Parallel(2)(joblib.delayed(abs)(number) for number in (-1, 1))
    [1, 1]
    """
    found: AbstractContextManager[Any] = joblib.parallel_config(backend="threading")
    return found


def limit_threads(n_threads: int, kind: str | None = None) -> AbstractContextManager[Any]:
    """Hold the libraries that are loaded to so many threads, for a `with` block.

    Parameters
    ----------
    n_threads : int
    kind : {"blas", "openmp"}, optional
        By default both.

    Examples
    --------
    >>> with limit_threads(1):
    ...     pass
    """
    found: AbstractContextManager[Any] = _loaded(len(sys.modules)).limit(
        limits=n_threads, user_api=kind
    )
    return found


@lru_cache(maxsize=1)
def _loaded(n_modules: int) -> ThreadpoolController:
    """Find the libraries, which takes milliseconds: again only after something was imported."""
    return ThreadpoolController()
