"""Another decision, or another prevalence, for a finished model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from autoimb.artifact import load, save_changed
from autoimb.data.reading import read_table
from autoimb.decision.criteria import Criterion
from autoimb.decision.floors import Floor
from autoimb.decision.prevalence import MIN_SHARE, estimate_prevalence
from autoimb.decision.stating import resolve_criterion
from autoimb.errors import ArtifactError, UsageError
from autoimb.fitted_model import FittedModel
from autoimb.manifest import (
    findings_path,
    read_manifest,
    report_path,
    require_writable,
    write_whole,
)

__all__ = ["retarget", "retune"]


def retune(
    model: str | Path, decision: str | Criterion, *, out: str | Path | None = None
) -> FittedModel:
    """Choose another decision for a saved model from its out-of-fold predictions.

    Nothing is trained, and the pipeline is not even unpickled. The manifest keeps the decisions
    that came before.

    Parameters
    ----------
    model : str or Path
    decision : str or Criterion
        As in `AutoImbClassifier`.
    out : str or Path, optional
        Another file; by default the model's own is changed.

    Returns
    -------
    FittedModel

    Raises
    ------
    ArtifactError
        If the model cannot be loaded, or holds no out-of-fold predictions.
    UsageError
        If no rule can serve the decision: nothing is written then.
    """
    path = Path(model)
    require_writable(out)
    before = _load(path)
    criterion = resolve_criterion(decision, before.metric)
    after = before.redecided(criterion)
    if isinstance(criterion, Floor) and after.decision.shortfall:
        raise UsageError(f"{after.decision.shortfall}. Lower the floor or the confidence.")
    _save(before, after, path, out)
    return after


def retarget(
    model: str | Path,
    *,
    prevalence: float | None = None,
    data: str | Path | pd.DataFrame | None = None,
    out: str | Path | None = None,
) -> FittedModel:
    """Aim a saved model at data where the classes are more or less frequent.

    Probabilities are corrected for it, and the decision is solved again on the out-of-fold
    predictions, weighted to the other prevalence.

    Parameters
    ----------
    model : str or Path
    prevalence : float, optional
        Share of the positive class, in (0, 1).
    data : str, Path or DataFrame, optional
        Rows without labels, from which the shares of the classes are estimated
        (`estimate_prevalence`); given in place of `prevalence`.
    out : str or Path, optional
        Another file; by default the model's own is changed.

    Returns
    -------
    FittedModel

    Raises
    ------
    ArtifactError
        If the model cannot be loaded, or holds no out-of-fold predictions.
    UsageError
        If the prevalence cannot be meant, or no rule can serve the decision.
    """
    path = Path(model)
    if (prevalence is None) == (data is None):
        raise UsageError("give either a prevalence or unlabelled data to estimate it from.")
    require_writable(out)
    before = _load(path)
    if data is not None:
        shares = _estimate(before, data)
    else:
        assert prevalence is not None
        shares = _state(before, prevalence)
    after = before.retargeted(shares)
    _save(before, after, path, out)
    return after


def _load(path: Path) -> FittedModel:
    model = load(path)
    if model.evidence is None:
        raise ArtifactError(f"{path} holds no out-of-fold predictions. Fit it again.")
    return model


def _state(model: FittedModel, prevalence: float) -> tuple[float, float]:
    """Return the shares of both classes; refuse what cannot be meant."""
    if not 0 < prevalence < 1:
        raise UsageError(f"the prevalence must lie between 0 and 1, but got {prevalence:g}.")
    rarer = min(prevalence, 1 - prevalence)
    if rarer < MIN_SHARE:
        raise UsageError(
            f"at a prevalence of {prevalence:.9g} one class is all but absent. Give one between "
            f"{MIN_SHARE:f} and {1 - MIN_SHARE:f}."
        )
    if len(model.labels.classes) != 2:
        raise UsageError(
            f"a prevalence is that of one class, but the model has {len(model.classes_)}. "
            "Give unlabelled data, from which all are estimated."
        )
    return 1 - prevalence, prevalence


def _estimate(model: FittedModel, data: str | Path | pd.DataFrame) -> tuple[float, ...]:
    table = data
    if not isinstance(table, pd.DataFrame):
        table = read_table(Path(table), text_columns=list(model.schema.text_columns))
    assert model.evidence is not None
    proba = model.calibrated(model.schema.to_matrix(table))
    found = estimate_prevalence(proba, model.evidence.prevalence)
    return tuple(found.tolist())


def _save(before: FittedModel, after: FittedModel, path: Path, out: str | Path | None) -> None:
    words = read_manifest(path).get("recommendation", "")
    first = words.split(" Changed afterwards: ")[0]
    text = f"{first} Changed afterwards: {after.decision.criterion}, {after.decision}."
    place = None if out is None else Path(out)
    found, target = findings_path(path), place or path
    kept = found.read_bytes() if found.is_file() else None
    save_changed(after, path, place, {"recommendation": text}, before)
    if kept is not None and place is not None:
        write_whole(findings_path(target), kept)
    if report_path(target).is_file():
        _renew_report(target)


def _renew_report(model_path: Path) -> None:
    """Write it again: the one that is there tells of another decision than the model's."""
    # Only where there is one: to draw takes longer to import than all else here.
    from autoimb.reporting.report import attempt_report

    attempt_report(model_path, report_path(model_path))
