"""The exported model: a pipeline with its calibration, its decision and what that rests on.

Nothing here, nor anything that it imports, needs optuna, mlflow or typer; nor scikit-learn, as
long as nothing is predicted.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.data.dataset import Labels, Schema, as_table
from autoimb.data.row_costs import read_row_costs
from autoimb.decision.calibrators import NO_CALIBRATOR, Calibrator
from autoimb.decision.costs import cost_column_of
from autoimb.decision.criteria import Criterion, Known
from autoimb.decision.deciding import Decision, decide, describe_codes
from autoimb.decision.prevalence import shift_prevalence
from autoimb.decision.rules import PASSED_ON, DecisionRule, TopRows
from autoimb.decision.scored import Scored
from autoimb.displays.plotting import Plotting
from autoimb.displays.predictions import OUT_OF_FOLD, Predictions
from autoimb.errors import UsageError

__all__ = ["Evidence", "FittedModel", "Packed"]


class Predictor(Protocol):
    """What predicts: a trained pipeline, or several."""

    @property
    def n_fits(self) -> int:
        """Number of fitted models."""

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities in the order of the class codes."""


class Packed:
    """A predictor that is unpickled when it is first asked for: decisions change without it.

    Parameters
    ----------
    predictor : Predictor, optional
    content : bytes
        Its pickle, in place of it.

    Examples
    --------
    >>> pickle.loads(pickle.dumps(Packed("any object"))).get()
    'any object'
    """

    def __init__(self, predictor: Any = None, content: bytes = b"") -> None:
        self._predictor = predictor
        self._content = content

    def get(self) -> Any:
        """Return the predictor."""
        if self._content:
            self._predictor, self._content = pickle.loads(self._content), b""
        return self._predictor

    def __reduce__(self) -> tuple[type[Packed], tuple[None, bytes]]:
        """Pickle the predictor apart."""
        return Packed, (None, self._content or pickle.dumps(self._predictor, protocol=5))


@dataclass(frozen=True)
class Evidence:
    """What decisions are solved on: classes and out-of-fold probabilities, but no features.

    Attributes
    ----------
    y : ndarray of shape (n_scored,)
        Class codes.
    proba : ndarray of shape (n_scored, n_classes), float32
        As models gave them that had not seen the row, not calibrated.
    row_costs : ndarray of shape (n_scored,), float32, or None
        Cells of the column of costs, if there is one.
    cost_column : str or None
        Its name.
    n_rows : int or None
        Of the whole table, of which only a part may have been scored.
    """

    y: AnyArray
    proba: AnyArray
    row_costs: AnyArray | None = None
    cost_column: str | None = None
    n_rows: int | None = None

    @classmethod
    def of(
        cls, scored: Scored, cost_column: str | None = None, n_rows: int | None = None
    ) -> Evidence:
        """Store rows in little room."""
        small = np.uint8 if scored.n_classes <= 256 else np.int32
        costs = None if scored.row_costs is None else scored.row_costs.astype(np.float32)
        proba = scored.proba.astype(np.float32)
        return cls(scored.y.astype(small), proba, costs, cost_column, n_rows)

    @property
    def prevalence(self) -> FloatArray:
        """Share of each class."""
        return np.bincount(self.y, minlength=self.proba.shape[1]) / len(self.y)

    def scored(self, calibrate: Calibrator, ratios: FloatArray | None = None) -> Scored:
        """Return calibrated probabilities, at another prevalence if there is one."""
        proba = calibrate(self.proba.astype(float))
        costs = None if self.row_costs is None else self.row_costs.astype(float)
        rows = Scored(self.y.astype(np.intp), proba, costs)
        if ratios is None:
            return rows
        return replace(rows, proba=shift_prevalence(proba, ratios), class_weights=ratios)


