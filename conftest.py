"""Doctests of what is trained by PyTorch run where it is installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["autoimb/strategy/deep"]
