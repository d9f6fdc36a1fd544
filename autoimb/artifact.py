"""The exported model: what it holds, how it is written, checked and loaded.

Nothing here, nor anything that it imports, needs optuna, mlflow or typer.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import platform
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autoimb import __version__
from autoimb.arrays import FloatArray
from autoimb.data.dataset import Labels, Schema, as_table
from autoimb.decision.rules import DecisionRule
from autoimb.errors import ArtifactError, nearest_name
from autoimb.strategy.pipeline import Pipeline

__all__ = ["FittedModel", "load", "manifest_path", "read_manifest", "save", "set_aside"]

FORMAT = 1
# A model is unpickled only by releases of these that agree in their first two numbers.
CHECKED = ("scikit-learn", "lightgbm")
RECORDED = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "lightgbm")


@dataclass(frozen=True)
class FittedModel:
    """An inference-only pipeline with its decision: no sampler, no training row.

    Attributes
    ----------
    pipeline : TrainedPipeline, AveragedPipeline or BlendedPipeline
    schema : Schema
    labels : Labels
    rule : Threshold or ClassWeights
    metric : str
        What the search maximised.
    target : str
        Name of the target column.
    """

    pipeline: Pipeline
    schema: Schema
    labels: Labels
    rule: DecisionRule
    metric: str
    target: str

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
        """
        return self.labels.decode(self.rule.decide(self.proba_by_code(X)))

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
        found = {"label": self.labels.decode(self.rule.decide(proba))}
        for name, column in zip(self.classes_, self.labels.sort_columns(proba).T, strict=True):
            found[f"probability_{name}"] = column
        return pd.DataFrame(found, index=X.index if isinstance(X, pd.DataFrame) else None)

    def proba_by_code(self, X: Any) -> FloatArray:
        """Predict probabilities in the order of the class codes, as the decision takes them."""
        return self.pipeline.predict_proba(self.schema.to_matrix(as_table(X, self.schema)))


def manifest_path(path: Path) -> Path:
    """Name the manifest of a model file.

    Examples
    --------
    >>> manifest_path(Path("churn/model.pkl")).name
    'model.manifest.json'
    >>> manifest_path(Path("churn/model.pkl.1")).name  # of a model that was set aside
    'model.manifest.json.1'
    """
    name, number = path.name, ""
    if (kept := re.fullmatch(r"(.+)(\.\d+)", name)) is not None:
        name, number = kept.groups()
    stem = name.removesuffix(".pkl")
    # Another suffix, or none, is kept apart from NAME.pkl in the same folder.
    mark = "." if stem != name else "-"
    return path.with_name(f"{stem}{mark}manifest.json{number}")


def save(model: FittedModel, path: Path | str, facts: Mapping[str, Any] | None = None) -> Path:
    """Write a model and the manifest that `load` checks it by.

    Parameters
    ----------
    model : FittedModel
    path : Path or str
        Of the pickle. A file that is there already is set aside, not overwritten.
    facts : mapping, optional
        Further entries of the manifest.

    Returns
    -------
    Path
        Of the pickle.
    """
    path = Path(path)
    content = pickle.dumps(model, protocol=5)
    manifest = {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": hashlib.sha256(content).hexdigest(),
        "versions": {
            "python": platform.python_version(),
            "autoimb": __version__,
            **_versions(RECORDED),
        },
        "target": model.target,
        "classes": [str(label) for label in model.labels.classes],
        "positive": None if model.labels.positive is None else str(model.labels.positive),
        "metric": model.metric,
        "decision": str(model.rule),
        "columns": [{"name": str(c.name), "kind": c.kind} for c in model.schema.columns],
        **(facts or {}),
    }
    set_aside(path, manifest_path(path))
    _write(path, content)
    _write(manifest_path(path), json.dumps(manifest, indent=1, default=str).encode())
    return path


def set_aside(*paths: Path) -> Path | None:
    """Rename files that stand where others are to be written.

    Parameters
    ----------
    *paths : Path
        Files that belong together get the same number.

    Returns
    -------
    Path or None
        The new name of the first, ``NAME.1``, ``NAME.2``, …; None if it was not there.
    """
    number = 1
    while any(_numbered(path, number).exists() for path in paths):
        number += 1
    was_there = paths[0].exists()
    for path in paths:
        if path.exists():
            path.rename(_numbered(path, number))
    return _numbered(paths[0], number) if was_there else None


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _write(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as part:
        part.write(content)
    make_readable(Path(part.name))
    Path(part.name).replace(path)


def make_readable(path: Path) -> None:
    """Give a temporary file, which is its owner's alone, the rights of any other file."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a model file.

    Parameters
    ----------
    path : Path
        Of the pickle.

    Returns
    -------
    dict

    Raises
    ------
    ArtifactError
        If model or manifest is not there or cannot be read.
    """
    if not path.is_file():
        models = [found.name for found in path.parent.glob("*.pkl")]
        advice = nearest_name(path.name, models) if models else "check the path."
        raise ArtifactError(f"model file {path} does not exist; {advice}")
    manifest = manifest_path(path)
    if not manifest.is_file():
        raise ArtifactError(
            f"{path}: its manifest {manifest.name} is not beside it. Copy both files."
        )
    try:
        found = json.loads(manifest.read_text("utf-8"))
        return {**found, "sha256": found["sha256"], "versions": found["versions"]}
    except (ValueError, KeyError, TypeError):
        raise ArtifactError(
            f"{manifest}: not a manifest of autoimb. Export the model again."
        ) from None


def load(path: Path | str, *, strict: bool = True) -> FittedModel:
    """Load a model after checking that it is whole and that the versions fit.

    The hash shows damage and mix-ups. It does not show malice, for whoever can exchange the
    model can exchange the manifest: load only what you trust, as with any pickle.

    Parameters
    ----------
    path : Path or str
    strict : bool
        False loads in spite of other versions.

    Returns
    -------
    FittedModel

    Raises
    ------
    ArtifactError
        If a file is missing or damaged, or was written by incompatible versions.
    """
    path = Path(path)
    manifest = read_manifest(path)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
        raise ArtifactError(
            f"{path}: differs from what its manifest describes (sha256). "
            "It is damaged or belongs to another manifest: copy both files again."
        )
    if strict:
        _check_versions(path, manifest)
    model = pickle.loads(content)
    if not isinstance(model, FittedModel):
        raise ArtifactError(f"{path}: holds a {type(model).__name__}, not a model of autoimb.")
    return model


def _check_versions(path: Path, manifest: Mapping[str, Any]) -> None:
    here = _versions(CHECKED)
    for name in CHECKED:
        written = manifest["versions"].get(name)
        if written and written.split(".")[:2] != here.get(name, "").split(".")[:2]:
            raise ArtifactError(
                f"{path}: written with {name} {written}, but here is {here.get(name, 'none')}. "
                f"Install {name}=={written}, or load with strict=False at your own risk."
            )
    if manifest.get("format") != FORMAT:
        raise ArtifactError(
            f"{path}: format {manifest.get('format')}, but this release reads {FORMAT}. "
            f"Install autoimb=={manifest['versions'].get('autoimb')}."
        )


def _versions(names: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
