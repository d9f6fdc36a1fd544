"""Names for the arrays that every floor speaks of, and how large ones are held and let go."""

from __future__ import annotations

import ctypes
import mmap
import tempfile
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnyArray", "BoolArray", "FloatArray", "IntArray", "keep_on_disk", "release_memory"]

AnyArray: TypeAlias = NDArray[Any]
BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]

# Smaller arrays stay where they are.
MIN_BYTES = 2**26


def keep_on_disk(X: FloatArray) -> FloatArray:
    """Move a large array into a file without a name, of which memory holds what is looked at.

    Parameters
    ----------
    X : ndarray

    Returns
    -------
    ndarray
        Equal to `X`, and read-only if it was moved; `X` itself if it is small, or the disk has no
        room for it.

    Examples
    --------
    >>> X = np.ones((2, 3))
    >>> keep_on_disk(X) is X
    True
    """
    if X.nbytes < MIN_BYTES:
        return X
    try:
        with tempfile.TemporaryFile(prefix="autoimb-") as file:
            X.tofile(file)
            file.flush()
            mapped = mmap.mmap(file.fileno(), X.nbytes, access=mmap.ACCESS_READ)
    except OSError:
        return X
    return np.frombuffer(mapped, dtype=X.dtype).reshape(X.shape)


def release_memory(*arrays: AnyArray) -> None:
    """Give memory back to the system that is not needed at present.

    Parameters
    ----------
    *arrays : ndarray
        Of those that are kept on disk nothing stays in memory until they are looked at again.
        What other arrays have left goes back in any case, where the C library keeps it.
    """
    for array in arrays:
        mapped = _file_of(array)
        if mapped is not None and hasattr(mapped, "madvise"):
            mapped.madvise(mmap.MADV_DONTNEED)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _file_of(array: AnyArray) -> mmap.mmap | None:
    """Find what an array is a view of, if that is a file."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    return base if isinstance(base, mmap.mmap) else None
