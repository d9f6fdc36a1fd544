"""Hide the user's main module from a child."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["main_hidden"]

_hiding = threading.RLock()


@contextmanager
def main_hidden() -> Iterator[None]:
    """Have a child that is described inside not import the main module of this process."""
    with _hiding:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
