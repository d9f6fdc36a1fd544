"""What a figure shows, as plain values that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["as_plain"]


def as_plain(value: Any) -> Any:
    """Turn dataclasses, arrays and what they hold into what JSON can hold.

    Parameters
    ----------
    value : object
        A dataclass gives the fields that it was made of, without what it has drawn since.

    Returns
    -------
    object
        What is not finite is None; what is of no known kind its text.

    Examples
    --------
    >>> as_plain({"a": np.array([0.5, np.inf]), 1: (True, None)})
    {'a': [0.5, None], '1': [True, None]}
    """
    if is_dataclass(value):
        return {f.name: as_plain(getattr(value, f.name)) for f in fields(value) if f.init}
    if isinstance(value, Mapping):
        return {str(name): as_plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return as_plain(value.tolist())
    if isinstance(value, list | tuple):
        return [as_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
