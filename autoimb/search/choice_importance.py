"""Which choices of a search its best trials owe most to."""

from __future__ import annotations

import math
import warnings

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

__all__ = ["count_leading", "measure_choices"]

# Below it the leading ones are hardly fewer than all.
MIN_TRIALS = 20
# Of the trials, and how many at least, as Optuna advises.
LEADING, MIN_LEADING = 0.1, 5


def count_leading(n_trials: int) -> int:
    """Tell how many of some trials are taken for the best: a tenth, but five at least.

    Examples
    --------
    >>> count_leading(20), count_leading(200)
    (5, 20)
    """
    return max(math.ceil(LEADING * n_trials), MIN_LEADING)


def measure_choices(study: optuna.Study) -> dict[str, float]:
    """Measure how far the choices of the best trials (`count_leading`) differ from those of all.

    By PED-ANOVA, which asks of a parameter that only some trials have whether having it matters
    too (Watanabe, Bansal and Hutter 2023; its conditional form is that of Optuna 5). Trials that
    were stopped early or failed have no score and are left out.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    dict of str to float
        Shares that add up to 1, by qualified name, the greatest first; empty if fewer than 20
        trials are complete, or there is nothing to tell them apart by.

    Examples
    --------
    >>> study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    >>> measure_choices(study)
    {}
    >>> study.optimize(lambda t: t.suggest_float("x", 0, 1) + 0 * t.suggest_int("y", 0, 9), 40)
    >>> list(measure_choices(study))
    ['x', 'y']
    """
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    names = {name for trial in trials for name, given in trial.distributions.items()
             if not given.single()}  # fmt: skip
    if len(trials) < MIN_TRIALS or not names or len({trial.value for trial in trials}) == 1:
        return {}
    with warnings.catch_warnings():
        # It warns of every parameter that a single trial has or lacks.
        warnings.simplefilter("ignore")
        share = count_leading(len(trials)) / len(trials)
        evaluator = PedAnovaImportanceEvaluator(target_quantile=share)
        # Sorted, for what is as important as another would come in any order.
        found = get_param_importances(study, evaluator=evaluator, params=sorted(names))
    ranked = sorted(found.items(), key=lambda item: -item[1])
    return {name: float(share) for name, share in ranked}
