"""The report of a fit: what it answers, that nothing in it runs or loads, and how it is remade."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import QUICK, Command
from html_reader import HOSTILE, Page

import autoimb
from autoimb.decision.costs import Costs
from autoimb.errors import ArtifactError, AutoImbWarning
from autoimb.manifest import findings_path, manifest_path, report_path
from autoimb.markup import number
from autoimb.reporting.report import SECTIONS, report_on
from autoimb.reporting.stored import read_charts, read_findings
from autoimb.reporting.trials import render_unfinished
from autoimb.reporting.unsaved import report_of
from autoimb.retuning import retarget, retune
from autoimb.running import Run

FAST: dict[str, Any] = {
    "n_trials": 3, "time_budget": None, "space": "fast", "n_folds": 2, "executor": "in_process",
    "tracking_uri": "off",
}  # fmt: skip
MAX_BYTES = 3_000_000
TIME = re.compile(r"\d\d:\d\d:\d\d")

pytestmark = pytest.mark.usefixtures("few_resamples", "quick_appraisal")


@pytest.fixture
def run_dir(fitted: Run, tmp_path: Path) -> Path:
    """A finished run, to do with as a test likes."""
    return Path(shutil.copytree(fitted.folder, tmp_path / "run"))


def read_page(path: Path) -> str:
    return path.read_text("utf-8")


def require_every_chart(html: str) -> None:
    """Require a place for each chart that the page holds, and no other."""
    places = [one["data-chart"] for one in Page(html).all("div") if "data-chart" in one]
    stored = re.search(r'<script type="application/json" id="charts">(.*?)</script>', html)
    assert stored is not None
    assert sorted(str(place) for place in places) == sorted(json.loads(stored[1]))


def words_of(html: str) -> str:
    """Return what a person reads, in one line."""
    return " ".join(Page(html).text.split())


def test_a_fit_leaves_one_page_that_loads_nothing(fitted: Run) -> None:
    html = read_page(fitted.report_path)
    assert len(html.encode()) < MAX_BYTES
    page = Page(html)
    assert not page.all("link") + page.all("img") + page.all("iframe")
    assert [s for s in page.all("script") if "src" in s] == []
    assert all((link["href"] or "").startswith("#") for link in page.all("a"))
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policy is not None
    assert policy.startswith("default-src 'none';") and "unsafe-eval" not in policy


def test_it_opens_with_strategy_worth_and_operating_point(fitted: Run) -> None:
    text = words_of(read_page(fitted.report_path))
    result = fitted.result
    estimate = result.estimates[result.metric.name]
    top = text[: text.index("What if?", 200)]
    assert f"Recommended: {result.recommendation.strategy}" in top
    assert f"A blend of {len(result.exported.members)} strategies".lower() in top
    assert f"{estimate.value:.3f} 95 %: {estimate.low:.3f} to {estimate.high:.3f}" in top
    assert f"threshold {result.model.rule.value:.3g}" in top  # type: ignore[union-attr]


def test_it_says_of_every_strategy_whether_it_was_worth_it(fitted: Run) -> None:
    text = words_of(read_page(fitted.report_path))
    shown = fitted.result.strategies()
    assert "SMOTE 1:1" in shown.names
    for name, gain in zip(shown.names, shown.gain, strict=True):
        row = text[text.index("was it worth it?") :]
        after = row[row.index(name) :][: len(name) + 60]
        assert name == shown.reference or f"{gain:+.3f}" in after


def test_all_sections_are_there_and_linked(fitted: Run) -> None:
    page = Page(read_page(fitted.report_path))
    anchors = [one["id"] for one in page.all("section") if "id" in one]
    assert [name for name in SECTIONS if name not in anchors] == []
    assert {f"#{name}" for name in SECTIONS} <= {link["href"] for link in page.all("a")}


def test_every_chart_that_was_made_has_its_place(fitted: Run) -> None:
    require_every_chart(read_page(fitted.report_path))
    assert read_charts(read_findings(fitted.model_path))


def test_names_from_the_data_are_text(loans: pd.DataFrame, tmp_path: Path) -> None:
    table = loans.rename(columns={"city": HOSTILE})
    table["default"] = table["default"].map({"no": "<b>no</b>", "yes": HOSTILE})
    run = autoimb.fit(table, "default", run_dir=tmp_path / "run", **FAST)
    html = read_page(run.report_path)
    page = Page(html)
    assert {} not in page.all("b") and not page.all("img")
    assert HOSTILE in page.text
    scripts = [one for one in page.all("script") if one.get("type") is None]
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policy is not None and len(scripts) == policy.count("sha256-") - 1


def test_the_command_makes_the_same_page_again(cli: Command, run_dir: Path) -> None:
    page = run_dir / "report.html"
    before = read_page(page)
    page.unlink()
    assert cli("report", str(run_dir)).code == 0
    # Commands in it name the model as it was named.
    made = {name: words_of(each) for name, each in (("a", before), ("b", read_page(page)))}
    assert made["a"].replace(str(run_dir), "") == made["b"].replace(str(run_dir), "")


def test_the_page_of_a_model_elsewhere_lies_beside_it(cli: Command, model_file: Path) -> None:
    moved = model_file.rename(model_file.with_name("churn.pkl"))
    manifest = model_file.with_name("model.manifest.json")
    manifest.rename(moved.with_name("churn.manifest.json"))
    found = cli("report", "churn.pkl", "--json")
    assert found.json == {"report": str(report_path(Path("churn.pkl")))}
    text = words_of(read_page(moved.with_name("churn_report.html")))
    assert "churn_findings.json is not beside the model" in text
    assert "Was it worth it?" not in text


@pytest.mark.parametrize("subject", ["nowhere", "nowhere.pkl", "loans.csv"])
def test_what_is_no_run_is_one_line(cli: Command, loans_csv: Path, subject: str) -> None:
    found = cli("report", subject)
    assert found.code and found.stderr.startswith("error: ") and found.stderr.count("\n") == 1


def test_another_decision_is_told_at_once(run_dir: Path) -> None:
    model = run_dir / "model.pkl"
    changed = retune(model, Costs(fp=1.0, fn=25.0))
    text = words_of(read_page(run_dir / "report.html"))
    assert f"threshold {changed.rule.value:.3g}" in text  # type: ignore[union-attr]
    assert "given this decision after the fit" in text
    assert "The search" in text


def test_another_file_takes_what_the_fit_found_along(run_dir: Path, tmp_path: Path) -> None:
    retune(run_dir / "model.pkl", Costs(fp=1.0, fn=25.0), out=tmp_path / "costs.pkl")
    before, after = read_findings(run_dir / "model.pkl"), read_findings(tmp_path / "costs.pkl")
    assert after == before != {}


def test_another_prevalence_is_told(run_dir: Path) -> None:
    retarget(run_dir / "model.pkl", prevalence=0.01)
    assert "aimed at another prevalence after the fit" in words_of(
        read_page(run_dir / "report.html")
    )


def test_a_report_that_cannot_be_made_costs_no_model(
    loans: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise ValueError("no curves")

    monkeypatch.setattr("autoimb.reporting.report.draw_curves", fail)
    with pytest.warns(AutoImbWarning, match=r"report\.html was not written.*no curves.*report"):
        run = autoimb.fit(loans, "default", run_dir=tmp_path / "run", holdout=0.2, **FAST)
    assert run.test is not None
    assert len(autoimb.load(run.model_path).predict(loans)) == len(loans)
    assert not run.report_path.exists()


def test_findings_that_cannot_be_gathered_cost_no_model(
    loans: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise ValueError("no charts")

    monkeypatch.setattr("autoimb.reporting.findings.draw_search", fail)
    with pytest.warns(AutoImbWarning, match=r"model_findings\.json was not written.*no charts"):
        run = autoimb.fit(loans, "default", run_dir=tmp_path / "run", holdout=0.2, **FAST)
    assert run.test is not None
    assert "Explore the threshold" in words_of(read_page(run.report_path))


def test_findings_that_are_no_record_of_ours_are_none(run_dir: Path) -> None:
    path = findings_path(run_dir / "model.pkl")
    older = json.dumps({**json.loads(path.read_text()), "format": 0})
    for content in ('{"charts": []}', "[]", older):
        path.write_text(content)
        text = words_of(report_on(run_dir / "model.pkl"))
        assert "model_findings.json is not beside the model" in text
        assert "Was it worth it?" not in text


def test_a_manifest_of_another_release_is_one_clear_error(run_dir: Path) -> None:
    path = manifest_path(run_dir / "model.pkl")
    manifest = json.loads(path.read_text())
    del manifest["fit"]["training"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"tells nothing of 'training'.*Fit the model again"):
        report_on(run_dir / "model.pkl")


def test_several_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    label = rng.choice(["low", "mid", "high"], 240, p=[0.7, 0.2, 0.1])
    x = rng.normal(pd.Series(label).map({"low": 0.0, "mid": 1.5, "high": 3.0}), 1.0)
    table = pd.DataFrame({"x": x, "noise": rng.normal(size=240), "level": label})
    run = autoimb.fit(table, "level", metric="f1_macro", run_dir=tmp_path / "run", **FAST)
    html = read_page(run.report_path)
    text = words_of(html)
    assert "operating-points" not in html
    assert all(name in text for name in ("low", "mid", "high"))
    assert "<h3>Class by class</h3>" in html
    require_every_chart(html)


def test_the_classifier_writes_the_same_page(loans: pd.DataFrame, tmp_path: Path) -> None:
    X, y = loans.drop(columns="default"), loans["default"]
    search = autoimb.AutoImbClassifier(**FAST, random_state=0).fit(X, y)
    path = search.write_report(tmp_path / "loans.html")
    again = report_of(search.result_)
    assert TIME.sub("", words_of(read_page(path))) == TIME.sub("", words_of(again))


def test_the_page_in_mlflow_holds_no_cells_of_rows(
    loans: pd.DataFrame, empty_store: bytes, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    (tmp_path / "mlflow.db").write_bytes(empty_store)
    store = f"sqlite:///{tmp_path}/mlflow.db"
    asked = {**FAST, "tracking_uri": store}
    run = autoimb.fit(loans, "default", run_dir=tmp_path / "run", **asked)
    client = MlflowClient(tracking_uri=store)
    page = client.download_artifacts(str(run.run_id), "report.html", str(tmp_path))
    shared, own = words_of(read_page(Path(page))), words_of(read_page(run.report_path))
    assert run.result.explanation is not None
    incomes = [float(str(row.values["income"])) for row in run.result.explanation.hardest]
    assert [number(x) for x in incomes if number(x) not in own] == []
    assert [number(x) for x in incomes if number(x) in shared] == []
    assert "the report beside the model shows them" in shared
    assert "Was it worth it?" in shared


def test_the_page_of_a_model_elsewhere_follows_it(
    cli: Command, loans: pd.DataFrame, tmp_path: Path
) -> None:
    out = tmp_path / "churn.pkl"
    run = autoimb.fit(loans, "default", run_dir=tmp_path / "run", out=out, **FAST)
    assert run.report_path == tmp_path / "churn_report.html"
    run.report_path.unlink()
    assert cli("report", "run").code == 0
    changed = retune(out, Costs(fp=1.0, fn=25.0))
    text = words_of(read_page(run.report_path))
    assert f"threshold {changed.rule.value:.3g}" in text  # type: ignore[union-attr]
    assert "Was it worth it?" in text


def test_the_place_of_the_model_may_be_named_itself(run_dir: Path) -> None:
    path = run_dir / "model.pkl"
    changed = retune(path, Costs(fp=1.0, fn=25.0), out=path)
    text = words_of(read_page(run_dir / "report.html"))
    assert f"threshold {changed.rule.value:.3g}" in text  # type: ignore[union-attr]
    assert "Was it worth it?" in text


def test_rows_are_named_as_the_table_names_them(loans: pd.DataFrame, tmp_path: Path) -> None:
    table = loans.set_index(pd.Index([f"id{k}" for k in range(len(loans))]))
    run = autoimb.fit(table, "default", run_dir=tmp_path / "run", **FAST)
    text = words_of(read_page(run.report_path))
    assert "Rows are named as in the index of the table." in text
    assert re.search(r"id\d+", text)


@pytest.mark.parametrize(
    ("failed", "pruned", "expected"),
    [
        (0, 2, "2 ended early, for they could not catch up."),
        (2, 0, "2 failed."),
        (60, 1, "60 failed; 1 ended early, for they could not catch up; the list leaves out 59"),
    ],
)
def test_trials_that_did_not_end_are_counted(failed: int, pruned: int, expected: str) -> None:
    one = {"trial": 1, "strategy": "lightgbm", "state": "failed", "reason": "no memory"}
    spent = {"failed": failed, "pruned": pruned}
    assert expected in words_of(render_unfinished({"unfinished": [one, one], "spent": spent}))


def test_the_command_line_names_the_page(cli: Command, loans_csv: Path) -> None:
    found = cli("fit", str(loans_csv), "--target", "default", *QUICK, "--run-dir", "run")
    assert "Report run/report.html" in found.stdout
