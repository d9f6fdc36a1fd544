"""autoimb picks an imbalance strategy: sampler, weights, model and threshold.

Names are imported when they are first used, so that the command line starts at once.

Examples
--------
>>> import autoimb
>>> sorted(name for name in dir(autoimb) if not name.startswith("_"))
['AutoImbClassifier', 'Capacity', 'CostMatrix', 'Costs', 'FixedThreshold', 'Floor', \
'check_leaks', 'evaluate', 'fit', 'load', 'profile', 'retarget', 'retune', 'runs', 'save']
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "AutoImbClassifier": "autoimb.classifier",
    "Capacity": "autoimb.decision.capacity",
    "CostMatrix": "autoimb.decision.costs",
    "Costs": "autoimb.decision.costs",
    "FixedThreshold": "autoimb.decision.fixed",
    "Floor": "autoimb.decision.floors",
    "check_leaks": "autoimb.leaks.checking",
    "evaluate": "autoimb.running",
    "fit": "autoimb.running",
    "load": "autoimb.artifact",
    "profile": "autoimb.running",
    "retarget": "autoimb.retuning",
    "retune": "autoimb.retuning",
    "runs": "autoimb.tracking.history",
    "save": "autoimb.artifact",
}
__all__ = [
    "AutoImbClassifier", "Capacity", "CostMatrix", "Costs", "FixedThreshold", "Floor",
    "check_leaks", "evaluate", "fit", "load", "profile", "retarget", "retune", "runs", "save",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autoimb' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
