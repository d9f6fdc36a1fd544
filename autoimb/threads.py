"""Threads of the numerical libraries, held to a number."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["limit_threads"]


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
