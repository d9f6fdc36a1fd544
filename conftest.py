"""Doctests of what is trained by PyTorch run where it is installed; nothing opens a window."""

import os
from importlib.util import find_spec

os.environ.setdefault("MPLBACKEND", "Agg")

collect_ignore = [] if find_spec("torch") else ["autoimb/strategy/deep"]
