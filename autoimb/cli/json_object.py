"""What commands tell a program: one JSON object on stdout."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any

import typer

__all__ = ["AsJson", "print_object"]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def print_object(told: Mapping[str, Any]) -> None:
    """Print an object in one line; what JSON has no number for is null.

    Parameters
    ----------
    told : mapping of str to object
        Values that JSON does not know are written as their text.

    Examples
    --------
    >>> print_object({"score": float("nan"), "folds": (1, 2)})
    {"score": null, "folds": [1, 2]}
    """
    print(json.dumps(_finite(told), default=str, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value
