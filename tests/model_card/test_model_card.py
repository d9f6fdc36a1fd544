"""The card beside a model tells what the fit found, and what the model does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parsed_card import Card, parse_card, rows_of
from test_markdown import WILD, plain

import autoimb
from autoimb import AutoImbClassifier, artifact
from autoimb.data.dataset import Labels, Schema
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import Criterion
from autoimb.decision.fixed import FixedThreshold
from autoimb.decision.floors import Floor
from autoimb.errors import AutoImbWarning
from autoimb.manifest import card_path, read_manifest
from autoimb.model_card.card import render_card
from autoimb.model_card.subject import count_words
from autoimb.retuning import retarget, retune
from autoimb.run_folder import read_run
from autoimb.running import Run

pytestmark = pytest.mark.usefixtures("few_resamples", "quick_appraisal")

FAST: dict[str, Any] = {
    "n_trials": 2, "time_budget": None, "space": "fast", "n_folds": 2, "executor": "in_process",
    "tracking_uri": "off",
}  # fmt: skip
SECTIONS = [
    "Intended use", "Data", "How it was evaluated", "Figures", "Decision", "Class by class",
    "Calibration", "Caveats", "Use", "Make it again", "Versions",
]  # fmt: skip
OF_BINARY = [title for title in SECTIONS if title != "Class by class"]


def read_card(model_path: Path) -> Card:
    return parse_card(card_path(model_path).read_text("utf-8"))


@pytest.fixture
def card(model_file: Path) -> Card:
    return read_card(model_file)


def make_three() -> pd.DataFrame:
    """A table of three classes, the rarest with 36 rows."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(["a", "b", "c"], [144, 60, 36]))
    x = rng.normal(size=240) + 1.5 * (y == "b")
    return pd.DataFrame({"x": x, "z": rng.normal(size=240) + 1.5 * (y == "c"), "target": y})


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("three")
    return autoimb.fit(make_three(), **FAST, metric="f1_macro", run_dir=folder / "run")


# What it tells.


def as_shown(estimate: dict[str, float]) -> str:
    value, low, high = (estimate[name] for name in ("value", "low", "high"))
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def test_the_figures_are_those_of_the_object(
    quick_fit: Command, loans_csv: Path, tmp_path: Path
) -> None:
    told = quick_fit("loans.csv", "--metric", "f1", "--run-dir", "run", "--json").json
    assert told["model_card"] == "run/model_card.md"
    card = parse_card((tmp_path / "run" / "model_card.md").read_text("utf-8"))
    figures, estimates = card["Figures"], told["estimates"]
    rates = {"precision", "recall", "specificity"}
    shown = figures.column("on rows to come")
    assert shown == {n: f"{e['value']:.3f}" for n, e in estimates.items() if n not in rates}
    assert next(iter(shown)) == "f1"
    assert figures.column("95 % interval") == {
        name: f"{estimates[name]['low']:.3f} to {estimates[name]['high']:.3f}" for name in shown
    }
    scores = told["scores"]
    assert figures.column("out of fold") == {n: f"{scores[n]['value']:.3f}" for n in shown}
    corrected = figures.column("corrected for the choice")
    assert [name for name, told in corrected.items() if told == "yes"] == ["f1"]
    assert as_shown(estimates["f1"]) in figures.paragraphs[0]
    for name in rates:
        assert f"{name.capitalize()} {as_shown(estimates[name])}: " in card["Decision"].words
    (reliability,) = told["calibration"].values()
    assert f"(ECE) {reliability['ece']:.3f}: " in card["Calibration"].words


def test_it_is_held_against_the_obvious(card: Card, fitted: Any) -> None:
    found = fitted.result.appraisal
    assert [row[:4] for row in rows_of(card["Figures"], 1)] == [
        [
            one.name, f"{found.baseline_scores[one.name]:.3f}", f"{one.difference:+.3f}",
            f"{one.low:+.3f} to {one.high:+.3f}",
        ]
        for one in found.baselines
    ]  # fmt: skip
    gain = found.baselines[0]
    assert gain.name == "do nothing"
    span = f"{gain.difference:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}): "
    assert "Against doing nothing (" in card["Figures"].paragraphs[0]
    assert span in card["Figures"].paragraphs[0]


