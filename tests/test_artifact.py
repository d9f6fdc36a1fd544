from __future__ import annotations

import gc
import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command

import autoimb
from autoimb.decision.calibrators import CALIBRATORS
from autoimb.errors import ArtifactError
from autoimb.fitted_model import FittedModel, Packed
from autoimb.manifest import card_path, manifest_path, read_manifest

pytestmark = pytest.mark.usefixtures("few_resamples")

LOAD_AND_PREDICT = """
import json, sys
import pandas as pd
import autoimb
model = autoimb.load(sys.argv[1])
table = pd.read_csv(sys.argv[2])
found = {
    "labels": model.predict(table).tolist(),
    "proba": model.predict_proba(table).tolist(),
    "loaded": sorted({name.partition(".")[0] for name in sys.modules}),
}
print(json.dumps(found))
"""
NEEDED_FOR_FITTING_ONLY = {"optuna", "mlflow", "typer", "imblearn", "pebble", "matplotlib"}


def edit_manifest(model_file: Path, **entries: object) -> None:
    path = manifest_path(model_file)
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


@pytest.mark.slow
def test_a_fresh_process_predicts_the_same_and_imports_little(
    fresh_python: Command, loans: pd.DataFrame, loans_csv: Path, model_file: Path, fitted: Any
) -> None:
    found = fresh_python(LOAD_AND_PREDICT, model_file, loans_csv)
    assert (found.code, found.stderr) == (0, "")
    model = fitted.result.model
    assert found.json["labels"] == model.predict(loans).tolist()
    assert found.json["proba"] == model.predict_proba(loans).tolist()
    assert not NEEDED_FOR_FITTING_ONLY & set(found.json["loaded"])


def test_a_model_comes_back_as_it_was(loans: pd.DataFrame, fitted: Any, tmp_path: Path) -> None:
    model = fitted.result.model
    path = autoimb.save(model, tmp_path / "copy.pkl")
    back = autoimb.load(path)
    assert (back.rule, back.metric, back.target) == (model.rule, model.metric, model.target)
    assert (back.decision, back.calibrator.name) == (model.decision, model.calibrator.name)
    assert np.array_equal(back.predict_proba(loans), model.predict_proba(loans))
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "copy.manifest.json", "copy.pkl", "copy_card.md",
    ]  # fmt: skip


def test_extras_are_recorded_of_a_model_that_holds_them(fitted: Any, tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    model = fitted.result.model
    plain = read_manifest(autoimb.save(model, tmp_path / "plain.pkl"))["versions"]
    assert not {"catboost", "xgboost", "interpret-core"} & set(plain)
    holding = replace(model, packed=Packed((model.pipeline, xgboost.XGBClassifier())))
    found = read_manifest(autoimb.save(holding, tmp_path / "extra.pkl"))["versions"]
    assert found == {**plain, "xgboost": xgboost.__version__}


def test_the_manifest_says_what_the_model_takes_and_gives(model_file: Path) -> None:
    manifest = read_manifest(model_file)
    assert manifest["sha256"] == hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert [(c["name"], c["kind"]) for c in manifest["columns"]] == [
        ("age", "number"),
        ("income", "number"),
        ("city", "category"),
        ("opened", "date"),
        ("member", "number"),
    ]
    assert manifest["classes"] == ["no", "yes"]
    assert manifest["decision"].startswith("threshold 0.")
    assert manifest["decided"]["rule"] == manifest["decision"]
    assert manifest["calibrator"] in CALIBRATORS
    assert {"python", "numpy", "scikit-learn", "lightgbm"} <= set(manifest["versions"])


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_damaged_file_is_not_unpickled(model_file: Path, place: int) -> None:
    content = bytearray(model_file.read_bytes())
    content[place] ^= 1
    model_file.write_bytes(content)
    with pytest.raises(ArtifactError) as caught:
        autoimb.load(model_file)
    assert str(caught.value) == (
        f"{model_file}: differs from what its manifest describes (sha256). "
        "It is damaged or belongs to another manifest: copy both files again."
    )


class Trap:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return pytest.fail, ("unpickled before it was checked",)


def test_what_is_not_the_model_is_not_unpickled(model_file: Path) -> None:
    model_file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ArtifactError, match="sha256"):
        autoimb.load(model_file)
    edit_manifest(
        model_file,
        sha256=hashlib.sha256(model_file.read_bytes()).hexdigest(),
        versions={"scikit-learn": "0.1.2"},
    )
    with pytest.raises(ArtifactError, match=r"scikit-learn 0\.1\.2"):
        autoimb.load(model_file)


