"""What is shown of a past run, as short texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoimb.past_run import PastRun

__all__ = ["tell_decision", "tell_folder", "tell_headline", "tell_seconds", "tell_start"]

MINUTE, HOUR = 60, 3600


def tell_start(run: PastRun) -> str:
    """Say when a run began, by the clock of this machine."""
    return "" if run.started is None else f"{run.started.astimezone():%Y-%m-%d %H:%M}"


def tell_seconds(seconds: float | None) -> str:
    """Say how long something took.

    Examples
    --------
    >>> tell_seconds(4.2), tell_seconds(300), tell_seconds(5000)
    ('4 s', '5.0 min', '1.4 h')
    """
    if seconds is None:
        return ""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    minutes = f"{seconds / MINUTE:.1f} min"
    return minutes if seconds < HOUR else f"{seconds / HOUR:.1f} h"


def tell_headline(value: float | None, low: float | None, high: float | None) -> str:
    """Show a figure with its interval, as far as they are known.

    Examples
    --------
    >>> tell_headline(0.5, 0.41, 0.592), tell_headline(0.5, None, None)
    ('0.500 (0.410 to 0.592)', '0.500')
    """
    if value is None:
        return ""
    span = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f"{value:.3f}{span}"


def tell_decision(run: PastRun) -> str:
    """Say what the decision serves, and the threshold that it came to if it is one."""
    if run.decision_asked is None or run.threshold is None:
        return run.decision_asked or run.decision or ""
    return f"{run.decision_asked}: threshold {run.threshold:.3g}"


def tell_folder(run: PastRun) -> str:
    """Name the folder of a run as seen from here, or say that it is not there."""
    if run.run_dir is None:
        return ""
    folder = Path(run.run_dir)
    if not folder.is_dir():
        return "not there"
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
