"""Search: many trials, of which the leading ones earn a closer look."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import optuna
from optuna.storages import JournalStorage

from autoimb.errors import SearchError
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Evaluation, Task
from autoimb.metrics import Metric, get_metric
from autoimb.search.baselines import Baseline
from autoimb.search.blend import line_up
from autoimb.search.budget import Budget, RefitCost
from autoimb.search.contest import Contest
from autoimb.search.excerpt import choose_excerpt
from autoimb.search.executors import Executor
from autoimb.search.interruption import NOTHING_YET
from autoimb.search.journal import EvaluationFolder, FileJournal
from autoimb.search.opening import Begun, keep_wanted
from autoimb.search.race import Apart, Race
from autoimb.search.records import Candidate, SearchResult
from autoimb.search.suggesting import create_study
from autoimb.search.trials import TrialLoop, Watch, spent_before
from autoimb.strategy.search_space import SearchSpace

__all__ = ["JOURNAL", "search", "seconds_spent"]

JOURNAL, EVALUATIONS = "study.journal", "evaluations"
# Candidates that reach the second level; half as many reach each further one of more rows.
N_PROMOTED = 12
MIN_PROMOTED = 3
# Part of the time that is kept for further levels: of more rows, of more repeats.
ROWS_SHARE, REPEATS_SHARE = 0.4, 0.2
# Part of the time that is kept at most to train on all rows what was compared on fewer.
REFIT_SHARE = 0.25
# Seconds between looks at the clock.
LOOK_SECONDS = 0.5
# A further evaluation takes a little longer than those before suggest.
STEP_MARGIN = 1.3
# Part of the time left that one level may take while a deeper one is in reach.
STEP_SHARE = 0.4


def search(
    executor: Executor,
    evaluator: Evaluator,
    space: SearchSpace,
    budget: Budget,
    *,
    levels: Sequence[Level] = (),
    refit_cost: RefitCost | None = None,
    folder: Path | None = None,
    watch: Watch = lambda record: None,
    trials_ended: Callable[[], None] = lambda: None,
    begun: Begun | None = None,
    baselines: Sequence[Baseline] = (),
) -> SearchResult:
    """Search for the configuration that scores best.

    Parameters
    ----------
    executor : Executor
        Runs the trials.
    evaluator : Evaluator
        Holds data, folds, metric and seed.
    space : SearchSpace
        Restricted to the data.
    budget : Budget
    levels : sequence of Level
        What every trial gets, and what the leading ones earn; by default all folds, once.
    refit_cost : RefitCost, optional
        Of what follows the search, which time is kept for; by default of the best strategy.
    folder : Path, optional
        For the journal and the predictions of finished trials: what it already holds is taken
        over, and goes on as if it had never stopped.
    watch : callable
        Told of every finished trial.
    trials_ended : callable
        Told when there are no more.
    begun : list of tuple of Configuration and Future, optional
        What `opening.begin` started.
    baselines : sequence of Baseline
        Evaluated beside the trials.

    Returns
    -------
    SearchResult

    Raises
    ------
    SearchError
        If no configuration could be evaluated.
    """
    metric = get_metric(evaluator.metric)
    study = _open_study(metric, evaluator.seed, folder)
    kept = EvaluationFolder(folder / EVALUATIONS if folder else None)
    levels = levels or (Level(evaluator.n_folds),)
    excerpt = choose_excerpt(evaluator, levels[0]).rows
    contest = Contest(metric, levels, kept, space.untouched(), excerpt)
    race = Race(baselines, contest, executor, budget, evaluator)
    cost = refit_cost or RefitCost.of_one(evaluator)
    wanted = keep_wanted(begun or [], space, budget.trials)
    return _Search(study, space, budget, contest, executor, cost, race).run(
        watch, trials_ended, wanted
    )


def seconds_spent(folder: Path, metric: Metric) -> float:
    """Tell how long the search ran that a folder holds, until its last trial was told.

    Parameters
    ----------
    folder : Path
    metric : Metric

    Returns
    -------
    float
        0 for a folder that holds none.
    """
    if not (folder / JOURNAL).exists():
        return 0.0
    return spent_before(_open_study(metric, 0, folder).get_trials(deepcopy=False))


def _open_study(metric: Metric, seed: int, folder: Path | None) -> optuna.Study:
    storage = JournalStorage(FileJournal(folder / JOURNAL)) if folder else None
    return create_study(metric, seed, storage)


@dataclass
class _Running:
    """A candidate that is evaluated at a further level."""

    candidate: Candidate
    future: Future[Evaluation]
    kept: Evaluation | None = None


class _Search:
    """The rounds of a search: trials first, then the leading ones at one level after another."""

    def __init__(
        self,
        study: optuna.Study,
        space: SearchSpace,
        budget: Budget,
        contest: Contest,
        executor: Executor,
        cost: RefitCost,
        race: Race,
    ) -> None:
        self.study = study
        self.space = space
        self.budget = budget
        self.contest = contest
        self.executor = executor
        self.cost = cost
        self.race = race
        self.apart = Apart()
        self.interrupted = False

    def run(self, watch: Watch, trials_ended: Callable[[], None], begun: Begun) -> SearchResult:
        trials = TrialLoop(
            self.study, self.space, self.budget, self.contest, self.executor,
            self._seconds_for_trials, watch, begun,
        )  # fmt: skip
        try:
            trials.run()
            trials.abandon()
            trials_ended()
            self.race.run(self._seconds_left)
            for step in range(1, len(self.contest.levels)):
                self._promote(step)
            self._take_apart()
        except KeyboardInterrupt:
            self.interrupted = True
            trials.abandon()
            trials_ended()
        return self._result()

    def _seconds_left(self) -> float:
        leading = line_up(self.contest.leading())
        kept = self.race.seconds_to_appraise()
        if not self.contest.levels[0].max_rows:
            return self.budget.left_to_search(self.cost.seconds(leading)) - kept
        # Of many rows a fit takes long: what is left then decides how many are blended. What was
        # compared on a part of them may be exported so, where time is short.
        thinned = bool(leading) and leading[0].level.max_rows is not None
        share = REFIT_SHARE if thinned else math.inf
        left = self.budget.left_to_search(self.cost.seconds(leading)[:1], first_share=share)
        return left - kept

    def _seconds_for_trials(self) -> float:
        """Seconds until trials have to give way to the further levels that are in reach."""
        left, leading = self._seconds_left(), self.contest.leading()[:N_PROMOTED]
        if self.budget.seconds is None or not leading:
            return left
        left -= self.race.seconds()
        share = ROWS_SHARE if self.contest.levels[0].max_rows else REPEATS_SHARE
        most = share * self.budget.seconds
        needed = 0.0
        for level in self.contest.levels[1:]:
            each = [STEP_MARGIN * self._estimate(candidate, level) for candidate in leading]
            if each[0] > most - needed:
                break
            in_reach = list(takewhile((most - needed).__ge__, each))
            needed += max(*in_reach, sum(in_reach) / self.executor.n_workers)
        return left - min(needed, most)

    def _promote(self, step: int) -> None:
        """Evaluate the leading candidates at a further level, then what they are held against."""
        eligible = [c for c in self.contest.leading() if c.record.step == step - 1]
        if not eligible:
            return
        # Who is blended is to be repeated alike; each step to more rows costs a multiple.
        halvings = 0 if self.contest.levels[step].repeat else step - 1
        chosen = eligible[: max(MIN_PROMOTED, N_PROMOTED >> halvings)]
        deadline = self._deadline(step, chosen)
        default, level = self.contest.default, self.contest.levels[step]
        if (
            default is not None
            and default.record.step == step - 1
            and self._estimate(default, level) <= deadline() / 2
        ):
            # What all are held against must not be what the time runs out on.
            others = [one for one in chosen if one is not default]
            chosen = [*others[:1], default, *others[1:]]
        chosen = self._with_references(chosen, step, deadline())
        self._evaluate(chosen, step, deadline)
        default = self.contest.default
        if (
            default is not None
            and self.contest.leading()[0].record.step == step > default.record.step
        ):
            self._evaluate([default], step, deadline)

    def _with_references(
        self, chosen: list[Candidate], step: int, seconds: float
    ) -> list[Candidate]:
        """Put the baselines after the best and the default, if a part of the time will do."""
        references = [c for c in self.contest.references.values() if c.record.step == step - 1]
        level = self.contest.levels[step]
        needed = sum(self._estimate(c, level) for c in references) / self.executor.n_workers
        return [*chosen[:2], *references, *chosen[2:]] if needed <= seconds / 4 else chosen

    def _take_apart(self) -> None:
        leading = self.contest.leading()
        if leading and self.race.baselines:
            self.apart = self.race.take_apart(leading[0], self.space, self._seconds_left())

    def _evaluate(
        self, candidates: Sequence[Candidate], step: int, deadline: Callable[[], float]
    ) -> None:
        """Evaluate candidates at a level, in order, those that take too long left out.

        Nothing is taken instead of the first, however: who comes further leads.
        """
        level = self.contest.levels[step]
        running: list[_Running] = []
        try:
            for candidate in candidates:
                found = self.contest.kept.load(candidate.record.number, step)
                left = deadline() - self._queued_seconds(running, level)
                if found is None and self._estimate(candidate, level) > left:
                    if not running:
                        break
                    continue
                running.append(self._start(candidate, step, left, found))
                self._keep(running[-1], step)
            self._take_in_order(running, step, deadline)
        finally:
            for one in running:
                one.future.cancel()

    def _start(
        self, candidate: Candidate, step: int, left: float, found: Evaluation | None
    ) -> _Running:
        """Have a candidate evaluated at a level, unless it was before."""
        if found is not None:
            future: Future[Evaluation] = Future()
            future.set_result(found)
            return _Running(candidate, future, found)
        limit = None if math.isinf(left) else max(left, 1.0)
        level = self.contest.levels[step]
        begun = candidate.evaluation if candidate.level.is_begin_of(level) else None
        task = Task(candidate.record.configuration, level, begun=begun)
        return _Running(candidate, self.executor.submit(task, limit))

    def _take_in_order(
        self, running: Sequence[_Running], step: int, deadline: Callable[[], float]
    ) -> None:
        """Promote candidates as they come, those that take too long left out, save the first."""
        for one in running:
            while True:
                for other in running:
                    self._keep(other, step)
                if one.future.done():
                    break
                if deadline() <= 0:
                    return
                late = [other.future for other in running if not other.future.done()]
                wait(late, min(deadline(), LOOK_SECONDS), FIRST_COMPLETED)
            self._keep(one, step)  # it may have ended since
            if one.kept is not None:
                self.contest.promote(one.candidate, step, one.kept)
            elif one is running[0] and isinstance(one.future.exception(), TimeoutError):
                return

    def _keep(self, one: _Running, step: int) -> None:
        """Write what was found as soon as it is, though it may be taken after others."""
        if one.kept is None and one.future.done() and one.future.exception() is None:
            number = one.candidate.record.number
            one.kept = self.contest.kept.save(number, step, one.future.result())

    def _deadline(self, step: int, chosen: Sequence[Candidate]) -> Callable[[], float]:
        """Return how many seconds this level has left, whenever it is called."""
        if self.budget.seconds is None:
            return lambda: math.inf
        begun, left = self.budget.elapsed(), self._seconds_left()
        deeper = self.contest.levels[step + 1 :]
        reachable = [level for level in deeper if self._estimate(chosen[0], level) < left / 2]
        seconds = left * STEP_SHARE if reachable else left
        return lambda: begun + seconds - self.budget.elapsed()

    def _queued_seconds(self, running: Sequence[_Running], level: Level) -> float:
        """Estimate how long a further task would wait for a worker."""
        waiting = sum(
            self._estimate(one.candidate, level) for one in running if not one.future.done()
        )
        n_workers = self.executor.n_workers
        return waiting / n_workers if len(running) >= n_workers else 0.0

    def _estimate(self, candidate: Candidate, level: Level) -> float:
        """Estimate the seconds of a further evaluation from those at the level so far."""
        share, found = self.cost.share_trained, candidate.evaluation
        training = found.training_seconds * share(level) / share(candidate.level)
        other = found.seconds - found.training_seconds
        seconds = training + other * level.n_folds / candidate.level.n_folds
        return seconds - found.seconds if candidate.level.is_begin_of(level) else seconds

    def _result(self) -> SearchResult:
        leading = self.contest.leading()
        if not leading:
            raise SearchError(self._why_nothing())
        level, default = leading[0].level, self.contest.default
        comparable = default is not None and default.level == level
        return SearchResult(
            study=self.study,
            records=tuple(sorted(self.contest.records.values(), key=lambda r: r.number)),
            candidates=tuple(c for c in leading if c.level == level),
            default=default.record if default and comparable else None,
            default_evaluations=(
                (default.evaluation, *default.repeats) if default and comparable else ()
            ),
            interrupted=self.interrupted,
            baselines=self.race.references(),
            parts=self.apart.parts,
            halved=self.apart.halved,
            tried=self.contest.tried,
            leads=self.contest.leads(),
            levels=tuple(self.contest.levels),
            wanted=tuple(one.name for one in self.race.baselines),
        )

    def _why_nothing(self) -> str:
        if self.interrupted:
            return NOTHING_YET
        records = self.contest.records.values()
        reasons = sorted({record.reason for record in records})
        return (
            f"none of the {len(records)} configurations could be evaluated: "
            f"{'; '.join(reasons[:3])}. Try another search space, or check the columns."
        )
