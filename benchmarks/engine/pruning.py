"""What ending trials early saves, and what it costs: the same trials with and without it.

    python benchmarks/engine/pruning.py --data FOLDER --seconds 60

FOLDER is as for holdout_f1.py; data sets of more than two classes are taken too. On the training
part (70 %) of each, trials as a search asks for them are evaluated on every fold, by average
precision, for so many seconds. Then the same trials are scored in the same order as a search scores
them: on the folds of its first level, ended early where the best is out of reach, and the leading
ones on the other folds. Printed are the share of the seconds that this takes, and what its winner
is worth, out of fold and on the held-out rows, against the winner of all. Repeats that a search
adds where positives are few are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from optuna.trial import TrialState
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
from held_out import N_FOLDS, Split, split

from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.futility import Hurdle, estimate_noise
from autoimb.evaluation.levels import plan_levels
from autoimb.evaluation.tasks import Evaluation
from autoimb.metrics import get_metric
from autoimb.profiling.describing import profile_dataset
from autoimb.search.contest import tell_noise
from autoimb.search.opening import first_configurations
from autoimb.search.study import N_PROMOTED
from autoimb.search.suggesting import create_study
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.search_space import load_space

METRIC = "average_precision"
MAX_TRIALS = 100


@dataclass(frozen=True)
class Trial:
    """A configuration with what every fold found."""

    number: int
    configuration: Configuration
    evaluation: Evaluation

    @property
    def value(self) -> float:
        return self.evaluation.scores[METRIC].value


def evaluate_trials(one: Split, evaluator: Evaluator, seconds: float) -> list[Trial]:
    """Ask as a search does, and evaluate every fold."""
    facts = profile_dataset(one.data, 0).facts(N_FOLDS)
    space = load_space("default").restricted_to(facts)
    study = create_study(get_metric(METRIC), 0)
    first, trials, begun = iter(first_configurations(space)), [], time.monotonic()
    while time.monotonic() - begun < seconds and len(trials) < MAX_TRIALS:
        enqueued = next(first, None)
        if enqueued is not None:
            study.enqueue_trial(enqueued.flat)
        asked = study.ask()
        configuration = space.suggest(asked)
        try:
            found = evaluator.evaluate(configuration)
            trials.append(Trial(len(trials), configuration, found))
            study.tell(asked, trials[-1].value)
        except Exception:
            study.tell(asked, state=TrialState.FAIL)
    return trials


def score_in_steps(trials: list[Trial], evaluator: Evaluator) -> tuple[Trial, int, float]:
    """Find the winner as a search does; also how many ended early, and the share of the seconds."""
    level = plan_levels(np.bincount(evaluator.y), N_FOLDS)[0]
    kept: list[tuple[float, Trial]] = []
    n_fits = {trial.number: 0 for trial in trials}
    for trial in trials:
        n_fits[trial.number] = n_done = count_folds(trial, kept, level.n_folds)
        if n_done == level.n_folds:
            value = evaluator.score(trial.evaluation.proba, level)[METRIC].value
            kept.append((value, trial))
    leading = lead([trial for _, trial in sorted(kept, key=lambda one: -one[0])])
    for trial in leading:
        n_fits[trial.number] = N_FOLDS
    spent = sum(trial.evaluation.seconds * n_fits[trial.number] / N_FOLDS for trial in trials)
    share = spent / sum(trial.evaluation.seconds for trial in trials)
    return max(leading, key=lambda trial: trial.value), len(trials) - len(kept), share


def count_folds(trial: Trial, kept: list[tuple[float, Trial]], n_folds: int) -> int:
    """Count the folds after which a trial is ended, or all of the first level."""
    values = [one.evaluation.fold_values[:n_folds] for _, one in kept]
    if not tell_noise(values):
        return n_folds
    best = max(range(len(kept)), key=lambda place: kept[place][0])
    hurdle = Hurdle(values[best], estimate_noise(values))
    early = (
        k for k in range(1, n_folds) if hurdle.is_out_of_reach(trial.evaluation.fold_values[:k])
    )
    return next(early, n_folds)


def lead(ranked: list[Trial]) -> list[Trial]:
    """Choose what is scored on every fold: the best of each leading strategy."""
    best: dict[str, Trial] = {}
    for trial in ranked:
        best.setdefault(str(trial.configuration), trial)
    return list(best.values())[:N_PROMOTED]


def held_out_value(one: Split, trial: Trial) -> float:
    proba = one.train(trial.configuration).predict_proba(one.X_test)
    return get_metric(METRIC).evaluate(one.y_test, proba, one.y_test)


def compare(path: Path, name: str, target: str, seconds: float) -> dict[str, object]:
    """Compare the two winners on one data set."""
    warnings.simplefilter("ignore")
    one = split(name, pd.read_csv(path), target, 0)
    evaluator = Evaluator.on(one.data, one.evaluator.folds, METRIC, 0)
    with threadpool_limits(1):
        trials = evaluate_trials(one, evaluator, seconds)
        winner, n_early, share = score_in_steps(trials, evaluator)
        winners = [max(trials, key=lambda trial: trial.value), winner]
        held_out = [held_out_value(one, winner) for winner in winners]
    return {
        "data set": name,
        "trials": len(trials),
        "ended early": n_early,
        "share of time": share,
        "out of fold": winners[1].value - winners[0].value,
        "held out": held_out[1] - held_out[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the trials of a data set")
    arguments = parser.parse_args()
    index = json.loads((arguments.data / "index.json").read_text())
    found = Parallel(n_jobs=-1)(
        delayed(compare)(arguments.data / e["file"], e["name"], e["target"], arguments.seconds)
        for e in index
    )
    table = pd.DataFrame(found).set_index("data set").astype(float)
    table.loc["mean"] = table.mean()
    print(table.round(4).to_string())
    print(f"same winner on {np.sum(table['out of fold'].iloc[:-1] == 0)} of {len(found)}")


if __name__ == "__main__":
    main()