def test_a_missing_model_file(tmp_path: Path, model_file: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        autoimb.load(tmp_path / "modle.pkl")
    assert str(caught.value) == (
        f"model file {tmp_path / 'modle.pkl'} does not exist; did you mean 'model.pkl'?"
    )


def test_a_missing_model_file_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        autoimb.load(tmp_path / "model.pkl")
    assert (
        str(caught.value) == f"model file {tmp_path / 'model.pkl'} does not exist; check the path."
    )


def test_a_missing_manifest(model_file: Path) -> None:
    manifest_path(model_file).unlink()
    with pytest.raises(ArtifactError) as caught:
        autoimb.load(model_file)
    assert str(caught.value) == (
        f"{model_file}: its manifest model.manifest.json is not beside it. Copy both files."
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"sha256": "0"}', "\x00", "[" * 99])
def test_what_is_no_manifest(model_file: Path, text: str) -> None:
    manifest_path(model_file).write_text(text)
    with pytest.raises(ArtifactError) as caught:
        autoimb.load(model_file)
    assert str(caught.value) == (
        f"{manifest_path(model_file)}: not a manifest of autoimb. Export the model again."
    )


@pytest.mark.parametrize("package", ["scikit-learn", "lightgbm"])
def test_other_versions_are_refused_unless_asked_for(
    model_file: Path, loans: pd.DataFrame, package: str
) -> None:
    versions = read_manifest(model_file)["versions"]
    here = versions[package]
    edit_manifest(model_file, versions={**versions, package: "0.9.9"})
    with pytest.raises(ArtifactError) as caught:
        autoimb.load(model_file)
    assert str(caught.value) == (
        f"{model_file}: written with {package} 0.9.9, but here is {here}. "
        f"Install {package}==0.9.9, or load with strict=False at your own risk."
    )
    assert len(autoimb.load(model_file, strict=False).predict(loans)) == len(loans)


def test_a_bugfix_release_of_a_package_is_no_other_version(model_file: Path) -> None:
    versions = read_manifest(model_file)["versions"]
    close = ".".join([*versions["scikit-learn"].split(".")[:2], "99"])
    edit_manifest(model_file, versions={**versions, "scikit-learn": close})
    assert autoimb.load(model_file)


def test_a_format_of_the_future_is_refused(model_file: Path) -> None:
    versions = read_manifest(model_file)["versions"]
    edit_manifest(model_file, format=99, versions={**versions, "autoimb": "9.0"})
    with pytest.raises(ArtifactError) as caught:
        autoimb.load(model_file)
    assert str(caught.value) == (
        f"{model_file}: format 99, but this release reads 2. Install autoimb==9.0."
    )


def test_another_object_is_no_model(model_file: Path) -> None:
    model_file.write_bytes(pickle.dumps({"a": 1}))
    edit_manifest(model_file, sha256=hashlib.sha256(model_file.read_bytes()).hexdigest())
    with pytest.raises(ArtifactError) as caught:
        autoimb.load(model_file)
    assert str(caught.value) == f"{model_file}: holds a dict, not a model of autoimb."


def test_a_model_that_is_replaced_can_still_be_loaded(
    loans: pd.DataFrame, fitted: Any, tmp_path: Path
) -> None:
    path = tmp_path / "model.pkl"
    for _ in range(3):
        autoimb.save(fitted.result.model, path)
    names = [path, tmp_path / "model.pkl.1", tmp_path / "model.pkl.2"]
    for name in names:
        assert len(autoimb.load(name).predict(loans)) == len(loans), name


def test_models_beside_each_other_share_no_manifest_and_no_card(
    fitted: Any, tmp_path: Path
) -> None:
    for name in ("a.pkl", "a.pickle", "a"):
        autoimb.save(fitted.result.model, tmp_path / name, {"name": name})
    for name in ("a.pkl", "a.pickle", "a"):
        assert read_manifest(tmp_path / name)["name"] == name
        assert f"autoimb.load('{name}')" in card_path(tmp_path / name).read_text("utf-8")
        assert autoimb.load(tmp_path / name)


def test_a_model_is_as_readable_as_any_file(fitted: Any, tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    path = autoimb.save(fitted.result.model, tmp_path / "model.pkl")
    for file in (path, manifest_path(path), card_path(path)):
        assert file.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_pickle_is_the_same_twice(fitted: Any, tmp_path: Path) -> None:
    paths = [autoimb.save(fitted.result.model, tmp_path / name) for name in ("a.pkl", "b.pkl")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def reachable(root: object) -> list[object]:
    """Walk all that an object holds, but not modules, classes and functions."""
    seen: dict[int, object] = {}
    pending = [root]
    while pending:
        found = pending.pop()
        if id(found) in seen or isinstance(found, type) or type(found).__name__ in SKIPPED:
            continue
        seen[id(found)] = found
        pending += gc.get_referents(found)
    return list(seen.values())


SKIPPED = ("module", "function", "builtin_function_or_method", "method", "_abc_data")
SAMPLERS = {
    "random_over": "imblearn.over_sampling.RandomOverSampler",
    "smote": "imblearn.over_sampling.SMOTE",
    "smote_enn": "imblearn.combine.SMOTEENN",
    "random_under": "imblearn.under_sampling.RandomUnderSampler",
}
MODELS = {
    "lightgbm": 'class = "lightgbm.LGBMClassifier"\ninput = "raw"\nn_estimators = 5\nn_jobs = 1',
    "logistic": 'class = "sklearn.linear_model.LogisticRegression"',
    "forest": 'class = "sklearn.ensemble.RandomForestClassifier"\ninput = "numeric"\n'
    "n_estimators = 5",
    "balanced_forest": 'class = "imblearn.ensemble.BalancedRandomForestClassifier"\n'
    'input = "numeric"\nn_estimators = 5\nwithout = ["sampler"]',
    "easy_ensemble": 'class = "imblearn.ensemble.EasyEnsembleClassifier"\n'
    'input = "numeric"\nn_estimators = 1\nwithout = ["sampler"]',  # of 50 stumps each
    "balanced_bagging": 'class = "imblearn.ensemble.BalancedBaggingClassifier"\n'
    'input = "numeric"\nn_estimators = 3\nwithout = ["sampler"]',
    "rus_boost": 'class = "imblearn.ensemble.RUSBoostClassifier"\n'
    'input = "numeric"\nn_estimators = 3\nwithout = ["sampler"]',
}


def fit_with(tmp_path: Path, loans: pd.DataFrame, model: str, sampler: str) -> Path:
    space = tmp_path / "one.toml"
    space.write_text(
        f'[model.{model}]\n{MODELS[model]}\n[sampler.{sampler}]\nclass = "{SAMPLERS[sampler]}"\n'
    )
    run = autoimb.fit(
        loans.drop(columns="opened"), n_trials=1, time_budget=None, space=space, n_folds=2,
        executor="in_process", tracking_uri="off", run_dir=tmp_path / "run",
    )  # fmt: skip
    return run.model_path


def holds_rows(found: object, loans: pd.DataFrame) -> bool:
    """Tell whether an array has a value for every row, or holds the rows' own figures."""
    if not isinstance(found, np.ndarray) or found.ndim == 0:
        return False
    if len(found) >= len(loans):
        return True
    if found.dtype.kind != "f" or found.ndim != 2:
        return False
    return bool(np.isin(loans["income"].to_numpy(), found).sum() > 5)


def reachable_beside_evidence(model: FittedModel, loans: pd.DataFrame) -> list[object]:
    """Walk all that a model holds; of the rows it keeps classes and predictions, no figures."""
    evidence = model.evidence
    assert evidence is not None
    assert set(vars(evidence)) == {"y", "proba", "row_costs", "cost_column", "n_rows"}
    assert (evidence.y.shape, evidence.y.dtype) == ((len(loans),), np.uint8)
    assert (evidence.proba.shape, evidence.proba.dtype) == ((len(loans), 2), np.float32)
    assert (evidence.row_costs, evidence.cost_column) == (None, None)
    assert model.pipeline.n_fits > 0  # unpickled by being asked for
    return reachable(replace(model, evidence=None))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_sampler_and_no_training_row_is_exported(
    loans: pd.DataFrame, tmp_path: Path, sampler: str
) -> None:
    model = autoimb.load(fit_with(tmp_path, loans, "logistic", sampler))
    found = reachable_beside_evidence(model, loans)
    assert not [type(one) for one in found if hasattr(one, "fit_resample")]
    assert not [one for one in found if holds_rows(one, loans)]
    assert b"imblearn" not in (tmp_path / "run" / "model.pkl").read_bytes()


@pytest.mark.parametrize("model", MODELS)
def test_no_model_takes_training_rows_along(
    loans: pd.DataFrame, tmp_path: Path, model: str
) -> None:
    loaded = autoimb.load(fit_with(tmp_path, loans, model, "smote"))
    found = reachable_beside_evidence(loaded, loans)
    assert not [one for one in found if holds_rows(one, loans)]