def test_it_tells_what_the_data_are(card: Card, fitted: Any) -> None:
    facts = card["Data"].column("value")
    assert facts["rows"] == "160"
    assert facts["classes"] == "no 136 (85 %), yes 24 (15 %)"
    assert (facts["target"], facts["positive class"]) == ("default", "yes")
    run = read_run(fitted.folder)
    assert facts["sha256 of columns, rows and labels"] == run["data_sha256"]
    kinds = card["Data"].column("read as", 1)
    assert kinds.pop("city").startswith("category of 3: ")
    assert kinds == {"age": "number", "income": "number", "opened": "date", "member": "number"}


def test_it_tells_what_was_not_read(loans: pd.DataFrame, tmp_path: Path) -> None:
    table = loans.assign(always=7, other=range(160))
    run = autoimb.fit(table, **FAST, drop=["other"], run_dir=tmp_path / "run")
    unused = read_card(run.model_path)["Data"].column("why", 2)
    assert unused == {"always": "always the same", "other": "left out as asked"}


def test_it_tells_how_it_was_evaluated(card: Card) -> None:
    told = card["How it was evaluated"].words
    assert "(2 folds, averaged over 2 further dealings of rows to folds, seed 0)" in told
    assert "dealt to folds at random" in told


@pytest.mark.parametrize(
    ("option", "column", "told"),
    [
        ("groups", "who", "Rows of one who were never on both sides of a split."),
        ("time", "day", "Models of what came before scored what came after, by day."),
    ],
)
def test_it_tells_how_rows_were_split(
    loans: pd.DataFrame, tmp_path: Path, option: str, column: str, told: str
) -> None:
    table = loans.assign(**{column: np.arange(160) // 2})
    run = autoimb.fit(table, **FAST, **{option: column}, run_dir=tmp_path / "run")
    card = read_card(run.model_path)
    assert told in card["How it was evaluated"].words
    assert column in card["Data"].column("value").values()
    # what time does is not known of a random split alone
    assert ("What time does to it is not known" in card["Caveats"].words) == (option != "time")


def test_findings_and_few_positives_are_caveats(card: Card, fitted: Any) -> None:
    caveats, profile = card["Caveats"].words, fitted.result.profile
    assert profile.findings
    for finding in profile.findings:
        assert f"{finding.severity.capitalize()}: {finding.evidence} {finding.advice}" in caveats
    assert str(profile.power) in caveats
    assert all(note in caveats for note in fitted.result.notes)
    assert "hold where 15 % of the rows are yes" in caveats


def test_untouched_rows_have_a_column_of_their_own(loans: pd.DataFrame, tmp_path: Path) -> None:
    run = autoimb.fit(loans, **FAST, holdout=0.25, run_dir=tmp_path / "run")
    assert run.test is not None
    card = read_card(run.model_path)
    estimates = {name: one.to_dict() for name, one in run.test.estimates.items()}
    tested = card["Figures"].column("on 40 untouched rows")
    assert tested["roc_auc"] == as_shown(estimates["roc_auc"])
    assert f"on the untouched rows {as_shown(estimates['recall'])}." in card["Decision"].words
    assert "scored once on 40 rows" in card["How it was evaluated"].words
    retune(run.model_path, Costs(fn=25.0))
    card = read_card(run.model_path)
    assert card["Figures"].column("on 40 untouched rows")["roc_auc"] == tested["roc_auc"]
    assert "untouched" not in card["Decision"].words


def test_several_classes_have_a_table(three: Run) -> None:
    card, model = read_card(three.model_path), three.result.model
    assert list(card.sections) == SECTIONS
    rows, codes = model.out_of_fold(), model.out_of_fold_codes()
    by_class = card["Class by class"]
    assert [row[0] for row in rows_of(by_class)] == ["a", "b", "c"]
    for k, label in enumerate("abc"):
        right = float(((codes == k) & (rows.y == k)).sum())
        assert by_class.column("precision")[label] == f"{right / (codes == k).sum():.3f}"
        assert by_class.column("recall")[label] == f"{right / (rows.y == k).sum():.3f}"
        flagged = 1000 * (codes == k).mean()
        assert by_class.column("of 1,000 rows labelled so")[label] == count_words(flagged)
        reliability = three.result.calibration[label]
        assert card["Calibration"].column("ECE")[label] == f"{reliability.ece:.3f}"
    assert "the 3 classes of target" in card.lead


def test_a_plainer_strategy_is_not_taken_for_the_best(loans: pd.DataFrame, tmp_path: Path) -> None:
    order = {**FAST, "n_trials": 4, "prefer": "simple", "run_dir": tmp_path / "run"}
    run = autoimb.fit(loans, **order)
    assert run.result.alternative is not None, "these data tell the best from the plainest"
    card = read_card(run.model_path)
    assert "the best-scoring strategy (not this model)" in card["Figures"].words
    assert "Against doing nothing" not in card["Figures"].words
    assert "blend" not in card.lead
    assert "prefer='simple'" in card["Make it again"].code[0][1]


@pytest.mark.parametrize(
    ("slope", "intercept", "words"),
    [
        (1.02, 0.05, "neither too extreme nor too timid"),
        (0.6, 0.0, "too extreme"),
        (1.5, -0.4, "too timid and too high"),
        (1.0, 0.3, "too low"),
        (None, None, "not to be judged"),
    ],
)
def test_calibration_is_told_in_words(
    fitted: Any, model_file: Path, slope: float | None, intercept: float | None, words: str
) -> None:
    manifest = read_manifest(model_file)
    manifest["calibration"]["yes"] |= {"slope": slope, "intercept": intercept}
    card = parse_card(render_card(fitted.result.model, manifest, "model.pkl"))
    assert f"they are {words}." in card["Calibration"].words


def test_hubs_of_models_read_the_front_matter(card: Card) -> None:
    assert card.front["library_name"] == "autoimb"
    assert card.front["pipeline_tag"] == "tabular-classification"
    assert "imbalanced-classification" in card.front["tags"]
    assert set(card.front["metrics"]) == {
        "f1", "roc_auc", "matthews_correlation", "brier_score", "precision", "recall",
    }  # fmt: skip


# Whatever the data hold.


def with_names(model: Any, names: list[str], labels: tuple[str, str], target: str) -> Any:
    """Give columns, classes and target other names."""
    columns = [
        replace(column, name=name, levels=tuple(f"{name}{level}" for level in column.levels))
        for column, name in zip(model.schema.columns, names, strict=True)
    ]
    named = Labels(labels, model.labels.order)
    return replace(model, schema=Schema(tuple(columns)), labels=named, target=target)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(WILD, min_size=9, max_size=9))
def test_no_name_in_the_data_changes_what_the_card_is(model_file: Path, wild: list[str]) -> None:
    model, manifest = autoimb.load(model_file), read_manifest(model_file)
    tame = parse_card(render_card(model, manifest, "model.pkl"))
    names, labels, (target, other) = wild[:5], (wild[5], wild[6] + "2"), wild[7:9]
    manifest["class_counts"] = dict(zip(labels, (136, 24), strict=True))
    manifest["calibration"] = {labels[1]: manifest["calibration"]["yes"]}
    manifest["fit"]["notes"] = [f"left out '{other}'."]
    manifest["fit"]["name"] = manifest["fit"]["asked"]["data"] = other
    manifest["fit"]["findings"] = [
        {"severity": "note", "evidence": f"Column '{other}'", "advice": "is odd.", "columns": []}
    ]
    card = parse_card(
        render_card(with_names(model, names, labels, target), manifest, f"{other}.pkl")
    )
    assert list(card.sections) == list(tame.sections)
    for title, section in card.sections.items():
        assert [len(table) for table in section.tables] == [
            len(table) + (title == "Data" and n == 0) for n, table in enumerate(tame[title].tables)
        ]
        assert {len(row) for table in section.tables for row in table} == {
            len(row) for table in tame[title].tables for row in table
        }
    shown = [row[0] for row in rows_of(card["Data"], 1)]
    assert [plain(name).strip('" ') for name in shown] == [plain(n).strip('" ') for n in names]
    assert any(plain(f"Note: Column '{other}' is odd.") == plain(i) for i in card["Caveats"].items)


def test_a_table_full_of_markup_is_fitted_and_told(loans: pd.DataFrame, tmp_path: Path) -> None:
    names = {"age": "a|b", "income": "`x`", "city": "<script>\n# c", "opened": "[d](e)"}
    table = loans.rename(columns=names).replace({"default": {"yes": "**|yes`", "no": "<no>"}})
    table.to_csv(tmp_path / "odd |`name.csv", index=False)
    run = autoimb.fit(tmp_path / "odd |`name.csv", "default", **FAST, run_dir=tmp_path / "run")
    card = read_card(run.model_path)
    assert list(card.sections) == OF_BINARY
    assert list(card["Data"].column("read as", 1))[:4] == ["a|b", "`x`", "<script> # c", "[d](e)"]
    assert card["Data"].column("value")["positive class"] == "**|yes`"
    assert card["Data"].column("value")["file"] == "odd |`name.csv"


# How it is used.


def run_snippet(card: Card, section: str = "Use") -> dict[str, Any]:
    (source,) = [content for language, content in card[section].code if language == "python"]
    found: dict[str, Any] = {}
    exec(source, found)
    return found


def test_the_snippet_loads_and_predicts(
    cli: Command, model_file: Path, loans: pd.DataFrame, card: Card
) -> None:
    loans.drop(columns="default").to_csv(model_file.with_name("new_rows.csv"), index=False)
    found, model = run_snippet(card), autoimb.load(model_file)
    assert found["labels"].tolist() == model.predict(loans).tolist()
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(loans))
    (shell,) = [content for language, content in card["Use"].code if language == "sh"]
    assert cli(*shlex.split(shell)[1:]).code == 0
    written = pd.read_csv(model_file.with_name("predictions.csv"))
    assert written["label"].tolist() == found["labels"].tolist()


