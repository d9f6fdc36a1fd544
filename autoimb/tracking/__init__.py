"""What a fit leaves in MLflow: a parent run, a child for each trial, and the model.

Names are imported when they are first used: whoever reads runs back waits for nothing that fits.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoimb.tracking.store import default_tracking_uri
    from autoimb.tracking.tracker import Tracker, open_tracker

__all__ = ["Tracker", "default_tracking_uri", "open_tracker"]

_HOMES = {
    "Tracker": "autoimb.tracking.tracker",
    "default_tracking_uri": "autoimb.tracking.store",
    "open_tracker": "autoimb.tracking.tracker",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autoimb.tracking' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
