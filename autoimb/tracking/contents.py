"""Files of a run: what was found, and the model as MLflow opens it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoimb import __version__
from autoimb.artifact import describe_decision, save
from autoimb.data.dataset import Dataset
from autoimb.decision.rules import Threshold
from autoimb.drawing import Picture, take_picture
from autoimb.figures import draw_figure, measure_figures
from autoimb.fit_facts import sum_up
from autoimb.fitted_model import FittedModel
from autoimb.fitting import FitResult
from autoimb.manifest import card_path, read_manifest
from autoimb.profiling.page import render_page
from autoimb.profiling.plots import picture_profile
from autoimb.profiling.profile import Profile
from autoimb.serving import DEFAULT_OUTPUT
from autoimb.tracking.curves import as_plain

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

__all__ = [
    "CARD", "EXPORT", "LEADERBOARD", "rehearse_model", "write_findings", "write_model",
    "write_profile",
]  # fmt: skip

SERVED_BY = "autoimb.serving"
LEADERBOARD = "leaderboard.json"
# Where the model and what stands beside it are written before MLflow takes them.
EXPORT, MODEL, CARD = "export", "model.pkl", card_path(Path("model.pkl")).name
LABEL_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}


def write_profile(profile: Profile, folder: Path) -> None:
    """Write a profile as a record, as a page and as pictures.

    Parameters
    ----------
    profile : Profile
    folder : Path
        Empty.
    """
    pictures = picture_profile(profile)
    _write_json(folder / "profile.json", profile.to_dict())
    (folder / "profile.html").write_text(render_page(profile, pictures), "utf-8")
    _write_pictures(folder, {f"profile_{name}": it for name, it in pictures.items()})


def write_findings(outcome: FitResult, folder: Path) -> None:
    """Write leaderboard, recommendation, configuration, decision, calibration, figures and curves.

    Parameters
    ----------
    outcome : FitResult
    folder : Path
        Empty.
    """
    configuration = dict(outcome.search.best.configuration.flat)
    _write_json(folder / "configuration.json", configuration)
    outcome.leaderboard.to_csv(folder / "leaderboard.csv")
    # As MLflow writes tables, which its UI then shows as such.
    board = outcome.leaderboard.reset_index().to_json(orient="split", index=False)
    (folder / LEADERBOARD).write_text(board, "utf-8")
    sentences = [outcome.recommendation.strategy, *outcome.recommendation.evidence]
    text = "\n".join([*sentences, *outcome.notes]) + "\n"
    (folder / "recommendation.txt").write_text(text, "utf-8")
    _write_json(folder / "recommendation.json", outcome.recommendation.to_dict())
    _write_json(folder / "appraisal.json", outcome.appraisal.to_dict())
    model = outcome.model
    calibration = {name: one.to_dict() for name, one in outcome.calibration.items()}
    _write_json(folder / "decision.json", model.decision.to_dict())
    _write_json(folder / "calibration.json", {"calibrator": model.calibrator.name, **calibration})
    _write_figures(outcome, folder)


def _write_figures(outcome: FitResult, folder: Path) -> None:
    """Write what is drawn as pictures, and as the arrays that they are drawn from."""
    measured = measure_figures(outcome.predictions())
    pictures = {name: take_picture(draw_figure(one)) for name, one in measured.items()}
    _write_pictures(folder, pictures)
    (folder / "curves").mkdir()
    for name, one in measured.items():
        text = json.dumps(as_plain(one), separators=(",", ":"), allow_nan=False)
        (folder / "curves" / f"{name}.json").write_text(text, "utf-8")


def _write_pictures(folder: Path, pictures: Mapping[str, Picture]) -> None:
    (folder / "figures").mkdir()
    for name, picture in pictures.items():
        (folder / "figures" / f"{name}.png").write_bytes(picture.png)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, default=str), "utf-8")


def rehearse_model(folder: Path) -> None:
    """Write a model of nothing, so that a later one is written sooner.

    With the first one MLflow looks through all installed packages and remembers them.

    Parameters
    ----------
    folder : Path
        Empty.
    """
    from mlflow import pyfunc

    requirements = [f"autoimb=={__version__}"]
    pyfunc.save_model(str(folder / "model"), loader_module=SERVED_BY, pip_requirements=requirements)


def write_model(outcome: FitResult, dataset: Dataset, logged: LoggedModel, folder: Path) -> Path:
    """Write the model as MLflow opens it: what it answers is what `autoimb predict` writes.

    Parameters
    ----------
    outcome : FitResult
    dataset : Dataset
        Its few raw rows become the example.
    logged : LoggedModel
        MLflow's entry of the model.
    folder : Path
        Empty.

    Returns
    -------
    Path
        Of the model's folder, in `folder`; beside it lies `EXPORT`, with the card.
    """
    from mlflow import pyfunc
    from mlflow.models import Model

    export = folder / EXPORT
    export.mkdir()
    path = save(outcome.model, export / MODEL, sum_up(outcome))
    versions = {**read_manifest(path)["versions"], "autoimb": __version__}
    requirements = [f"{name}=={found}" for name, found in versions.items() if name != "python"]
    pyfunc.save_model(
        str(folder / "model"),
        loader_module=SERVED_BY,
        data_path=str(export),
        mlflow_model=Model(
            artifact_path=logged.artifact_location,
            model_uuid=logged.model_id,
            model_id=logged.model_id,
            run_id=logged.source_run_id,
            metadata=_tell_decision(outcome.model),
        ),
        signature=_signature(outcome.model),
        input_example=dataset.table,
        # Given, for to find them out MLflow would load the model in another process.
        pip_requirements=requirements,
    )
    return folder / "model"


def _tell_decision(model: FittedModel) -> dict[str, Any]:
    """Say what labels are decided by, for whoever has the model's description alone."""
    rule, told = model.rule, as_plain(describe_decision(model))
    threshold = rule.value if isinstance(rule, Threshold) else None
    return {**told, "threshold": threshold, "metric": model.metric, "target": model.target}


def _signature(model: FittedModel) -> ModelSignature:
    """Name the columns, but leave their types to the model.

    It takes a column in any spelling, as files come: whole numbers for fractions, words for
    missing cells. MLflow would turn those away, or change them.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, DataType, ParamSchema, ParamSpec, Schema

    anything: Any = AnyType  # untyped
    columns = model.schema.columns
    # The columns of an array are known by their places.
    are_named = all(isinstance(column.name, str) for column in columns)
    inputs = [
        ColSpec(anything(), str(c.name) if are_named else None, required=c.kind != "dropped")
        for c in columns
    ]
    if model.cost_column is not None and model.cost_column not in {c.name for c in columns}:
        inputs.append(ColSpec(anything(), model.cost_column, required=True))
    label_type = LABEL_TYPES.get(type(model.labels.classes[0]), anything())
    names = [f"probability_{label}" for label in model.classes_]
    outputs = [ColSpec(label_type, "label"), *(ColSpec("double", name) for name in names)]
    output = ParamSpec("output", DataType.string, default=DEFAULT_OUTPUT)
    return ModelSignature(Schema([*inputs]), Schema([*outputs]), ParamSchema([output]))
