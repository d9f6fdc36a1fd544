"""What a run exported, written down so that it can be trained again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Training
from autoimb.metrics import Metric
from autoimb.search.blend import Exported
from autoimb.strategy.configuration import STAGES, Choice, Configuration

__all__ = ["describe_outcome", "read_trainings"]


def describe_outcome(
    exported: Exported, trainings: Sequence[Sequence[Training]], level: Level, metric: Metric
) -> dict[str, Any]:
    """Describe what it takes to train something again.

    Parameters
    ----------
    exported : Exported
    trainings : sequence of sequence of Training
        Of each strategy.
    level : Level
        At which the strategies were evaluated.
    metric : Metric

    Returns
    -------
    dict
    """
    return {
        "trials": [member.number for member in exported.members],
        **_write_trainings(trainings),
        "level": asdict(level),
        "n_repeats": exported.n_repeats,
        "is_tuned": exported.is_tuned,
        "score": exported.scores[metric.name].value,
    }


def read_trainings(exported: Mapping[str, Any]) -> list[list[Training]]:
    """Rebuild what a run trained for export, each strategy's fits in a list.

    Examples
    --------
    >>> plain = Configuration(Choice("logistic", "sklearn.linear_model.LogisticRegression"))
    >>> trained = ((Training(plain), Training(plain, fold=0)),)
    >>> read_trainings(_write_trainings(trained)) == [list(trained[0])]
    True
    """
    configurations = [
        Configuration(**{s: Choice(**written[s]) for s in STAGES if s in written})
        for written in exported["configurations"]
    ]
    return [
        [Training(configuration, **fit) for fit in fits]
        for configuration, fits in zip(configurations, exported["fits"], strict=True)
    ]


def _write_trainings(trainings: Sequence[Sequence[Training]]) -> dict[str, Any]:
    return {
        "configurations": [asdict(fits[0].configuration) for fits in trainings],
        "fits": [[{"fold": f.fold, "max_rows": f.max_rows} for f in fits] for fits in trainings],
    }
