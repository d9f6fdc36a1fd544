"""What a search found, and how it went."""

from __future__ import annotations

from contextlib import suppress

from autoimb.errors import UsageError
from autoimb.fitting import FitResult
from autoimb.reporting.chart import Chart
from autoimb.reporting.charts.choices import draw_importance
from autoimb.reporting.charts.parallel import draw_parallel_coordinates
from autoimb.reporting.charts.strategies import draw_attribution, draw_strategies
from autoimb.reporting.charts.trials import draw_history, scored_trials

__all__ = ["draw_search"]


def draw_search(result: FitResult) -> list[Chart]:
    """Draw what strategies gain, what their parts add, and how the trials went.

    What is not known is left out: strategies that were not compared, parts that the best strategy
    has none of, and the importance of choices where trials are too few.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    list of Chart
        Captions, titles and tables hold names as they are; only what Plotly draws is escaped.
    """
    charts: list[Chart | None] = []
    with suppress(UsageError):  # nothing was compared
        charts.append(draw_strategies(result.strategies()))
    if result.appraisal.parts:
        charts.append(draw_attribution(result))
    n_scored = len(scored_trials(result))
    if n_scored:
        charts.append(draw_history(result))
    charts.append(draw_importance(result))
    if n_scored > 1:
        charts.append(draw_parallel_coordinates(result))
    return [chart for chart in charts if chart is not None]
