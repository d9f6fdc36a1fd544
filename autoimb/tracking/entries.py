"""What a run table shows of a fit, in plain values: its parameters, metrics and tags."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from autoimb import __version__
from autoimb.artifact import installed_versions
from autoimb.data.dataset import Dataset
from autoimb.decision.criteria import Criterion
from autoimb.decision.reliability import Reliability
from autoimb.decision.rules import Threshold
from autoimb.evaluation.estimate import Estimate
from autoimb.evaluation.scoring import Score
from autoimb.final_test import FinalTest
from autoimb.fitting import FitResult
from autoimb.planning import Plan
from autoimb.profiling.profile import Profile
from autoimb.search.records import TrialRecord
from autoimb.strategy.configuration import Configuration

__all__ = [
    "as_key", "cut", "describe_dataset", "describe_outcome", "describe_plan", "describe_test",
    "describe_trial", "describe_untouched", "name_outcome", "sum_up", "tag_outcome", "tag_strategy",
    "tag_trial",
]  # fmt: skip

# Longer values are of no use in a table; MLflow itself refuses much longer ones.
MAX_VALUE = 500
MAX_NOTE = 5000
MAX_KEY = 250
# Of a digest, as MLflow keeps it.
DIGEST = 16
MAX_SCHEMA = 1_000_000
TYPES = {"number": "double", "category": "string", "date": "datetime", "dropped": "string"}
FROM_CODE = {"tags": {"mlflow.source.name": "autoimb"}}
UNTUNED = "argmax"


def describe_plan(dataset: Dataset, profile: Profile, plan: Plan) -> dict[str, Any]:
    """Give the parameters of a fit: what is asked of it, and on what.

    Parameters
    ----------
    dataset : Dataset
    profile : Profile
    plan : Plan

    Returns
    -------
    dict
    """
    return {
        "data": dataset.name,
        "data_sha256": dataset.sha256,
        "metric": plan.metric.name,
        "decision_asked": str(plan.criterion),
        "space": plan.space.name,
        "budget_seconds": plan.budget.seconds,
        "budget_trials": plan.budget.trials,
        "n_folds": plan.n_folds,
        "runs_on": str(plan.resources(dataset.X.size)),
        "seed": plan.seed,
        "blend": plan.blend,
        "prefer": plan.prefer,
        "groups": dataset.group_column,
        "time": dataset.time_column,
        "target": dataset.target,
        "positive": dataset.labels.positive,
        "autoimb": __version__,
        **{f"version.{name}": found for name, found in installed_versions().items()},
        **{f"profile.{name}": x for name, x in profile.figures().items()},
        **{f"finding.{name}": worst for name, worst in profile.severities().items()},
    }


def describe_outcome(outcome: FitResult) -> dict[str, Any]:
    """Give the parameters that a fit has found.

    Parameters
    ----------
    outcome : FitResult

    Returns
    -------
    dict
    """
    return {
        "decision": str(outcome.model.rule),
        "calibrator": outcome.model.calibrator.name,
        "exported_trials": ", ".join(str(one.number) for one in outcome.exported.members),
    }


def tag_strategy(
    configuration: Configuration, criterion: Criterion, *, is_tuned: bool = True
) -> dict[str, str]:
    """Give what runs are grouped by: the component of every stage, or none, and the decision.

    Parameters
    ----------
    configuration : Configuration
    criterion : Criterion
        What the decision is to serve.
    is_tuned : bool
        Whether it does, or is the argmax.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.strategy.configuration import Choice
    >>> tag_strategy(Configuration(Choice("logistic")), BestMetric("f1"))
    {'model': 'logistic', 'ensemble': 'none', 'sampler': 'none', 'weight': 'none', \
'decision': 'best f1'}
    """
    stages = {stage: choice.name for stage, choice in configuration.choices.items()}
    return {**stages, "decision": str(criterion) if is_tuned else UNTUNED}


def tag_trial(record: TrialRecord, criterion: Criterion) -> dict[str, str]:
    """Give the tags of a trial.

    Parameters
    ----------
    record : TrialRecord
    criterion : Criterion

    Returns
    -------
    dict of str to str
    """
    tags = {**tag_strategy(record.configuration, criterion), "trial": str(record.number)}
    if record.reason:
        kind = "failure" if record.state == "failed" else record.state
        tags[kind] = cut(record.reason, MAX_NOTE)
    if record.state == "complete":
        tags["calibrated"] = str(record.is_calibrated).lower()
    return tags


def tag_outcome(outcome: FitResult) -> dict[str, str]:
    """Give the tags of a fit that has ended: those of its winner, and the recommendation.

    Parameters
    ----------
    outcome : FitResult

    Returns
    -------
    dict of str to str
    """
    leading, exported = outcome.exported.members[0].configuration, outcome.exported
    note = "\n\n".join([str(outcome.recommendation), *outcome.notes])
    decided = outcome.model.decision.criterion
    return {
        **tag_strategy(leading, decided, is_tuned=exported.is_tuned),
        "strategy": str(leading),
        "mlflow.note.content": cut(note, MAX_NOTE),
    }


def name_outcome(data: str, outcome: FitResult) -> str:
    """Name a fit by its data and what won.

    Parameters
    ----------
    data : str
    outcome : FitResult

    Returns
    -------
    str
    """
    members = outcome.exported.members
    more = f" and {len(members) - 1} more" if len(members) > 1 else ""
    return cut(f"{data}: {members[0].configuration}{more}")


def describe_trial(record: TrialRecord) -> dict[str, float]:
    """Give the metrics of a trial, each with its mean and its spread over the folds.

    Parameters
    ----------
    record : TrialRecord

    Returns
    -------
    dict of str to float
    """
    return {**_flatten(record.scores), "seconds": record.seconds}


def sum_up(outcome: FitResult) -> dict[str, float]:
    """Give the metrics of a fit: scores of what is exported, with intervals, and figures.

    Parameters
    ----------
    outcome : FitResult

    Returns
    -------
    dict of str to float
    """
    records, name = outcome.search.records, outcome.metric.name
    values = {name: one.value for name, one in outcome.estimates.items()}
    metrics = {
        **values,
        **_flatten(outcome.exported.scores),
        f"{name}_corrected": outcome.estimates[name].value,
        **_intervals(outcome.estimates),
        "seconds": outcome.seconds,
        "trials": len(records),
        "failed_trials": sum(record.state == "failed" for record in records),
        "pruned_trials": sum(record.state == "pruned" for record in records),
        **_calibration(outcome.calibration),
    }
    if isinstance(outcome.model.rule, Threshold):
        metrics["threshold"] = outcome.model.rule.value
    return metrics


def describe_test(test: FinalTest) -> dict[str, float]:
    """Give the metrics of a fit on untouched rows.

    Parameters
    ----------
    test : FinalTest

    Returns
    -------
    dict of str to float
    """
    values = {name: one.value for name, one in test.estimates.items()}
    found = {**values, **_intervals(test.estimates), "n_rows": test.n_rows}
    return {f"test_{name}": value for name, value in found.items()}


def describe_dataset(dataset: Dataset, file: str | None) -> dict[str, str | None]:
    """Give what MLflow's entity of the training rows is made of.

    Parameters
    ----------
    dataset : Dataset
    file : str or None
        Where it was read from.

    Returns
    -------
    dict

    Examples
    --------
    >>> import pandas as pd
    >>> from autoimb.data.dataset import make_dataset
    >>> found = make_dataset(pd.DataFrame({"age": [31, 42, 53]}), ["no", "no", "yes"])
    >>> found = describe_dataset(found, "/data/loans.csv")
    >>> found["source"], found["profile"]
    ('{"uri": "/data/loans.csv"}', '{"num_rows": 3, "num_columns": 1, "classes": {"no": 2, \
"yes": 1}}')
    >>> found["schema"]
    '{"mlflow_colspec": [{"name": "age", "type": "double", "required": true}]}'
    """
    columns = [
        {"name": str(c.name), "type": TYPES[c.kind], "required": c.kind != "dropped"}
        for c in dataset.schema.columns
    ]
    schema = json.dumps({"mlflow_colspec": columns})
    counts = zip(map(str, dataset.labels.by_code), dataset.class_counts.tolist(), strict=True)
    profile = {
        "num_rows": len(dataset.y), "num_columns": len(columns), "classes": dict(counts),
    }  # fmt: skip
    source = FROM_CODE if file is None else {"uri": file}
    return {
        "name": cut(dataset.name),
        "digest": dataset.sha256[:DIGEST],
        "source_type": "code" if file is None else "local",
        "source": json.dumps(source),
        "profile": json.dumps(profile),
        "schema": schema if len(schema) <= MAX_SCHEMA else None,
    }


def describe_untouched(test: FinalTest, sha256: str) -> dict[str, str | None]:
    """Give the same of the rows that the model was tested on.

    Parameters
    ----------
    test : FinalTest
    sha256 : str
        Of these rows.

    Returns
    -------
    dict
    """
    return {
        "name": cut(test.source),
        "digest": sha256[:DIGEST],
        "source_type": "code",
        "source": json.dumps(FROM_CODE),
        "profile": json.dumps({"num_rows": test.n_rows}),
    }


def as_key(name: str) -> str:
    """Replace what MLflow does not take in a name.

    Examples
    --------
    >>> as_key("recall_at_precision@0.8")
    'recall_at_precision_0.8'
    """
    return re.sub(r"[^\w. -]", "_", name)[:MAX_KEY]


def cut(value: Any, longest: int = MAX_VALUE) -> str:
    """Cut a text that is longer than it may be.

    Examples
    --------
    >>> cut("decision", 4)
    'dec…'
    """
    text = str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _calibration(found: Mapping[str, Reliability]) -> dict[str, float]:
    """Give how far the probabilities of the positive class, or the rarest, mean what they say."""
    one = min(found.values(), key=lambda each: each.prevalence)
    figures = {"ece": one.ece, "slope": one.slope, "intercept": one.intercept}
    return {f"calibration_{name}": x for name, x in figures.items() if math.isfinite(x)}


def _flatten(scores: Mapping[str, Score]) -> dict[str, float]:
    found = {}
    for name, score in scores.items():
        found[name] = score.value
        found[f"{name}_mean"] = score.mean
        found[f"{name}_spread"] = score.spread
    return found


def _intervals(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Give the ends of every interval that is known."""
    found = {}
    for name, one in estimates.items():
        found[f"{name}_ci_low"], found[f"{name}_ci_high"] = one.low, one.high
    return {name: value for name, value in found.items() if math.isfinite(value)}
