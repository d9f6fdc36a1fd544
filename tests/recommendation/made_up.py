"""Searches that were never made, of strategies that are as good as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import softmax

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Labels
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.deciding import Decision
from autoimb.decision.rules import argmax_rule
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import score_out_of_fold
from autoimb.evaluation.tasks import Evaluation
from autoimb.metrics import get_metric
from autoimb.recommendation.advice import Case, Recommendation, recommend
from autoimb.recommendation.appraisal import Appraisal, appraise
from autoimb.recommendation.estimation import estimate_scores
from autoimb.search.baselines import Baseline, list_baselines
from autoimb.search.blend import combine
from autoimb.search.contest import Contest
from autoimb.search.excerpt import choose_excerpt
from autoimb.search.journal import EvaluationFolder
from autoimb.search.records import Reference, SearchResult, TrialRecord
from autoimb.search.suggesting import create_study
from autoimb.strategy.configuration import Choice, Configuration

N, N_FOLDS = 300, 3
LIGHTGBM = Choice("lightgbm", "lightgbm.LGBMClassifier")
LOGISTIC = Choice("logistic", "sklearn.linear_model.LogisticRegression")
FOREST = Choice("balanced_forest", "imblearn.ensemble.BalancedRandomForestClassifier", balance=1.0)
SMOTE = Choice("smote", "imblearn.over_sampling.SMOTE", balance=0.5)
POWER = Choice("power", "autoimb.strategy.weights.ClassWeighted", values={"power": 0.75})
DEFAULT = Configuration(LIGHTGBM)
WEIGHTED = Configuration(LIGHTGBM, weight=POWER)
SAMPLED = Configuration(LIGHTGBM, sampler=SMOTE, weight=POWER)
OTHER = Configuration(LOGISTIC)
BALANCED = Configuration(FOREST)
STRATEGIES = (DEFAULT, WEIGHTED, SAMPLED, OTHER, BALANCED)

Skills = Sequence[tuple[Configuration, float]]


@dataclass
class MadeUp:
    """A search whose trials predict by skill and noise.

    Attributes
    ----------
    metric : str
    trials : sequence of tuple of Configuration and float
        The first is the default.
    baselines, parts : mapping of str to float
        Skills.
    levels : sequence of Level
        More than one repeat: what the leading trials have earned.
    n_blended : int
    best : Configuration, optional
        What is chosen; by default what leads.
    max_step : int
        How far the baselines have come.
    noise : float
        Of each trial; that of the rows, which all share, is 1.
    """

    metric: str = "average_precision"
    trials: Skills = ((DEFAULT, 1.0),)
    baselines: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, float] = field(default_factory=dict)
    levels: Sequence[Level] = (Level(N_FOLDS),)
    criterion: Criterion | None = None
    n_classes: int = 2
    n_blended: int = 1
    noise: float = 0.3
    seed: int = 0
    groups: IntArray | None = None
    max_step: int = 9
    prefers_simple: bool = False
    best: Configuration | None = None

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        sizes = [N - 60, 60] if self.n_classes == 2 else [N - 100, 60, 40]
        self.y = self.rng.permutation(np.repeat(np.arange(self.n_classes), sizes))
        self.shared = self.rng.normal(size=(N, self.n_classes))
        deals = [self.rng.permutation(N) % N_FOLDS for _ in self.levels]
        self.evaluator = Evaluator(
            np.zeros((N, 1)), self.y, np.stack(deals), (0,), self.n_classes, self.metric,
            self.seed, criterion=self.criterion, row_costs=self.rng.random(N) + 0.5,
        )  # fmt: skip
        self.evaluator.groups = self.groups
        self.found = self._search()
        chosen = [
            one for one in self.found.candidates if self.best in (None, one.record.configuration)
        ][: self.n_blended]
        self.exported = combine(chosen, self.evaluator)

    def predict(self, skill: float) -> FloatArray:
        own = self.rng.normal(0, self.noise, (N, self.n_classes))
        right = skill * np.eye(self.n_classes)[self.y]
        rarity = np.log(np.bincount(self.y) / N)
        return np.asarray(softmax(right + self.shared + own + rarity, axis=1))

    def evaluate(self, skill: float, level: Level) -> Evaluation:
        evaluator, proba = self.evaluator, self.predict(skill)
        rows, folds = evaluator.scored(level)
        scores = score_out_of_fold(
            get_metric(self.metric), evaluator.select(rows, proba), folds, evaluator.criterion
        )
        return Evaluation(proba.astype(np.float32), scores, 1.0)

    def _search(self) -> SearchResult:
        metric, evaluator, level = get_metric(self.metric), self.evaluator, self.levels[0]
        excerpt = choose_excerpt(evaluator, level).rows
        contest = Contest(metric, self.levels, EvaluationFolder(None), DEFAULT, excerpt)
        for number, (configuration, skill) in enumerate(self.trials):
            one = self.evaluate(skill, level)
            record = TrialRecord(
                number, configuration, "complete", one.scores, 1.0, level=level
            )  # fmt: skip
            contest.add(contest.mark(record), one)
        facts = {"max_neighbors": 5.0}
        raced = [
            b
            for b in list_baselines(DEFAULT, facts)
            if b.configuration == DEFAULT or b.name in self.baselines
        ]
        self._enter_baselines(contest, raced)
        for step, further in enumerate(self.levels[1:], 1):
            for one in contest.leading()[:12]:
                skill = self.trials[one.record.number][1]
                contest.promote(one, step, self.evaluate(skill, further))
            for one in list(contest.references.values()):
                if step <= self.max_step:
                    skill = self.baselines[raced[-1 - one.record.number].name]
                    contest.promote(one, step, self.evaluate(skill, further))
        leading, default = contest.leading(), contest.default
        assert default is not None
        parts = [
            Reference(name, DEFAULT, (self.evaluate(skill, level),), level)
            for name, skill in self.parts.items()
        ]
        return SearchResult(
            create_study(metric, 0), tuple(contest.records.values()), tuple(leading),
            default.record, (default.evaluation, *default.repeats), interrupted=False,
            baselines=tuple(_reference(n, one, contest) for n, one in enumerate(raced)),
            parts=tuple(parts), tried=contest.tried, leads=contest.leads(),
            levels=tuple(self.levels),
        )  # fmt: skip

    def _enter_baselines(self, contest: Contest, raced: Sequence[Baseline]) -> None:
        for place, one in enumerate(raced):
            if one.configuration != DEFAULT:
                found = self.evaluate(self.baselines[one.name], self.levels[0])
                record = TrialRecord(
                    -1 - place, one.configuration, "complete", found.scores, 1.0,
                    level=self.levels[0],
                )  # fmt: skip
                contest.add_reference(record, found)

    def appraise(self) -> Appraisal:
        return appraise(self.found, self.exported, self.evaluator)

    def recommend(self, appraisal: Appraisal | None = None) -> Recommendation:
        appraisal = appraisal or self.appraise()
        exported, evaluator = self.exported, self.evaluator
        tier = appraisal.plainest
        rule = None
        if self.prefers_simple and tier.candidate is not None:
            exported = combine([tier.candidate], evaluator, is_tuned=tier.is_tuned)
            rule = None if tier.is_tuned else argmax_rule(self.n_classes)
        rows, _ = evaluator.scored(self.found.level)
        rule = rule or evaluator.criterion.solve(evaluator.select(rows, exported.proba))
        labels = [*"abc"][: self.n_classes]
        case = Case(
            get_metric(self.metric), appraisal, self.exported,
            Decision(evaluator.criterion, rule),
            estimate_scores(self.found, exported, evaluator, appraisal.optimism),
            Labels.of([*labels[:1], *labels]), int(np.bincount(self.y).min()),
            prefers_simple=exported is not self.exported,
        )  # fmt: skip
        return recommend(case)


def _reference(place: int, one: Baseline, contest: Contest) -> Reference:
    candidate = contest.references.get(-1 - place, contest.default)
    assert candidate is not None
    evaluations = (candidate.evaluation, *candidate.repeats)
    return Reference(
        one.name, one.configuration, evaluations, candidate.level, one.is_tuned,
        contest.tried[candidate.record.number],
    )  # fmt: skip


__all__ = [
    "BALANCED", "DEFAULT", "OTHER", "SAMPLED", "STRATEGIES", "WEIGHTED", "BestMetric", "MadeUp",
]  # fmt: skip
