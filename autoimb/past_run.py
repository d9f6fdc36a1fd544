"""A run as one looks back on it: what was asked, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autoimb.errors import ArtifactError, UsageError
from autoimb.manifest import manifest_path, read_manifest
from autoimb.run_file import MODEL_FILE, RUN_FILE, is_at_work, read_run
from autoimb.strategy.configuration import STAGES

__all__ = ["VERSIONS", "PastRun", "name_strategy", "read_past_run", "status_of_unended"]

# By the fields that hold them.
VERSIONS = {
    "autoimb": "autoimb", "python": "python", "numpy": "numpy", "pandas": "pandas",
    "scikit_learn": "scikit-learn", "imbalanced_learn": "imbalanced-learn", "lightgbm": "lightgbm",
}  # fmt: skip


@dataclass(frozen=True)
class PastRun:
    """A run as one looks back on it; None stands for what it has not, or nobody wrote down.

    Attributes
    ----------
    id : str
        Of its MLflow run.
    name : str
    status : str
        "finished"; "running"; "failed"; "killed" by a second Ctrl-C; "stopped" where no process
        is at work any more, and nothing was exported.
    failure : str
        Why it failed.
    started : datetime
    seconds : float
        That it took.
    run_dir : str
        Its folder.
    data : str
        File of the data, or what else they are called.
    data_sha256 : str
        The same for the same rows, columns and labels, whatever the file.
    rows : int
    target, positive, groups, time : str
        Columns, and the class of interest of two.
    metric : str
        That was maximised.
    headline, headline_low, headline_high : float
        Of the metric, corrected for the choice among trials, with its 95 % interval.
    score : float
        Of the metric out of fold, before it is corrected.
    test, test_low, test_high : float
        Of the metric, on untouched rows.
    strategy : str
        What is exported: the parts of the leading strategy, and how many more are blended with it.
    decision_asked, decision : str
        What the decision is to serve, and what serves it.
    threshold : float
        If that is one.
    calibrator : str
    calibration_ece, calibration_slope, calibration_intercept : float
        Out of fold, of the positive class of two, else of the rarest.
    space : str
    n_folds, seed : int
    budget_seconds : float
    budget_trials : int
    blend : bool
    prefer : str
    trials, failed_trials, pruned_trials : int
    autoimb, python, numpy, pandas, scikit_learn, imbalanced_learn, lightgbm : str
        Versions.
    """

    id: str | None = None
    name: str | None = None
    status: str | None = None
    failure: str | None = None
    started: datetime | None = None
    seconds: float | None = None
    run_dir: str | None = None
    data: str | None = None
    data_sha256: str | None = None
    rows: int | None = None
    target: str | None = None
    positive: str | None = None
    groups: str | None = None
    time: str | None = None
    metric: str | None = None
    headline: float | None = None
    headline_low: float | None = None
    headline_high: float | None = None
    score: float | None = None
    test: float | None = None
    test_low: float | None = None
    test_high: float | None = None
    strategy: str | None = None
    decision_asked: str | None = None
    decision: str | None = None
    threshold: float | None = None
    calibrator: str | None = None
    calibration_ece: float | None = None
    calibration_slope: float | None = None
    calibration_intercept: float | None = None
    space: str | None = None
    n_folds: int | None = None
    seed: int | None = None
    budget_seconds: float | None = None
    budget_trials: int | None = None
    blend: bool | None = None
    prefer: str | None = None
    trials: int | None = None
    failed_trials: int | None = None
    pruned_trials: int | None = None
    autoimb: str | None = None
    python: str | None = None
    numpy: str | None = None
    pandas: str | None = None
    scikit_learn: str | None = None
    imbalanced_learn: str | None = None
    lightgbm: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {**asdict(self), "started": self.started and self.started.isoformat()}


def name_strategy(leading: str, n_strategies: int) -> str:
    """Name what is exported.

    Examples
    --------
    >>> name_strategy("lightgbm + smote", 3)
    'lightgbm + smote and 2 more'
    """
    return leading if n_strategies < 2 else f"{leading} and {n_strategies - 1} more"


def status_of_unended(run_dir: str | None) -> str:
    """Tell a run that goes on from one whose process has died, as far as that can be seen."""
    is_here = run_dir is not None and Path(run_dir).is_dir()
    return "stopped" if is_here and not is_at_work(Path(str(run_dir))) else "running"


def read_past_run(path: Path) -> PastRun:
    """Read a run from its folder, or what the manifest of a model tells of it.

    Parameters
    ----------
    path : Path
        Of a folder with a run.json or a model.pkl, or of a model file.

    Returns
    -------
    PastRun

    Raises
    ------
    UsageError
        If there is neither.
    """
    if path.is_dir() and (path / RUN_FILE).exists():
        return _of_folder(path)
    model = path / MODEL_FILE if path.is_dir() else path
    if not manifest_path(model).is_file():
        raise UsageError(
            f"{path} holds no run: neither {RUN_FILE} nor {manifest_path(path / MODEL_FILE).name} "
            "is there. Name a run's folder, or an id of `autoimb runs`."
        )
    manifest = read_manifest(model)
    decided = manifest.get("decided") or {}
    asked = {**manifest, **(manifest.get("origin") or {}), "decision": decided.get("asked")}
    return PastRun(
        name=path.name, status="finished", rows=manifest.get("n_rows"), **_asked(asked),
        **_found(manifest),
    )  # fmt: skip


def _of_folder(folder: Path) -> PastRun:
    run = read_run(folder)
    place = str(folder.absolute())
    facts = run.get("facts") or _facts_of_model(folder)
    status = "finished" if "exported" in run else status_of_unended(place)
    exported, metric = run.get("exported") or {}, str(run.get("metric"))
    test = ((run.get("test") or {}).get("estimates") or {}).get(metric) or {}
    if status != "finished":
        facts = {}
    return PastRun(
        name=folder.absolute().name, status=status, run_dir=place, rows=run.get("rows"),
        data=run.get("data") or run.get("name"), prefer=exported.get("prefer"), **_asked(run),
        test=test.get("value"), test_low=test.get("low"), test_high=test.get("high"),
        **_found({"score": exported.get("score"), **facts}),
    )  # fmt: skip


def _facts_of_model(folder: Path) -> dict[str, Any]:
    """Read what is known of the model beside a run that does not tell it itself."""
    try:
        return read_manifest(folder / MODEL_FILE)
    except ArtifactError:
        return {}


def _asked(asked: Mapping[str, Any]) -> dict[str, Any]:
    same = (
        "data_sha256", "target", "positive", "groups", "time", "metric", "space", "n_folds", "seed",
        "blend",
    )  # fmt: skip
    return {
        **{name: asked.get(name) for name in same},
        "decision_asked": asked.get("decision"),
        "budget_seconds": asked.get("time_budget"),
        "budget_trials": asked.get("n_trials"),
    }


def _found(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give what came of a run, as a manifest tells it."""
    estimate, versions = facts.get("estimate") or {}, facts.get("versions") or {}
    values = (facts.get("decided") or {}).get("values") or {}
    decision = facts.get("decision")
    is_threshold = str(decision).startswith("threshold")
    return {
        "headline": estimate.get("value"),
        "headline_low": estimate.get("low"),
        "headline_high": estimate.get("high"),
        "score": facts.get("score"),
        "strategy": _strategy(facts),
        "decision": decision,
        "threshold": values.get("value") if is_threshold else None,
        "calibrator": facts.get("calibrator"),
        **_calibration(facts.get("calibration") or {}),
        "trials": facts.get("n_trials"),
        "seconds": facts.get("seconds"),
        **{field: versions.get(package) for field, package in VERSIONS.items()},
    }


def _strategy(facts: Mapping[str, Any]) -> str | None:
    flat = facts.get("configuration")
    if flat is None:
        return None
    used = [flat.get(stage, "none") for stage in STAGES]
    leading = " + ".join(name for name in used if name != "none")
    return name_strategy(leading, 1 + len(facts.get("blended") or []))


def _calibration(classes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if not classes:
        return {}
    one = min(classes.values(), key=lambda each: each["prevalence"])
    return {f"calibration_{name}": one.get(name) for name in ("ece", "slope", "intercept")}
