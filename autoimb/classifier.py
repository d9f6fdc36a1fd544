"""The scikit-learn face of a fit; it holds no logic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, assert_all_finite, check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from autoimb.arrays import AnyArray, FloatArray
from autoimb.artifact import save
from autoimb.data.dataset import make_dataset
from autoimb.data.row_costs import read_row_costs
from autoimb.decision.criteria import Criterion
from autoimb.displays.plotting import Plotting
from autoimb.displays.predictions import Predictions
from autoimb.displays.strategies import StrategiesDisplay
from autoimb.errors import DataError
from autoimb.fit_facts import sum_up
from autoimb.fitted_model import FittedModel
from autoimb.fitting import FitResult, fit_dataset
from autoimb.manifest import write_whole
from autoimb.planning import Plan, Preference
from autoimb.reporting.findings import attempt_findings
from autoimb.reporting.notebook import render_fit
from autoimb.reporting.unsaved import attempt_shared_report, report_of
from autoimb.run_folder import ask_of, open_run, seed_of, write_outcome
from autoimb.search.resources import ExecutorName
from autoimb.tracking import open_tracker

__all__ = ["AutoImbClassifier"]


class AutoImbClassifier(Plotting, ClassifierMixin, BaseEstimator):
    """Classifier that searches sampler, weight, model and decision for rare classes.

    Parameters
    ----------
    metric : str
        A key of `autoimb.metrics.METRICS`.
    time_budget : float or None
        Seconds for the whole fit.
    n_trials : int or None
        Trials; with both limits the first one reached ends the search. With
        `time_budget=None` the same seed gives the same model, whatever `n_jobs` is.
    space : str or Path
        A shipped search space (default, fast, thorough, interpretable, deep) or a TOML file.
    n_folds : int
        Lowered where the rarest class has fewer rows.
    positive : label or None
        The class of interest of two; the rarer one by default.
    n_jobs : int or None
        Cores for trials; None and -1 use every one.
    random_state : int, RandomState or None
    experiment : str or None
        MLflow experiment, "autoimb" by default.
    tracking_uri : str or None
        MLflow store; by default that of MLFLOW_TRACKING_URI, else a file in ``autoimb_runs/``.
        "off" tracks nothing.
    blend : bool
        Whether the leading strategies may be exported as one model; False exports the best alone.
    n_threads : int or None
        Of one model; by default one, on millions of cells more.
    executor : {"processes", "in_process"}
        Where trials run: in worker processes, which can be killed one by one, or in this process,
        for debugging.
    resume : str, Path or None
        Folder of the search: what a fit of these data left there, by whatever end, is gone on
        with, and what it spent counts.
    decision : str, Criterion or None
        What labels are decided by: the best value of the metric (None, or "metric"), of another
        one (its name), or what an object asks for: `Costs`, `Floor`, `Capacity`, `CostMatrix`,
        `FixedThreshold`.
    groups : str or None
        Column of `X` whose rows of one value stay on one side of every split: a patient, a
        customer. It is no feature, and may be absent from the rows to predict.
    time : str or None
        Column of `X`, dates or numbers, that says when each row was: what came before is trained
        on, what came after it scored. It is no feature either.
    prefer : {"best", "simple"}
        Whether the best-scoring strategy is exported, or the plainest that cannot be told from it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    leaderboard_ : Leaderboard
        A DataFrame of strategies, best first.
    recommendation_ : Recommendation
        In plain words.
    profile_ : Profile
    configuration_ : Configuration
        The winner's.
    study_ : optuna.Study
    model_ : FittedModel
        What is exported.
    result_ : FitResult
        All of it.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where `X` was a frame whose names are all strings.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> X, y = make_classification(300, weights=[0.9], random_state=0)
    >>> search = AutoImbClassifier(
    ...     metric="f1", time_budget=None, n_trials=2, executor="in_process",
    ...     tracking_uri="off", random_state=0,
    ... )
    >>> search.fit(X, y).predict_proba(X[:2]).shape
    (2, 2)
    >>> sorted(search.leaderboard_["decision"])
    ['0.5', 'tuned', 'tuned']
    """

    def __init__(
        self,
        metric: str = "average_precision",
        time_budget: float | None = 60.0,
        n_trials: int | None = None,
        space: str | Path = "default",
        n_folds: int = 5,
        positive: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        experiment: str | None = None,
        tracking_uri: str | None = None,
        blend: bool = True,
        n_threads: int | None = None,
        executor: ExecutorName = "processes",
        resume: str | Path | None = None,
        decision: str | Criterion | None = None,
        groups: str | None = None,
        time: str | None = None,
        prefer: Preference = "best",
    ) -> None:
        self.metric = metric
        self.time_budget = time_budget
        self.n_trials = n_trials
        self.space = space
        self.n_folds = n_folds
        self.positive = positive
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.experiment = experiment
        self.tracking_uri = tracking_uri
        self.blend = blend
        self.n_threads = n_threads
        self.executor = executor
        self.resume = resume
        self.decision = decision
        self.groups = groups
        self.time = time
        self.prefer = prefer

    def fit(self, X: Any, y: Any) -> AutoImbClassifier:
        """Search for the best strategy and refit it on all rows.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Strings, dates and missing values are welcome.
        y : array-like of shape (n_samples,)

        Returns
        -------
        AutoImbClassifier

        Raises
        ------
        UsageError
            If a parameter is wrong in itself.
        DataError
            If the table or the target cannot be learned from.
        """
        plan = Plan.checked(
            metric=self.metric,
            space=self.space,
            time_budget=self.time_budget,
            n_trials=self.n_trials,
            n_folds=self.n_folds,
            n_jobs=self.n_jobs,
            seed=_seed(self.random_state, self.resume),
            blend=self.blend,
            n_threads=self.n_threads,
            executor=self.executor,
            decision=self.decision,
            prefer=self.prefer,
        )
        plan.prepare()
        table, y = self._check(X, y)
        costs = None if plan.cost_column is None else read_row_costs(table, plan.cost_column)
        dataset = make_dataset(
            table, y, positive=self.positive, row_costs=costs, groups=self.groups, time=self.time
        )
        plan = plan.suited_to(dataset)
        asked = ask_of(dataset, plan, self.resume)
        folder = None if self.resume is None else Path(self.resume)
        tags = {} if folder is None else {"run_dir": str(folder.absolute())}
        with (
            open_run(folder, asked, plan) as plan,
            open_tracker(self.tracking_uri, self.experiment, tags=tags) as trackers,
        ):
            self.result_ = fit_dataset(dataset, plan, folder=folder, watchers=trackers, asked=asked)
            if folder is not None:
                write_outcome(folder, self.result_)
            if trackers and (page := attempt_shared_report(self.result_)) is not None:
                trackers[0].reported(page)
        return self._found(self.result_)

    def _found(self, result: FitResult) -> AutoImbClassifier:
        """Show what a fit came to."""
        self.model_ = result.model
        self.classes_ = self.model_.classes_
        self.leaderboard_ = result.leaderboard
        self.recommendation_ = result.recommendation
        self.profile_ = result.profile
        self.configuration_ = result.configuration
        self.study_ = result.search.study
        return self

    def predict(self, X: Any) -> AnyArray:
        """Predict labels by the tuned decision.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._model().predict(self._rows(X))

    def predict_proba(self, X: Any) -> FloatArray:
        """Predict the probability of every class.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self._model().predict_proba(self._rows(X))

    def predictions(self, X: Any = None, y: Any = None) -> Predictions:
        """Give what plots are made of: out-of-fold predictions, or those for labelled rows.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features), optional
        y : array-like of shape (n_samples,), optional

        Returns
        -------
        Predictions
        """
        check_is_fitted(self)
        return self.result_.predictions(None if X is None else self._rows(X), y)

    def strategies(self) -> StrategiesDisplay:
        """Give what strategies gain over doing nothing.

        Returns
        -------
        StrategiesDisplay
        """
        check_is_fitted(self)
        return self.result_.strategies()

    def save(self, path: str | Path) -> Path:
        """Export the fitted model with its manifest, its card and what its report tells.

        Parameters
        ----------
        path : str or Path
            A file that is there already is set aside.

        Returns
        -------
        Path
        """
        saved = save(self._model(), path, sum_up(self.result_))
        attempt_findings(self.result_, saved)
        return saved

    def write_report(self, path: str | Path) -> Path:
        """Write the page that explains the choice: one file that needs nothing else.

        Parameters
        ----------
        path : str or Path
            A file that is there already is replaced.

        Returns
        -------
        Path
        """
        check_is_fitted(self)
        return write_whole(Path(path), report_of(self.result_).encode("utf-8", "replace"))

    @property
    def _repr_html_(self) -> Callable[[], str]:
        """Show a finished fit in a notebook; before it, what scikit-learn shows."""
        usual = super()._repr_html_  # none, if scikit-learn is told to show text
        return (lambda: render_fit(self.result_)) if hasattr(self, "result_") else usual

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        """Show the same where a notebook asks for all forms at once."""
        bundle: dict[str, str] = super()._repr_mimebundle_(**options)
        if "text/html" in bundle:
            bundle["text/html"] = self._repr_html_()
        return bundle

    def _model(self) -> FittedModel:
        check_is_fitted(self)
        return self.model_

    def _check(self, X: Any, y: Any) -> tuple[pd.DataFrame, AnyArray]:
        """Check table and target as scikit-learn's estimators do."""
        table = self._rows(X, reset=True)
        if y is None:
            raise DataError("requires y to be passed, but the target y is None.")
        labels = column_or_1d(y, warn=True)
        if pd.isna(labels).any():
            n = int(pd.isna(labels).sum())
            raise DataError(f"y has {n} missing labels (NaN). Drop those rows.")
        if labels.dtype.kind == "f":
            assert_all_finite(labels, input_name="y")
        check_consistent_length(table, labels)
        check_classification_targets(labels)
        return table, labels

    def _rows(self, X: Any, reset: bool = False) -> pd.DataFrame:
        """Note or check the columns; a frame is taken as it is, anything else must be an array."""
        if isinstance(X, pd.DataFrame):
            if reset:
                _check_shape(X)
                validate_data(self, self._features(X), skip_check_array=True)
            return X
        checked = validate_data(self, X, dtype=None, ensure_all_finite=False, reset=reset)
        return pd.DataFrame(checked)

    def _features(self, table: pd.DataFrame) -> pd.DataFrame:
        """Leave out the columns that only say how rows are split."""
        split = (name for name in (self.groups, self.time) if name is not None)
        asked = [name for name in split if name in table.columns]
        return table.drop(columns=asked)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn what is accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _check_shape(table: pd.DataFrame) -> None:
    if not len(table):
        raise DataError("found a table with 0 rows. Give at least a few rows of every class.")
    doubled = table.columns[table.columns.duplicated()].unique().tolist()
    if doubled:
        raise DataError(f"columns {doubled} occur more than once. Rename or drop them.")


def _seed(random_state: int | np.random.RandomState | None, resume: str | Path | None) -> int:
    """Draw one seed, so that everything random follows from it; a run goes on with its own."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    before = seed_of(resume) if random_state is None else None
    if before is not None:
        return before
    return int(check_random_state(random_state).randint(2**31 - 1))
