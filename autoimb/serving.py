"""What MLflow opens an exported model with; it needs neither MLflow nor a search."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from autoimb.artifact import load
from autoimb.decision.rules import Threshold
from autoimb.errors import UsageError, nearest_name
from autoimb.fitted_model import FittedModel

__all__ = ["DEFAULT_OUTPUT", "OUTPUTS", "ServedModel"]

OUTPUTS = ("table", "label", "proba", "decision")
DEFAULT_OUTPUT = OUTPUTS[0]


@dataclass(frozen=True)
class ServedModel:
    """An exported model as MLflow calls it.

    Attributes
    ----------
    model : FittedModel
    """

    model: FittedModel

    def predict(self, X: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predict what the command line writes, or the part of it that is asked for.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_columns)
        params : dict, optional
            ``output`` says what is wanted: "table" (the default), "label", "proba" or "decision".

        Returns
        -------
        DataFrame of shape (n_samples, n_outputs)
            "table": columns ``label`` and ``probability_CLASS`` for every class; "label" and
            "proba": these alone; "decision": ``label``, what it was decided by (``rule``), what
            that is to serve (``asked``), and ``threshold``, where that is one.

        Raises
        ------
        UsageError
            If `output` is none of these.
        """
        output = (params or {}).get("output", DEFAULT_OUTPUT)
        if output not in OUTPUTS:
            raise UsageError(f"there is no output {output!r}; {nearest_name(output, OUTPUTS)}")
        table = self.model.predict_table(X)
        if output == "label":
            return table[["label"]]
        if output == "proba":
            return table.drop(columns="label")
        return table if output == "table" else self._explain(table)

    def get_raw_model(self) -> FittedModel:
        """Return the model itself; MLflow looks for this name.

        Returns
        -------
        FittedModel
            With its decision, and all that it can do besides.
        """
        return self.model

    def _explain(self, table: pd.DataFrame) -> pd.DataFrame:
        """Say of each row what its label was decided by."""
        decision = self.model.decision
        told = {"rule": str(decision.rule), "asked": str(decision.criterion)}
        if isinstance(decision.rule, Threshold):
            return table[["label"]].assign(**told, threshold=decision.rule.value)
        return table[["label"]].assign(**told)


def _load_pyfunc(path: str) -> ServedModel:
    """Open the folder that holds ``model.pkl`` and its manifest; MLflow looks for this name."""
    return ServedModel(load(Path(path) / "model.pkl"))