@dataclass(frozen=True)
class FittedModel(Plotting):
    """An inference-only pipeline with its decision: no sampler, no training row.

    Attributes
    ----------
    packed : Packed
        The pipeline.
    schema : Schema
    labels : Labels
    decision : Decision
    metric : str
        What the search maximised.
    target : str
        Name of the target column.
    calibrator : Calibrator
        Makes the pipeline's probabilities those of the training data.
    evidence : Evidence or None
        What another decision can be solved on.
    prevalence : tuple of float or None
        Of each class, by code, where the model is aimed at other data than those of training.
    """

    packed: Packed
    schema: Schema
    labels: Labels
    decision: Decision
    metric: str
    target: str
    calibrator: Calibrator = NO_CALIBRATOR
    evidence: Evidence | None = None
    prevalence: tuple[float, ...] | None = None

    @property
    def pipeline(self) -> Predictor:
        """What predicts, before its probabilities are calibrated."""
        found: Predictor = self.packed.get()
        return found

    @property
    def rule(self) -> DecisionRule:
        """The decision rule."""
        return self.decision.rule

    @property
    def cost_column(self) -> str | None:
        """The column that the decision reads, if there is one."""
        return cost_column_of(self.decision.criterion)

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted."""
        return np.asarray(self.labels.classes)

    def predict_proba(self, X: Any) -> FloatArray:
        """Predict the probability of every class.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_columns)
            Columns of a frame may stand in any order.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self.labels.sort_columns(self.proba_by_code(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict labels by the stored decision.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_columns)

        Returns
        -------
        ndarray of shape (n_samples,)
            None where the decision passes a row on.
        """
        return self.labels_of(self.codes(X, self.proba_by_code(X)))

    def predict_table(self, X: Any) -> pd.DataFrame:
        """Predict labels and probabilities as the command line writes them.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_columns)

        Returns
        -------
        DataFrame
            Columns ``label`` and ``probability_CLASS`` for every class.
        """
        proba = self.proba_by_code(X)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return self.tabulate(self.codes(X, proba), proba, index)

    def tabulate(
        self, codes: IntArray, proba: FloatArray, index: pd.Index[Any] | None = None
    ) -> pd.DataFrame:
        """Put codes and probabilities, in the order of the codes, into the table of predictions."""
        found = {"label": self.labels_of(codes)}
        for name, column in zip(self.classes_, self.labels.sort_columns(proba).T, strict=True):
            found[f"probability_{name}"] = column
        return pd.DataFrame(found, index=index)

    def proba_by_code(self, X: Any) -> FloatArray:
        """Predict probabilities in the order of the class codes, as the decision takes them."""
        proba = self.calibrated(self.schema.to_matrix(as_table(X, self.schema)))
        ratios = self._ratios()
        return proba if ratios is None else shift_prevalence(proba, ratios)

    def calibrated(self, matrix: FloatArray) -> FloatArray:
        """Predict probabilities at the prevalence of the training data, given the numbers."""
        return self.calibrator(self.pipeline.predict_proba(matrix))

    def codes(self, X: Any, proba: FloatArray) -> IntArray:
        """Decide rows whose probabilities, in the order of the codes, are known."""
        return self.rule.decide(proba, self.row_costs(X))

    def row_costs(self, X: Any) -> FloatArray | None:
        """Read the column of costs, if the decision takes one."""
        if self.cost_column is None:
            return None
        cells = read_row_costs(as_table(X, self.schema), self.cost_column)
        return np.asarray(cells, dtype=float)

    def labels_of(self, codes: IntArray) -> NDArray[Any]:
        """Turn codes into labels; None where a row is passed on."""
        found = self.labels.decode(np.maximum(codes, 0))
        if not (codes == PASSED_ON).any():
            return found
        found = found.astype(object)
        found[codes == PASSED_ON] = None
        return found

    def _ratios(self) -> FloatArray | None:
        if self.prevalence is None:
            return None
        assert self.evidence is not None
        return np.asarray(self.prevalence) / self.evidence.prevalence

    def out_of_fold(self) -> Scored:
        """Return the rows that decisions are solved on, calibrated and at the aimed prevalence."""
        assert self.evidence is not None
        return self.evidence.scored(self.calibrator, self._ratios())

    def redecided(self, criterion: Criterion) -> FittedModel:
        """Solve another decision on the stored out-of-fold predictions.

        Parameters
        ----------
        criterion : Criterion

        Returns
        -------
        FittedModel

        Raises
        ------
        UsageError
            If no rule could serve it.
        """
        rows = self.out_of_fold()
        counts = np.bincount(rows.y, minlength=rows.n_classes)
        assert self.evidence is not None
        _require_costs(criterion, self.evidence)
        names = tuple(map(str, self.labels.by_code))
        suited = criterion.suited(Known(names, counts, rows.row_costs, self.evidence.n_rows))
        return replace(self, decision=decide(suited, rows))

    def out_of_fold_figures(self) -> list[tuple[str, float]]:
        """Say what the decision comes to on the rows that it was solved on.

        Returns
        -------
        list of (str, float)
            As `describe_codes` gives them.
        """
        rows, codes = self.out_of_fold(), self.out_of_fold_codes()
        return describe_codes(self.decision.criterion, rows, codes)

    def out_of_fold_codes(self) -> IntArray:
        """Decide the rows of `out_of_fold`, of a part of the table as many as its share of it."""
        rows, rule = self.out_of_fold(), self.rule
        rule = rule.on_part() if isinstance(rule, TopRows) else rule
        return rule.decide(rows.proba, rows.row_costs)

    def predictions(self, X: Any = None, y: Any = None) -> Predictions:
        """Give the out-of-fold predictions, or those for labelled rows.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_columns), optional
        y : array-like of shape (n_samples,), optional

        Returns
        -------
        Predictions

        Raises
        ------
        UsageError
            If only one of `X` and `y` is given, or neither, and no predictions are stored.
        DataError
            If `y` does not belong to `X`, or holds a class that training never saw.
        """
        if X is None and y is None:
            if self.evidence is None:
                raise UsageError("the model holds no out-of-fold predictions. Give rows, X and y.")
            rows, codes = self.out_of_fold(), self.out_of_fold_codes()
            aimed = "" if self.prevalence is None else ", at the aimed prevalence"
            return Predictions(
                rows, codes, self.decision, self.labels, self.metric, OUT_OF_FOLD + aimed
            )
        if X is None or y is None:
            raise UsageError(
                "X and y belong together: give both, or neither for the out-of-fold predictions."
            )
        proba = self.proba_by_code(X)
        # After the sklearn-free parts, for what reads labels needs more than what loads a model.
        from autoimb.data.problem import encode_labels

        rows = Scored(encode_labels(y, len(proba), self.labels), proba, self.row_costs(X))
        origin = f"on {len(proba):,} rows given"
        return Predictions(
            rows, self.codes(X, proba), self.decision, self.labels, self.metric, origin,
            calibrated=rows,
        )  # fmt: skip

    def retargeted(self, prevalence: tuple[float, ...]) -> FittedModel:
        """Aim at data where the classes are more or less frequent, and solve the decision again.

        Parameters
        ----------
        prevalence : tuple of float
            Of each class, by code.

        Returns
        -------
        FittedModel
        """
        return replace(self, prevalence=prevalence).redecided(self.decision.criterion)


def _require_costs(criterion: Criterion, evidence: Evidence) -> None:
    """Refuse a column of costs that was not kept."""
    column = cost_column_of(criterion)
    if column is None or column == evidence.cost_column:
        return
    kept = f"that of '{evidence.cost_column}' is" if evidence.cost_column else "none was"
    raise UsageError(
        f"the costs of column '{column}' were not kept with the model ({kept}). Fit with "
        f"--cost-column {column}."
    )
