"""Evaluate what the trials of a search are held against."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace

from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Evaluation, Task
from autoimb.search.baselines import Baseline
from autoimb.search.budget import Budget
from autoimb.search.contest import Contest
from autoimb.search.excerpt import MAX_CELLS
from autoimb.search.executors import Executor
from autoimb.search.records import Candidate, Reference, TrialRecord
from autoimb.strategy.configuration import STAGES, Choice, Configuration
from autoimb.strategy.search_space import SearchSpace

__all__ = ["Apart", "Race", "list_parts"]

# Part of the time that is kept for baselines, and for taking the best strategy apart.
RACE_SHARE, PARTS_SHARE = 0.15, 0.1
# A sampler makes more rows of them than the default model alone is trained on.
MARGIN = 1.5
# What comparing and resampling takes where as many rows are kept as can be, at most a part of all.
APPRAISAL_SECONDS, APPRAISAL_SHARE = 4.0, 0.1
HALVED = "rows"
# Numbers from -1 on stand for these, further ones for parts.
MAX_BASELINES = 100


@dataclass(frozen=True)
class Apart:
    """The best strategy with something taken away from it, on the rows that it was scored on.

    Attributes
    ----------
    parts : tuple of Reference
        Without one of its parts each, those that time sufficed for.
    halved : Evaluation or None
        Trained on half as many folds: what fewer rows cost.
    """

    parts: tuple[Reference, ...] = ()
    halved: Evaluation | None = None


class Race:
    """The obvious strategies beside the trials of a search.

    Parameters
    ----------
    baselines : sequence of Baseline
    contest : Contest
    executor : Executor
    budget : Budget
    evaluator : Evaluator
    """

    def __init__(
        self,
        baselines: Sequence[Baseline],
        contest: Contest,
        executor: Executor,
        budget: Budget,
        evaluator: Evaluator,
    ) -> None:
        self.n_folds = evaluator.n_folds
        self.in_time = evaluator.in_time
        self.n_classes = evaluator.n_classes
        self.baselines = baselines
        self.contest = contest
        self.executor = executor
        self.budget = budget

    @property
    def apart(self) -> dict[int, Baseline]:
        """Those that are no trials, by the numbers that stand for them."""
        numbered = {-1 - place: one for place, one in enumerate(self.baselines)}
        untouched = self.contest.untouched
        return {n: one for n, one in numbered.items() if one.configuration != untouched}

    def seconds(self) -> float:
        """Estimate how long they will take, by what the default took: no more than their share."""
        if self.budget.seconds is None:
            return 0.0
        default = self.contest.default or next(iter(self.contest.leading()), None)
        if default is None:
            return 0.0
        each = MARGIN * default.evaluation.seconds
        left = len(self.apart) - len(self.contest.references)
        return min(each * left / self.executor.n_workers, RACE_SHARE * self.budget.seconds)

    def seconds_to_appraise(self) -> float:
        """Estimate how long the comparisons will take that follow the search."""
        if self.budget.seconds is None or self.contest.excerpt is None:
            return 0.0
        n_cells = len(self.contest.excerpt) * self.n_classes
        return min(APPRAISAL_SECONDS * n_cells / MAX_CELLS, APPRAISAL_SHARE * self.budget.seconds)

    def run(self, seconds_left: Callable[[], float]) -> None:
        """Evaluate them as every trial was.

        Parameters
        ----------
        seconds_left : callable
            Until when they may take.
        """
        level = self.contest.levels[0]
        kept = {number: self.contest.kept.load(number, 0) for number in self.apart}
        found = {number: evaluation for number, evaluation in kept.items() if evaluation}
        tasks = {
            number: Task(one.configuration, level)
            for number, one in self.apart.items()
            if number not in found
        }
        try:
            self._evaluate(tasks, seconds_left, found)
        finally:
            for number in (number for number in self.apart if number in found):
                self._enter(number, found[number])

    def _enter(self, number: int, evaluation: Evaluation) -> None:
        record = TrialRecord(
            number, self.apart[number].configuration, "complete", evaluation.scores,
            evaluation.seconds, "", evaluation.fold_values, self.contest.levels[0],
        )  # fmt: skip
        self.contest.add_reference(record, evaluation)

    def references(self) -> tuple[Reference, ...]:
        """Return what became of every baseline that could be evaluated."""
        found = []
        for place, one in enumerate(self.baselines):
            number = -1 - place
            candidate = self.contest.references.get(number)
            if number not in self.apart:
                candidate = self.contest.default
            if candidate is not None:
                evaluations = (candidate.evaluation, *candidate.repeats)
                excerpt = self.contest.tried.get(candidate.record.number)
                found.append(
                    Reference(
                        one.name, one.configuration, evaluations, candidate.level, one.is_tuned,
                        excerpt,
                    )
                )  # fmt: skip
        return tuple(found)

    def take_apart(self, best: Candidate, space: SearchSpace, seconds_left: float) -> Apart:
        """Evaluate the best strategy on fewer rows, and with each of its parts removed.

        Parameters
        ----------
        best : Candidate
        space : SearchSpace
        seconds_left : float
            What does not fit into a share of it is left out.
        """
        level, own = replace(best.level, repeat=0), best.record.configuration
        parts = list_parts(own, space)
        tasks = {name: Task(one, level) for name, one in parts.items()}
        if self._can_be_halved(level):
            tasks = {HALVED: Task(own, replace(level, is_halved=True)), **tasks}
        found = self._evaluate_parts(tasks, best.evaluation.seconds, seconds_left)
        halved = found.pop(HALVED, None)
        return Apart(
            tuple(Reference(name, parts[name], (one,), level) for name, one in found.items()),
            halved,
        )

    def _can_be_halved(self, level: Level) -> bool:
        """Tell whether fewer rows are what half of the folds hold."""
        return not self.in_time and level.max_rows is None and self.n_folds == level.n_folds > 2

    def _evaluate_parts(
        self, tasks: Mapping[str, Task], seconds_each: float, seconds_left: float
    ) -> dict[str, Evaluation]:
        """Evaluate in order what a share of the time suffices for."""
        share = math.inf if self.budget.seconds is None else PARTS_SHARE * self.budget.seconds
        left = min(seconds_left, share)
        deadline = self.budget.elapsed() + left
        numbers = {name: _number(task) for name, task in tasks.items()}
        known = {numbers[name]: one for name, task in tasks.items() if (one := self._find(task))}
        further = {
            numbers[name]: task for name, task in tasks.items() if numbers[name] not in known
        }
        n_rounds = min(left / max(seconds_each, 1e-9), len(further))
        n_fit = int(n_rounds) * self.executor.n_workers
        self._evaluate(
            dict(list(further.items())[:n_fit]), lambda: deadline - self.budget.elapsed(), known
        )
        return {name: known[number] for name, number in numbers.items() if number in known}

    def _find(self, task: Task) -> Evaluation | None:
        """Return what was evaluated before, perhaps by a search that was to go on."""
        for one in (self.contest.default, *self.contest.references.values()):
            if one and one.level == task.level and one.record.configuration == task.configuration:
                return one.evaluation
        return self.contest.kept.load(_number(task), 0)

    def _evaluate(
        self,
        tasks: Mapping[int, Task],
        seconds_left: Callable[[], float],
        found: dict[int, Evaluation],
    ) -> None:
        """Evaluate in order, and write each evaluation as soon as it has come."""
        running: dict[int, Future[Evaluation]] = {}

        def take() -> None:
            for number in [number for number, future in running.items() if future.done()]:
                if _is_fine(future := running.pop(number)):
                    found[number] = self.contest.kept.save(number, 0, future.result())

        try:
            for number, task in tasks.items():
                if seconds_left() > 0:
                    running[number] = self.executor.submit(task, _limit(seconds_left()))
                    take()
            while running and seconds_left() > 0:
                wait(running.values(), _limit(seconds_left()), FIRST_COMPLETED)
                take()
        finally:
            take()
            for future in running.values():
                future.cancel()


def list_parts(configuration: Configuration, space: SearchSpace) -> dict[str, Configuration]:
    """List what is left of a strategy without each of its parts.

    Parameters
    ----------
    configuration : Configuration
    space : SearchSpace
        Whose defaults its model is held against.

    Returns
    -------
    dict of str to Configuration
        By the part that is missing.

    Examples
    --------
    >>> from autoimb.strategy.search_space import load_space
    >>> space = load_space("default")
    >>> found = list_parts(space.default(sampler="smote", weight="power"), space)
    >>> {part: str(one) for part, one in found.items()}
    {'sampler': 'lightgbm + power', 'weight': 'lightgbm + smote'}
    """
    found = {
        stage: replace(configuration, **{stage: Choice("none")})
        for stage in STAGES[1:]
        if configuration.choices[stage].class_path is not None
    }
    plain = space.default(model=configuration.model.name).model
    if plain != configuration.model:
        found["parameters of the model"] = replace(configuration, model=plain)
    return found


def _number(task: Task) -> int:
    """Give a number to what is no trial, so that it can be kept beside those that are."""
    asked = (sorted(map(str, task.configuration.flat.items())), task.level)
    return -zlib.crc32(repr(asked).encode()) - MAX_BASELINES


def _limit(seconds: float) -> float | None:
    return None if math.isinf(seconds) else max(seconds, 0.1)


def _is_fine(future: Future[Evaluation]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
