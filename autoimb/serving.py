"""What MLflow opens an exported model with; it needs neither MLflow nor a search."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from autoimb.artifact import load
from autoimb.fitted_model import FittedModel

__all__ = ["ServedModel"]


@dataclass(frozen=True)
class ServedModel:
    """An exported model as MLflow calls it.

    Attributes
    ----------
    model : FittedModel
    """

    model: FittedModel

    def predict(self, X: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predict labels and probabilities as the command line writes them.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_columns)
        params : dict, optional
            Passed by MLflow; there are none.

        Returns
        -------
        DataFrame
            Columns ``label`` and ``probability_CLASS`` for every class.
        """
        return self.model.predict_table(X)


def _load_pyfunc(path: str) -> ServedModel:
    """Open the folder that holds ``model.pkl`` and its manifest; MLflow looks for this name."""
    return ServedModel(load(Path(path) / "model.pkl"))
