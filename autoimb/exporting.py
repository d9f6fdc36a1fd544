"""From what was trained to the model that is exported: its calibration and its decision."""

from __future__ import annotations

from autoimb.data.dataset import Dataset
from autoimb.data.splitting import Folds
from autoimb.decision.calibrators import CALIBRATORS, NO_CALIBRATOR, choose_calibrator
from autoimb.decision.deciding import Decision, decide
from autoimb.decision.rules import argmax_rule
from autoimb.decision.scored import Scored
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import calibrate_folds
from autoimb.fitted_model import Evidence, FittedModel, Packed
from autoimb.search.blend import Exported
from autoimb.strategy.pipeline import Pipeline

__all__ = ["calibrate_out_of_fold", "make_model"]


def make_model(
    pipeline: Pipeline, exported: Exported, evaluator: Evaluator, dataset: Dataset, level: Level
) -> FittedModel:
    """Join what was trained with calibration and decision, from rows not seen in training.

    Parameters
    ----------
    pipeline : TrainedPipeline, AveragedPipeline or BlendedPipeline
    exported : Exported
    evaluator : Evaluator
    dataset : Dataset
    level : Level
        At which the strategies were evaluated.

    Returns
    -------
    FittedModel
    """
    rows, folds = evaluator.scored(level)
    # Of what is kept, to the last digit: so that the same decision can be solved on it again.
    scored = evaluator.select(rows, exported.proba)
    evidence = Evidence.of(scored, dataset.cost_column, len(dataset.y))
    uncalibrated = evidence.scored(NO_CALIBRATOR)
    calibrate = choose_calibrator(uncalibrated.y, uncalibrated.proba, folds.number)
    found = decide(evaluator.criterion, evidence.scored(calibrate), evaluator.seed)
    if not exported.is_tuned:
        found = Decision(evaluator.criterion, argmax_rule(evaluator.n_classes))
    return FittedModel(
        packed=Packed(pipeline),
        schema=dataset.schema,
        labels=dataset.labels,
        decision=found,
        metric=evaluator.metric,
        target=dataset.target,
        calibrator=calibrate,
        evidence=evidence,
    )


def calibrate_out_of_fold(scored: Scored, folds: Folds) -> Scored:
    """Calibrate rows as the model will be, by what was chosen and fitted on other rows.

    Parameters
    ----------
    scored : Scored
    folds : Folds

    Returns
    -------
    Scored
        Of the rows that scores are made of.
    """
    proba = calibrate_folds(scored, folds, tuple(CALIBRATORS))
    return scored.with_proba(proba).take(folds.judged)
