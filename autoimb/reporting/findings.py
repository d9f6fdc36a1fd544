"""What a report tells that model and manifest do not: gathered at the end of a fit."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autoimb.decision.calibrators import NO_CALIBRATOR
from autoimb.errors import AutoImbWarning, UsageError, one_line
from autoimb.fitting import FitResult
from autoimb.manifest import findings_path, write_whole
from autoimb.profiling.measures import MEASURES
from autoimb.profiling.profile import Profile
from autoimb.reporting.chart import Chart
from autoimb.reporting.charts.ranked import rank_classes
from autoimb.reporting.charts.reliability import draw_reliability
from autoimb.reporting.charts.search import draw_search
from autoimb.reporting.stored import FORMAT
from autoimb.search.records import TrialRecord
from autoimb.strategy.configuration import STAGES

__all__ = ["attempt_findings", "gather_findings", "write_findings"]

# How rows are named: of a file, or of a frame that has an index.
PLACES = "Rows are counted from 0, the first below the header."
INDEX = "Rows are named as in the index of the table."
MAX_STRATEGIES, MAX_FAILURES, MAX_ROWS = 40, 40, 40


def gather_findings(result: FitResult) -> dict[str, Any]:
    """Gather what no later change of the decision alters: the search, the data, the explanation.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    dict
        Plain values that JSON can hold.
    """
    explanation = result.explanation
    return {
        "format": FORMAT,
        "verdicts": _weigh_strategies(result),
        "leaderboard": _list_strategies(result),
        "tried": _count_components(result.search.records),
        "unfinished": _list_unfinished(result.search.records),
        "spent": _sum_up_time(result),
        "profile": _sum_up_profile(result.profile),
        "explanation": None if explanation is None else explanation.to_dict(),
        "row_names": PLACES if result.asked.get("data") is not None else INDEX,
        "charts": [asdict(chart) for chart in _draw_charts(result)],
    }


def attempt_findings(result: FitResult, model_path: Path) -> None:
    """Write them where nothing depends on them.

    Parameters
    ----------
    result : FitResult
    model_path : Path
        Of the pickle.

    Warns
    -----
    AutoImbWarning
        If they could not be gathered or written.
    """
    try:
        write_findings(result, model_path)
    except Exception as error:
        text = (
            f"{findings_path(model_path)} was not written, and the report will say less: "
            f"{one_line(error)}."
        )
        warnings.warn(text, AutoImbWarning, stacklevel=2)


def _draw_charts(result: FitResult) -> list[Chart]:
    """Draw the search, and the calibration, which a model without its folds cannot show."""
    found, model = result.predictions(), result.model
    models = None
    if model.calibrator is not NO_CALIBRATOR and model.evidence is not None:
        models = model.evidence.scored(NO_CALIBRATOR)
    return [*draw_search(result), draw_reliability(found, rank_classes(found), models)]


def write_findings(result: FitResult, model_path: Path) -> None:
    """Write them beside a model, for its report to be made, and made again.

    Parameters
    ----------
    result : FitResult
    model_path : Path
        Of the pickle.
    """
    content = json.dumps(gather_findings(result), default=str)
    write_whole(findings_path(model_path), content.encode("utf-8", "replace"))


def _weigh_strategies(result: FitResult) -> list[dict[str, Any]]:
    """Say of every strategy that was compared what it gains over doing nothing, and how sure."""
    try:
        shown = result.strategies()
    except UsageError:
        return []
    return [
        {
            "strategy": name,
            "score": float(shown.score[i]),
            "gain": float(shown.gain[i]),
            "low": float(shown.low[i]),
            "high": float(shown.high[i]),
            "p_better": float(shown.p_better[i]),
            "verdict": verdict,
            "is_exported": name == shown.exported,
        }
        for i, (name, verdict) in enumerate(zip(shown.names, shown.verdicts, strict=True))
    ]


def _list_strategies(result: FitResult) -> list[dict[str, Any]]:
    """Write the leaderboard down, its first rows if it is long."""
    columns = ["strategy", "decision", "score", "spread", "trials", "seconds", "exported",
               "calibrated", "evaluated"]  # fmt: skip
    rows = result.leaderboard[columns].head(MAX_STRATEGIES).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _count_components(records: Sequence[TrialRecord]) -> list[dict[str, Any]]:
    """Count the trials of every sampler, weight and model, and their seconds."""
    found: dict[tuple[str, str], list[TrialRecord]] = {}
    for record in records:
        for stage in STAGES:
            name = getattr(record.configuration, stage).name
            found.setdefault((stage, name), []).append(record)
    return [
        {
            "stage": stage,
            "component": name,
            **_count_states(each),
            "seconds": sum(record.seconds for record in each),
        }
        for (stage, name), each in sorted(
            found.items(), key=lambda item: (STAGES.index(item[0][0]), -len(item[1]))
        )
    ]


def _count_states(records: Sequence[TrialRecord]) -> dict[str, int]:
    counted = Counter(record.state for record in records)
    return {state: counted[state] for state in ("complete", "pruned", "failed")}


def _list_unfinished(records: Sequence[TrialRecord]) -> list[dict[str, Any]]:
    """List what failed, and then what was ended early, with the reason."""
    chosen = [r for state in ("failed", "pruned") for r in records if r.state == state]
    return [
        {
            "trial": record.number,
            "strategy": str(record.configuration),
            "state": record.state,
            "reason": record.reason,
            "seconds": record.seconds,
        }
        for record in chosen[:MAX_FAILURES]
    ]


def _sum_up_time(result: FitResult) -> dict[str, Any]:
    records = result.search.records
    return {
        "seconds": result.seconds,
        "in_trials": sum(record.seconds for record in records),
        "trials": len(records),
        **_count_states(records),
        "interrupted": result.search.interrupted,
    }


def _sum_up_profile(profile: Profile) -> dict[str, Any]:
    """Keep figures and readings, and which rows findings name: the manifest has all else."""
    told = profile.to_dict()
    measured = {
        name: {**one, "definition": MEASURES[name].definition, "worse": MEASURES[name].worse}
        for name, one in told["measures"].items()
        if one["value"] is not None
    }
    kept = ("n_rows", "n_features", "n_categorical", "n_classes", "imbalance_ratio",
            "missing_share", "minority", "n_minority", "dropped", "interpretation")  # fmt: skip
    rows = [
        {"check": one.check, "rows": [str(row) for row in one.rows[:MAX_ROWS]], "n": len(one.rows)}
        for one in profile.findings
        if one.rows
    ]
    plain = {name: told[name] for name in kept}
    return {**plain, "text": str(profile), "measures": measured, "rows": rows}