def test_the_snippet_keeps_how_categories_are_spelled(
    loans: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zips = loans["city"].map({"Rome": "00118", "Oslo": "0150", "Lima": "07001"})
    table = loans.assign(city=zips)
    run = autoimb.fit(table, **FAST, out=tmp_path / "it's.pkl", run_dir=tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    table.to_csv("new_rows.csv", index=False)
    found = run_snippet(read_card(run.model_path))
    np.testing.assert_allclose(found["probabilities"], run.result.model.predict_proba(table))


def test_the_snippet_of_a_model_of_an_array_takes_columns_by_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(120) < 0.3).astype(int)
    X = rng.normal(size=(120, 3)) + y[:, None]
    search = AutoImbClassifier(**FAST, random_state=0).fit(X, y)
    card = read_card(search.save(tmp_path / "model.pkl"))
    monkeypatch.chdir(tmp_path)
    pd.DataFrame(X).to_csv("new_rows.csv", index=False, header=False)
    np.testing.assert_allclose(run_snippet(card)["probabilities"], search.predict_proba(X))


# What made it.


QUICK_AGAIN = ("--executor", "in_process", "--tracking-uri", "off")
ORDERS: dict[str, tuple[str, ...]] = {
    "usual": (),
    "costs": ("--cost-fp", "2", "--cost-fn", "25.5", "--abstain-cost", "1.5", "--no-blend"),
    "a floor": ("--metric", "f2", "--min-recall", "0.6", "--confidence", "0.8", "--seed", "3"),
    "rows apart": ("--groups", "city", "--top-k", "9", "--drop", "age", "--holdout", "0.2"),
    "the other class": ("--positive", "no", "--budget", "5m", "--prefer", "simple"),
}


@pytest.mark.slow
@pytest.mark.parametrize("flags", ORDERS.values(), ids=list(ORDERS))
def test_the_command_asks_for_the_same_search(
    cli: Command, loans: pd.DataFrame, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    # few cities make a group of a city too large a part of the rows
    names = [f"city {k % 40}" for k in range(160)]
    loans.assign(city=names).to_csv(tmp_path / "loans.csv", index=False)
    small = ("--trials", "1", "--space", "fast", "--folds", "2", *QUICK_AGAIN)
    done = cli("fit", "loans.csv", *small, *flags, "--run-dir", "run")
    assert done.code == 0, done.stderr
    card = read_card(tmp_path / "run" / "model.pkl")
    (command, *_) = [
        content for language, content in card["Make it again"].code if language == "sh"
    ]
    done = cli(*shlex.split(command)[1:], *QUICK_AGAIN, "--run-dir", "again")
    assert done.code == 0, done.stderr
    runs = [read_run(tmp_path / name) for name in ("run", "again")]
    for run in runs:
        # its folder and model, and how long things took
        del run["run"], run["model"], run["facts"]
    assert runs[0] == runs[1]


def test_the_call_asks_for_the_same_search(
    loans: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = {**FAST, "decision": Costs(fn=25.0), "blend": False, "random_state": 5}
    run = autoimb.fit(loans, "default", **order, drop=["age"], run_dir=tmp_path / "run")
    (_, source), *_ = read_card(run.model_path)["Make it again"].code
    asked: dict[str, Any] = {}

    def note(table: Any, target: str, **options: Any) -> None:
        asked.update(options, table=table, target=target)

    monkeypatch.setattr(autoimb, "fit", note, raising=False)
    exec(source, {"table": loans})
    ours = {"executor", "tracking_uri"}  # where and how, not what
    expected = {name: value for name, value in order.items() if name not in ours}
    expected |= {"drop": ["age"], "positive": "yes", "metric": "average_precision"}
    assert asked == {**expected, "table": loans, "target": "default"}


def test_the_call_of_a_classifier_makes_it_as_it_was(
    loans: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"decision": Floor("recall", 0.5), "metric": "f1", "random_state": 5}
    X, y = loans.drop(columns="default"), loans["default"]
    search = AutoImbClassifier(**FAST, **changes).fit(X, y)
    (_, source), *others = read_card(search.save(tmp_path / "model.pkl"))["Make it again"].code
    assert not others  # no run to replay
    monkeypatch.setattr(AutoImbClassifier, "fit", lambda self, X, y: self)
    found: dict[str, Any] = {"X": X, "y": y}
    exec(source, found)
    given = {
        **search.get_params(),
        "positive": "yes",
        "executor": "processes",
        "tracking_uri": None,
    }
    assert found["search"].get_params() == given


# A decision that is changed.


DECISIONS: list[str | Criterion] = [
    "mcc",
    Costs(fp=1.0, fn=25.0),
    Costs(fp=1.0, fn=4.0, abstain=0.3),
    Floor("recall", 0.5),
    Capacity(k=7),
    FixedThreshold(0.2),
    CostMatrix(("yes", "no"), ((0.0, 30.0), (1.0, 0.0))),
]


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_retuning_rewrites_the_card(model_file: Path, decision: str | Criterion) -> None:
    before, threshold = read_card(model_file), str(autoimb.load(model_file).rule)
    model = retune(model_file, decision)
    card = read_card(model_file)
    told = card["Decision"].words
    assert f"Asked for: {model.decision.criterion}." in told
    assert f"Before: asked for best f1, decided by {threshold}." in told
    # no label figure of the decision before, every figure that needs none
    names = list(card["Figures"].column("on rows to come"))
    assert names == ["average_precision", "roc_auc", "brier", "log_loss"]
    elsewhere = card.lead + card["Figures"].words + card["Use"].words + card["Caveats"].words
    assert threshold.removeprefix("threshold ") not in elsewhere.split()
    figures = dict(model.out_of_fold_figures())
    for name in ("precision", "recall", "specificity", "cost"):
        if name in figures:
            assert f"{name.capitalize()} {figures[name]:.3f}: " in told
        else:
            assert f"{name.capitalize()} " not in told
    batch = " of a batch of 160" if isinstance(decision, Capacity) else ""
    flagged = count_words(figures["flagged_per_1000"])
    assert f"Of 1,000 rows{batch} about {flagged} are labelled yes (alerts): " in told
    assert ("passed on without a label" in told) == ("passed_on_per_1000" in figures)
    assert list(card.sections) == list(before.sections)


def test_a_decision_that_comes_back_brings_its_figures_back(model_file: Path) -> None:
    before = read_card(model_file)
    retune(model_file, Costs(fn=25.0))
    retune(model_file, "metric")
    after = read_card(model_file)
    assert after["Figures"] == before["Figures"]
    for title in before.sections:
        if title not in ("Decision", "Versions"):
            assert after[title] == before[title]
    rates = [item for item in before["Decision"].items if item.startswith(("Prec", "Rec", "Of 1"))]
    assert set(rates) <= set(after["Decision"].items)
    assert after.lead == before.lead


def test_the_searched_metric_is_left_out_where_it_is_one_of_labels(
    three: Run, tmp_path: Path
) -> None:
    retune(three.model_path, "mcc", out=tmp_path / "other.pkl")
    card = read_card(tmp_path / "other.pkl")
    assert "f1_macro" not in card["Figures"].column("on rows to come")
    assert "f1_macro" not in card["Figures"].words
    assert "The decision was changed after the fit." in card["Figures"].words


def test_aiming_elsewhere_rewrites_the_card(model_file: Path) -> None:
    retarget(model_file, prevalence=0.02)
    card = read_card(model_file)
    assert "aimed at rows of these classes: no 98 %, yes 2 %." in card["Decision"].words
    assert "about 2 % of them yes" in card["Intended use"].words
    assert "measured where 15 % of the rows are yes" in card["Figures"].words
    assert "f1" not in card["Figures"].column("on rows to come")
    assert "Measured before they were aimed" in card["Calibration"].words
    assert "--prevalence 0.02" in card["Make it again"].code[-1][1]
    assert "hold where 15 %" not in card["Caveats"].words


@pytest.mark.parametrize(
    "change", [lambda path: retune(path, "mcc"), lambda path: retarget(path, prevalence=0.1)]
)
def test_the_commands_that_changed_it_change_it_so(
    cli: Command, fitted: Any, model_file: Path, change: Callable[[Path], Any]
) -> None:
    change(model_file)
    changed = autoimb.load(model_file)
    commands = read_card(model_file)["Make it again"].code[-1][1].splitlines()
    for name in ("model.pkl", "model.manifest.json"):
        (model_file.parent / name).write_bytes((fitted.folder / name).read_bytes())
    for command in commands:
        assert cli(*shlex.split(command)[1:]).code == 0
    assert autoimb.load(model_file).decision == changed.decision


def test_a_promise_that_does_not_hold_is_told(loans: pd.DataFrame, tmp_path: Path) -> None:
    order = {**FAST, "decision": Floor("precision", 0.85, 0.8), "run_dir": tmp_path / "run"}
    run = autoimb.fit(loans, **order)
    assert run.result.model.decision.shortfall, "the rows suffice"
    told = f"The promise does not hold: {run.result.model.decision.shortfall}."
    assert told in read_card(run.model_path)["Decision"].words


def test_a_column_of_costs_is_asked_for(loans: pd.DataFrame, tmp_path: Path) -> None:
    order = {**FAST, "decision": Costs(fp=9000.0, column="income"), "run_dir": tmp_path / "run"}
    card = read_card(autoimb.fit(loans, **order).model_path)
    assert "It reads the column income, which rows to predict must have." in card["Decision"].words
    assert re.search(r"Cost \d+\.\d{3} \(", card["Decision"].words)


# Where it lies.


def test_a_classifier_saves_it_too(loans: pd.DataFrame, tmp_path: Path) -> None:
    search = AutoImbClassifier(**FAST, random_state=0)
    search.fit(loans.drop(columns="default"), loans["default"])
    search.save(tmp_path / "churn.pkl")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "churn.manifest.json", "churn.pkl", "churn_card.md", "churn_findings.json",
    ]  # fmt: skip
    card = read_card(tmp_path / "churn.pkl")
    assert list(card.sections) == OF_BINARY
    assert "autoimb.load('churn.pkl')" in card["Use"].code[0][1]


def test_of_a_model_without_its_fit_it_tells_what_there_is(model_file: Path) -> None:
    path = autoimb.save(autoimb.load(model_file), model_file.with_name("bare.pkl"))
    card = read_card(path)
    assert list(card.sections) == [
        "Intended use", "Data", "Decision", "Calibration", "Caveats", "Use", "Versions",
    ]  # fmt: skip
    assert not any(section.is_empty for section in card.sections.values())
    assert "counted out of fold" in card["Decision"].words
    without = replace(autoimb.load(model_file), evidence=None)
    card = read_card(autoimb.save(without, model_file.with_name("barer.pkl")))
    assert not any(section.is_empty for section in card.sections.values())


def test_it_is_set_aside_with_its_model(model_file: Path) -> None:
    first = card_path(model_file).read_text("utf-8")
    autoimb.save(autoimb.load(model_file), model_file)
    assert card_path(model_file).read_text("utf-8") != first
    assert model_file.with_name("model_card.md.1").read_text("utf-8") == first


def test_that_there_is_no_room_for_it_costs_a_warning_and_no_model(
    model_file: Path, loans: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = artifact.write_whole

    def limited(path: Path, content: bytes) -> None:
        if path.suffix == ".md":
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr("autoimb.artifact.write_whole", limited)
    with pytest.warns(AutoImbWarning, match="model_card.md cannot be written"):
        retune(model_file, "mcc")
    assert not card_path(model_file).exists()
    assert len(autoimb.load(model_file).predict(loans)) == len(loans)


def test_what_somebody_wrote_in_it_is_kept(model_file: Path) -> None:
    place = card_path(model_file)
    own = place.read_text("utf-8") + "\nLicence: ours.\n"
    place.write_text(own, "utf-8")
    with pytest.warns(AutoImbWarning, match=r"changed by hand: it is kept as model_card\.md\.1"):
        retune(model_file, "mcc")
    assert place.with_name("model_card.md.1").read_text("utf-8") == own
    assert "Asked for: best mcc." in read_card(model_file)["Decision"].words
    retune(model_file, "f1")
    assert not place.with_name("model_card.md.2").exists()


def test_the_command_says_where_it_lies(quick_fit: Command, loans_csv: Path) -> None:
    found = quick_fit("loans.csv", "--run-dir", "run")
    assert "\nCard   run/model_card.md\n" in found.stdout
