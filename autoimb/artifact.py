"""Files of the exported model: how they are written, checked and loaded."""

from __future__ import annotations

import hashlib
import pickle
import platform
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from autoimb import __version__
from autoimb.errors import ArtifactError, AutoImbWarning
from autoimb.fitted_model import FittedModel
from autoimb.manifest import (
    card_path,
    findings_path,
    manifest_path,
    read_manifest,
    set_aside,
    write_manifest,
    write_whole,
)
from autoimb.model_card.card import render_card

__all__ = [
    "add_facts", "describe_decision", "installed_versions", "load", "save", "save_changed",
]  # fmt: skip

FORMAT = 2
# A model is unpickled only by releases of these that agree in their first two numbers.
CHECKED = ("scikit-learn", "lightgbm")
# Entries of a manifest that tell of the decision.
OF_DECISION = ("decision", "decided", "prevalence", "recommendation", "changed")
RECORDED = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "lightgbm")
# Recorded of a model that holds something of them, by the name they are imported by.
EXTRAS = {"catboost": "catboost", "xgboost": "xgboost", "interpret": "interpret-core"}


def save(model: FittedModel, path: Path | str, facts: Mapping[str, Any] | None = None) -> Path:
    """Write a model, the manifest that `load` checks it by, and a card for people to read.

    Parameters
    ----------
    model : FittedModel
    path : Path or str
        Of the pickle. A file that is there already is set aside, not overwritten.
    facts : mapping, optional
        Further entries of the manifest; of a fit those of `autoimb.fit_facts.sum_up`, which the
        card is made of.

    Returns
    -------
    Path
        Of the pickle.
    """
    path = Path(path)
    content = pickle.dumps(model, protocol=5)
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": hashlib.sha256(content).hexdigest(),
        "versions": {**installed_versions(), **_versions(tuple(_held(content)))},
        "target": model.target,
        "classes": [str(label) for label in model.labels.classes],
        "positive": None if model.labels.positive is None else str(model.labels.positive),
        "metric": model.metric,
        **describe_decision(model),
        "columns": [{"name": str(c.name), "kind": c.kind} for c in model.schema.columns],
        **(facts or {}),
    }
    _set_aside(path)
    write_whole(path, content)
    write_manifest(path, manifest)
    _write_card(model, path, manifest)
    return path


def _set_aside(path: Path) -> None:
    set_aside(path, manifest_path(path), card_path(path), findings_path(path))


def _write_card(model: FittedModel, path: Path, manifest: Mapping[str, Any]) -> None:
    """Write what people read of a model; that there is no room for it costs no model."""
    content, place = _render_card(model, path, manifest), card_path(path)
    try:
        write_whole(place, content)
    except OSError as error:
        warnings.warn(
            f"{place} cannot be written ({error.strerror}): the model has no card. Make room on "
            "the disk and save it again.",
            AutoImbWarning,
            stacklevel=3,
        )


def _render_card(model: FittedModel, path: Path, manifest: Mapping[str, Any]) -> bytes:
    return render_card(model, manifest, path.name).encode("utf-8", "replace")


def _retire_card(model: FittedModel, path: Path, manifest: Mapping[str, Any]) -> None:
    """Remove the card of a model that is about to change, or keep what somebody made of it."""
    place = card_path(path)
    if place.is_file() and place.read_bytes() != _render_card(model, path, manifest):
        kept = set_aside(place)
        assert kept is not None
        text = f"{place} was changed by hand: it is kept as {kept.name}, and a new one is written."
        warnings.warn(text, AutoImbWarning, stacklevel=4)
    place.unlink(missing_ok=True)


def add_facts(model: FittedModel, path: Path, facts: Mapping[str, Any]) -> None:
    """Add to the manifest of a model what came to be known after it was saved, and to its card.

    Parameters
    ----------
    model : FittedModel
    path : Path
        Of the pickle.
    facts : mapping
        Entries of the manifest.
    """
    manifest = {**read_manifest(path), **facts}
    write_manifest(path, manifest)
    _write_card(model, path, manifest)


def save_changed(
    model: FittedModel,
    path: Path,
    out: Path | None,
    facts: Mapping[str, Any],
    changed_from: FittedModel,
) -> Path:
    """Write a model that was made of a saved one; its manifest keeps the decisions before.

    The card is written anew. At no time one is there that tells of another decision than the
    model's; one that was changed by hand is kept under another name.

    Parameters
    ----------
    model : FittedModel
        With another decision.
    path : Path
        Of the saved one.
    out : Path or None
        Another file, where one that is there already is set aside; None takes the place of the
        saved one. A crash between its two files leaves a pair that loads, with either decision.
    facts : mapping
        Entries of the manifest that are others than before.
    changed_from : FittedModel
        The saved one.

    Returns
    -------
    Path
        Of the pickle.
    """
    before, content = read_manifest(path), pickle.dumps(model, protocol=5)
    earlier = {name: before[name] for name in OF_DECISION if before.get(name) is not None}
    there = hashlib.sha256(path.read_bytes()).hexdigest()
    # After a crash the manifest may tell of a decision that never came to be.
    kept = [*before.get("decisions_before", []), *[earlier] * (there == before["sha256"])]
    manifest = {
        **before,
        "sha256": hashlib.sha256(content).hexdigest(),
        "sha256_before": there,
        **describe_decision(model),
        **facts,
        "changed": datetime.now(UTC).isoformat(timespec="seconds"),
        "decisions_before": kept,
    }
    if out is not None:
        _set_aside(out)
    place = out or path
    write_manifest(place, manifest)
    _retire_card(changed_from, place, before)
    write_whole(place, content)
    _write_card(model, place, manifest)
    return place


def installed_versions() -> dict[str, str]:
    """Name the versions that a model is made by: of Python, autoimb and what it rests on.

    Examples
    --------
    >>> sorted(installed_versions())[:3]
    ['autoimb', 'imbalanced-learn', 'lightgbm']
    """
    here = {"python": platform.python_version(), "autoimb": __version__}
    return {**here, **_versions(RECORDED)}


def describe_decision(model: FittedModel) -> dict[str, Any]:
    """Say in plain values what is decided, and from which probabilities."""
    aimed = model.prevalence
    names = map(str, model.labels.by_code)
    return {
        "decision": str(model.rule),
        "decided": model.decision.to_dict(),
        "calibrator": model.calibrator.name,
        "prevalence": None if aimed is None else dict(zip(names, aimed, strict=True)),
    }


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
    if hashlib.sha256(content).hexdigest() not in (
        manifest["sha256"], manifest.get("sha256_before"),
    ):  # fmt: skip
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


def _held(content: bytes) -> list[str]:
    """Name the extras whose modules a pickle refers to."""
    return [name for module, name in EXTRAS.items() if f"{module}.".encode() in content]


def _versions(names: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
