"""What a shell offers as values: names of metrics and spaces, folders of runs.

A shell waits while this runs, and shows whatever it prints: it is short, and fails in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["complete_decision", "complete_metric", "complete_run", "complete_space"]

# As in run_folder and in decision.stating, whose imports take a second.
RUNS = Path("autoimb_runs")
THE_METRIC = "metric"

# A value, and what it means.
Offer = tuple[str, str]


def complete_metric(incomplete: str) -> list[Offer]:
    """Offer the names of metrics."""
    return _offer(_list_metrics, incomplete)


def complete_decision(incomplete: str) -> list[Offer]:
    """Offer what a threshold can maximise."""
    return _offer(_list_decisions, incomplete)


def complete_space(incomplete: str) -> list[Offer]:
    """Offer the shipped spaces, and the files here that may be one."""
    return _offer(_list_spaces, incomplete)


def complete_run(incomplete: str) -> list[Offer]:
    """Offer the folders of runs."""
    return _offer(_list_runs, incomplete)


def _offer(find: Callable[[], Iterator[Offer]], incomplete: str) -> list[Offer]:
    """Keep what begins like the word that is being typed; nothing where nothing can be found."""
    try:
        return [offer for offer in find() if offer[0].startswith(incomplete)]
    except Exception:
        return []


def _list_metrics() -> Iterator[Offer]:
    from autoimb.metrics import METRICS

    return ((name, metric.meaning) for name, metric in METRICS.items())


def _list_decisions() -> Iterator[Offer]:
    from autoimb.metrics import METRICS

    yield THE_METRIC, "the one that is searched"
    for name, metric in METRICS.items():
        if metric.needs_decision or metric.floor is not None:
            yield name, metric.meaning


def _list_spaces() -> Iterator[Offer]:
    from autoimb.strategy.space_files import shipped_spaces

    yield from shipped_spaces().items()
    yield from ((path.name, "") for path in sorted(Path().glob("*.toml")))


def _list_runs() -> Iterator[Offer]:
    return ((str(path), "") for path in sorted(RUNS.iterdir()) if path.is_dir())
