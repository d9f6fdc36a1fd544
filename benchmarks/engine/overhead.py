"""Measure the CPU seconds of the engine itself: what a trial costs beside its estimators.

    python benchmarks/engine/overhead.py

A search of `--trials` trials runs in one process, on a table of 2,000 rows and ten columns with
10 % positives, so that nothing but the trials themselves takes long. From its CPU seconds those
are subtracted that are spent in `fit`, `fit_resample` and `predict_proba` of the estimators and
samplers of the space. The rest is the engine's: asking Optuna, encoding, scoring, telling, the
journal. Start and profile of the fit come before its clock, the final fit after it; passing tasks
to worker processes is not part of it, as there are none.

The last trials are shown apart, for what asking costs grows with the number of trials.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from apart import print_header, print_line, print_machine
from clock import Clock, clock_of_components, fit_here
from sklearn.datasets import make_classification

from autoimb.data.problem import pair_problem
from autoimb.evaluation.engine import Evaluator
from autoimb.strategy.search_space import SearchSpace, load_space

ROWS, COLUMNS, POSITIVES = 2_000, 10, 0.1
# trials at the end that are shown apart
LAST = 100
PARTS = {
    "asking (Study.ask, SearchSpace.suggest)": ((optuna.Study, "ask"), (SearchSpace, "suggest")),
    "telling (Study.tell)": ((optuna.Study, "tell"),),
    "scoring complete trials (Evaluator.score)": ((Evaluator, "score"),),
}
ESTIMATORS = "estimators and samplers"


@dataclass
class Ledger:
    """A watcher that notes all clocks when the search starts and after every trial."""

    clocks: dict[str, Clock]
    lines: list[dict[str, float]] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)

    def started(self, dataset: Any, profile: Any, plan: Any) -> None:
        self._note()

    def told(self, record: Any) -> None:
        self._note()
        self.states[record.state] = self.states.get(record.state, 0) + 1

    def finished(self, result: Any) -> None:
        """Take no note: the trials were over before."""

    def _note(self) -> None:
        inside = {name: clock.inside for name, clock in self.clocks.items()}
        self.lines.append({"all": time.process_time(), **inside})

    def spent(self, first: int, last: int) -> dict[str, float]:
        """Return the CPU seconds of each part from one trial to another."""
        return {name: self.lines[last][name] - self.lines[first][name] for name in self.lines[0]}


def open_clocks(space: SearchSpace) -> dict[str, Clock]:
    """Measure the estimators, and the parts of the engine that can be told apart."""
    clocks = {ESTIMATORS: clock_of_components(space)}
    for name, methods in PARTS.items():
        clocks[name] = Clock()
        for owner, method in methods:
            clocks[name].measure(owner, method)
    return clocks


def run(n_trials: int, space: str) -> Ledger:
    X, y = make_classification(
        ROWS,
        n_features=COLUMNS,
        n_informative=4,
        weights=[1 - POSITIVES],
        flip_y=0.01,
        random_state=0,
    )
    problem = pair_problem(pd.DataFrame(X).add_prefix("x"), y)
    ledger = Ledger(open_clocks(load_space(space)))
    with tempfile.TemporaryDirectory() as folder:
        fit_here(problem, Path(folder), space, trials=n_trials, watchers=[ledger])
    return ledger


def print_spent(name: str, spent: dict[str, float], n: int) -> None:
    def line(label: str, seconds: float) -> None:
        print_line(name, label, f"{seconds:.2f}", f"{1000 * seconds / n:.1f}")

    own = spent["all"] - spent[ESTIMATORS]
    line("all", spent["all"])
    line(ESTIMATORS, spent[ESTIMATORS])
    line("**overhead**", own)
    for part in PARTS:
        line(f"of it {part}", spent[part])
    line("of it the rest", own - sum(spent[part] for part in PARTS))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--space", default="fast", help="a search space, by name or as a file")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    print_machine()
    ledger = run(args.trials, args.space)
    n = len(ledger.lines) - 1
    print_header("trials", "part", "CPU s", "ms a trial")
    print_spent(f"all {n}", ledger.spent(0, n), n)
    if n > LAST:
        print_spent(f"last {LAST}", ledger.spent(n - LAST, n), LAST)
    print("\n" + ", ".join(f"{number} {state}" for state, number in sorted(ledger.states.items())))


if __name__ == "__main__":
    main()
