"""A fit summed up in plain values, as the manifest of its model keeps them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autoimb.evaluation.scoring import Score
from autoimb.fitting import FitResult
from autoimb.profiling.findings import Finding
from autoimb.profiling.profile import Profile
from autoimb.recommendation.words import describe_training

__all__ = ["sum_up"]


def sum_up(result: FitResult) -> dict[str, Any]:
    """Sum a fit up for the manifest of the exported model, and for its card.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    dict
        Plain values that JSON can hold; under ``fit`` what the card tells of how the model came
        to be.
    """
    exported, metric = result.exported, result.metric.name
    return {
        "score": result.score,
        "spread": exported.scores[metric].spread,
        "configuration": dict(result.configuration.flat),
        "blended": [dict(member.configuration.flat) for member in exported.members[1:]],
        "estimate": result.estimates[metric].to_dict(),
        "recommendation": str(result.recommendation),
        "calibration": {name: one.to_dict() for name, one in result.calibration.items()},
        "n_rows": result.profile.n_rows,
        "class_counts": dict(result.profile.class_counts),
        "n_trials": len(result.search.records),
        "seconds": round(result.seconds, 1),
        "fit": {
            "asked": _asked(result.asked),
            **_evaluated(result),
            **_compared(result),
            **_profiled(result.profile),
            "notes": list(result.notes),
        },
    }


def _asked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out where the data lay: a model is handed on, and folders are nobody's business."""
    files = {
        name: Path(asked[name]).name
        for name in ("data", "test_data")
        if asked.get(name) is not None
    }
    return {**asked, **files}


def _evaluated(result: FitResult) -> dict[str, Any]:
    """Say what was scored, how, and how well."""
    exported = result.exported
    return {
        "training": describe_training(exported.members[0].configuration, len(exported.members)),
        "level": asdict(result.search.level),
        "n_repeats": exported.n_repeats,
        "n_scored": len(result.y),
        "max_rows": exported.max_rows,
        "out_of_fold": _values(exported.scores),
        "estimates": {name: one.to_dict() for name, one in result.estimates.items()},
    }


def _values(scores: Mapping[str, Score]) -> dict[str, float]:
    return {name: one.value for name, one in scores.items() if math.isfinite(one.value)}


def _compared(result: FitResult) -> dict[str, Any]:
    """Say what was tried, and what it was held against."""
    found, recommended = result.appraisal.to_dict(), result.recommendation
    is_best = result.alternative is None or result.prefer == "best"
    worth = next(reason.evidence for reason in recommended.reasons if reason.kind == "worth")
    return {
        "prefer": result.prefer,
        "is_best": is_best,
        # Both of the best: what a plainer one is corrected by shows in its estimate alone.
        "optimism": result.appraisal.optimism if is_best else None,
        "growth": worth["growth"] if is_best else None,
        "n_tried": found["n_tried"],
        "baselines": found["baselines"],
        "surety": recommended.surety,
        "plainest": recommended.strategy,
        "reasons": {reason.kind: reason.sentence for reason in recommended.reasons},
    }


def _profiled(profile: Profile) -> dict[str, Any]:
    """Say what is known of the data."""
    return {
        "name": profile.name,
        "missing_share": profile.missing_share,
        "n_rarest": profile.n_minority,
        "power": str(profile.power),
        "findings": [_without_rows(finding) for finding in profile.findings],
    }


def _without_rows(finding: Finding) -> dict[str, Any]:
    """Leave out which rows it is about: there may be thousands."""
    told = finding.to_dict()
    del told["rows"]
    return told
