"""What workers need: importing this imports it, once for all, where they are forked from."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module

__all__ = ["LIBRARIES"]

# What most trials need: more would only make the first one wait.
LIBRARIES = ("lightgbm", "autoimb.search.executors", "sklearn.linear_model", "sklearn.ensemble")


def _begin_server() -> None:
    """Lose the output, as what libraries print is no result; look for modules as a script does."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    # Python looks in the current folder first where it was given a command.
    sys.path[:] = [place for place in sys.path if place]


if any("multiprocessing.forkserver" in argument for argument in sys.orig_argv):
    _begin_server()
for _name in LIBRARIES:
    # One that is missing or broken is an error of the trials that use it.
    with suppress(Exception):
        import_module(_name)
