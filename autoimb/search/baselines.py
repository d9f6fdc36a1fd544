"""The obvious strategies, which every search is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from autoimb.strategy.configuration import Choice, Configuration

__all__ = ["DO_NOTHING", "TUNED_THRESHOLD", "Baseline", "list_baselines"]

DO_NOTHING, TUNED_THRESHOLD = "do nothing", "tuned threshold only"
BALANCED = Choice(
    "balanced", "autoimb.strategy.weights.ClassWeighted", "scaled", values={"power": 1.0}
)
RANDOM_UNDER = Choice(
    "random_under", "imblearn.under_sampling.RandomUnderSampler", "raw", balance=1.0
)
SMOTE = Choice("smote", "imblearn.over_sampling.SMOTE", "scaled", balance=1.0)
# What its authors let it do, but for what makes it silent, and the same in any number of threads.
LIGHTGBM = Choice(
    "lightgbm", "lightgbm.LGBMClassifier", "raw",
    values={"deterministic": True, "force_row_wise": True, "verbosity": -1},
)  # fmt: skip
# Neighbours that SMOTE looks at, unless a class is too small.
N_NEIGHBORS = 5


@dataclass(frozen=True)
class Baseline:
    """A strategy that anybody would try first.

    Attributes
    ----------
    name : str
    configuration : Configuration
    is_tuned : bool
        Whether its decision is tuned; else it is the argmax.
    """

    name: str
    configuration: Configuration
    is_tuned: bool = True


def list_baselines(untouched: Configuration, facts: Mapping[str, float]) -> list[Baseline]:
    """List the baselines that the data allow, the plainest first.

    Each but the last is the default model with one thing changed.

    Parameters
    ----------
    untouched : Configuration
        The default model on the data as they are.
    facts : mapping of str to float
        As `Profile.facts` gives them.

    Returns
    -------
    list of Baseline

    Examples
    --------
    >>> plain = Configuration(Choice("logistic", "sklearn.linear_model.LogisticRegression"))
    >>> [one.name for one in list_baselines(plain, {"max_neighbors": 5})]
    ['do nothing', 'tuned threshold only', 'balanced weights', 'random undersampling', \
'SMOTE 1:1', 'LightGBM defaults']
    """
    model = untouched.model
    found = [
        Baseline(DO_NOTHING, untouched, is_tuned=False),
        Baseline(TUNED_THRESHOLD, untouched),
    ]
    if model.balance is None:  # it would balance twice
        found += [
            Baseline("balanced weights", Configuration(model, weight=BALANCED)),
            Baseline("random undersampling", Configuration(model, sampler=RANDOM_UNDER)),
        ]
        n_neighbors = int(min(facts["max_neighbors"], N_NEIGHBORS))
        if n_neighbors >= 1:
            smote = replace(SMOTE, values={"k_neighbors": n_neighbors})
            found.append(Baseline("SMOTE 1:1", Configuration(model, sampler=smote)))
    return [*found, Baseline("LightGBM defaults", Configuration(LIGHTGBM), is_tuned=False)]
