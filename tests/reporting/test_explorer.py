"""The explorer of thresholds in a real browser: what it says is held against Python."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command
from html_reader import HOSTILE, Page
from selenium.webdriver.common.keys import Keys

import autoimb
from autoimb.data.dataset import Labels, Schema
from autoimb.decision.calibrators import NO_CALIBRATOR
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.deciding import decide
from autoimb.decision.floors import Floor
from autoimb.decision.rules import Threshold
from autoimb.decision.scored import Scored
from autoimb.fitted_model import Evidence, FittedModel, Packed
from autoimb.markup import STYLE
from autoimb.reporting.explorer import EXPLORER_SCRIPT, EXPLORER_STYLE, render_explorer
from autoimb.reporting.operating_points import find_points

N_ROWS, N_POSITIVE = 1500, 90
NOTHING = chr(0x2013)  # a dash where there is no figure


def make_model(
    criterion: Criterion | None = None,
    labels: tuple[str, str] = ("no", "yes"),
    n_positive: int = N_POSITIVE,
    digits: int = 6,
) -> FittedModel:
    """Make a model of predictions alone: nothing is trained, for nothing is predicted."""
    rng = np.random.default_rng(0)
    y = (np.arange(N_ROWS) < n_positive).astype(int)
    p = (1 / (1 + np.exp(3.5 - 2 * rng.normal(1.6 * y, 1)))).round(digits)
    amounts = rng.lognormal(4, 1, N_ROWS)
    evidence = Evidence.of(Scored(y, np.column_stack([1 - p, p]), amounts), "amount")
    found = decide(criterion or BestMetric("f1"), evidence.scored(NO_CALIBRATOR))
    return FittedModel(
        Packed("no pipeline"), Schema.infer(pd.DataFrame({"x": [1.0, 2.0]})),
        Labels(labels, (0, 1)), found, "f1", "target", evidence=evidence,
    )  # fmt: skip


def hash_of(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def build_page(fragment: str, script: str = EXPLORER_SCRIPT) -> str:
    """Put the explorer into a page that lets nothing run but its script."""
    style = f"{STYLE}{EXPLORER_STYLE} body {{ margin: 0; padding: 0 20px; }}"
    policy = f"default-src 'none'; style-src {hash_of(style)}; script-src {hash_of(script)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<style>{style}</style></head><body class="autoimb">{fragment}'
        f"<script>{script}</script></body></html>"
    )


@dataclass
class Explorer:
    """The page in a browser, the model behind it, and what keys are pressed."""

    driver: Any
    model: FittedModel

    def find(self, name: str) -> Any:
        return self.driver.find_element("id", f"explorer-{name}")

    def type(self, name: str, text: str) -> None:
        self.find(name).send_keys(Keys.CONTROL, "a")
        self.find(name).send_keys(text)

    def text(self, selector: str) -> str:
        script = "return document.querySelector(arguments[0]).textContent"
        return str(self.driver.execute_script(script, selector))

    def cells(self, row: str) -> list[str]:
        script = (
            "return [...document.querySelectorAll(arguments[0] + ' td')].map(x => x.textContent)"
        )
        return list(self.driver.execute_script(script, row))

    @property
    def counts(self) -> list[int]:
        names = "hits", "missed", "false_alarms", "left"
        return [int(self.text(f"[data-count={name}]").replace(",", "")) for name in names]

    @property
    def threshold(self) -> float:
        return float(self.text("#explorer-command").split()[-1])

    def figure(self, name: str) -> list[float]:
        """Read a figure and its interval."""
        return numbers(" ".join(self.cells(f"[data-figure={name}]")))


def numbers(text: str) -> list[float]:
    found = re.findall(r"-?\d[\d,]*\.?\d*", text)
    return [float(number.replace(",", "")) for number in found]


@pytest.fixture
def explore(driver: Any, tmp_path: Path) -> Callable[..., Explorer]:
    """Open the explorer of a model, saved under a name that a shell would take apart."""

    def explore(model: FittedModel | None = None, script: str = EXPLORER_SCRIPT) -> Explorer:
        model = model or make_model()
        path = autoimb.save(model, tmp_path / "my $model.pkl")
        page = tmp_path / "page.html"
        page.write_text(build_page(render_explorer(model, path.name), script), "utf-8")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
        driver.get(page.as_uri())
        return Explorer(driver, model)

    return explore


def counts_at(model: FittedModel, threshold: float) -> list[int]:
    """Count hits, misses, false alarms and negatives left alone."""
    rows = model.out_of_fold()
    flagged = Threshold(threshold).decide(rows.proba) == 1
    return [int(((rows.y == code) & (flagged == alert)).sum())
            for code, alert in ((1, True), (1, False), (0, True), (0, False))]  # fmt: skip


def require_right(shown: Explorer, false_alarm: float = 1.0, miss: float = 1.0) -> None:
    """Check all that is shown against the rows."""
    threshold = shown.threshold
    assert shown.counts == counts_at(shown.model, threshold)
    points = find_points(shown.model.out_of_fold(), [0.5, threshold])
    i = points.place_of(threshold)
    expected = {
        "recall": (points.recall(), 100), "precision": (points.precision(), 100),
        "alerts": (points.alerts(), 1000), "cost": (points.cost(false_alarm, miss), 1000),
    }  # fmt: skip
    if not shown.counts[0] + shown.counts[2]:
        del expected["precision"]
    for name, (rate, unit) in expected.items():
        told = unit * np.array(rate.at(i))
        # Of large numbers the fraction is not shown.
        tolerance = np.where(told >= 99.95, 0.5, 0.05) + 1e-3 * told
        assert (abs(np.array(shown.figure(name)) - told) <= tolerance).all(), (name, told)


def every_count(model: FittedModel) -> np.ndarray[Any, Any]:
    """Count what every threshold there is would give, as `counts_at` does."""
    rows = model.out_of_fold()
    each = [0.0, *np.unique(rows.proba[:, 1]), 1.0]
    return np.array([counts_at(model, threshold) for threshold in each])


# Numbers.


def test_it_opens_at_the_exported_threshold(explore: Callable[..., Explorer]) -> None:
    shown = explore()
    assert shown.model.rule == Threshold(shown.threshold)
    assert shown.text("#explorer-lead").endswith("as exported")
    require_right(shown)
    assert shown.driver.get_log("browser") == []


def test_the_slider_is_moved_by_keys(explore: Callable[..., Explorer]) -> None:
    shown = explore()
    slider, before = shown.find("slider"), shown.threshold
    thresholds = [before]
    for _ in range(3):
        slider.send_keys(Keys.ARROW_RIGHT)
        require_right(shown)
        thresholds.append(shown.threshold)
    assert thresholds == sorted(set(thresholds))
    slider.send_keys(Keys.HOME)
    assert shown.counts == [N_POSITIVE, 0, N_ROWS - N_POSITIVE, 0]
    slider.send_keys(Keys.END)
    assert shown.counts == [0, N_POSITIVE, 0, N_ROWS - N_POSITIVE]
    assert shown.cells("[data-figure=precision]") == [NOTHING, "no alert"]
    told = slider.get_attribute("aria-valuetext")
    assert told == f"threshold {shown.threshold:.3g}, recall 0.0 %, precision {NOTHING}"


def test_a_threshold_is_typed(explore: Callable[..., Explorer]) -> None:
    shown = explore()
    shown.type("threshold", "0.2")
    assert shown.threshold == pytest.approx(0.2, abs=0.01)
    require_right(shown)
    shown.type("threshold", "7")
    assert "between 0 and 1" in shown.text("#explorer-trouble")
    assert shown.find("threshold").get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize(("false_alarm", "miss"), [(1.0, 25.0), (3.0, 2.0), (1.0, 4000.0)])
def test_costs_lead_to_the_cheapest_threshold(
    explore: Callable[..., Explorer], false_alarm: float, miss: float
) -> None:
    shown = explore()
    shown.type("alarm", f"{false_alarm:g}")
    shown.type("miss", f"{miss:g}")
    require_right(shown, false_alarm, miss)
    costs = every_count(shown.model) @ [0, miss, false_alarm, 0]
    assert np.dot(shown.counts, [0, miss, false_alarm, 0]) == costs.min()
    lead = shown.text("#explorer-lead")
    assert f"the cheapest where a miss costs {miss:g} and a false alarm {false_alarm:g}" in lead
    per_row = 1000 / N_ROWS
    for row, counts in {
        "exported": counts_at(shown.model, shown.model.rule.value),  # type: ignore[union-attr]
        "plain": counts_at(shown.model, 0.5),
        "nobody": [0, N_POSITIVE, 0, N_ROWS - N_POSITIVE],
        "everybody": [N_POSITIVE, 0, N_ROWS - N_POSITIVE, 0],
    }.items():
        told = shown.cells(f"[data-beside={row}]")
        cost = per_row * np.dot(counts, [0, miss, false_alarm, 0])
        assert numbers(told[4])[0] == pytest.approx(cost, rel=0.01, abs=0.06)
        saved = cost - per_row * costs.min()
        if counts == shown.counts:
            assert told[5] == NOTHING
        else:
            value, low, high = numbers(told[5])
            assert value == pytest.approx(saved, rel=0.01, abs=0.06)
            assert low <= value <= high


@pytest.mark.parametrize(("rate", "floor"), [("precision", 60), ("recall", 90), ("recall", 100)])
def test_a_floor_leads_to_the_most_of_the_other_rate(
    explore: Callable[..., Explorer], rate: str, floor: float
) -> None:
    shown = explore()
    shown.type("floor", f"{floor:g}")
    shown.find("rate").send_keys(rate)
    require_right(shown)
    hits, missed, false, _ = every_count(shown.model).T
    rates = {"precision": hits / np.maximum(hits + false, 1), "recall": hits / (hits + missed)}
    other = "recall" if rate == "precision" else "precision"
    best = rates[other][rates[rate] >= floor / 100].max()
    assert shown.figure(other)[0] == pytest.approx(100 * best, abs=0.06)
    assert shown.figure(rate)[0] >= floor
    assert shown.find("asking").is_displayed() == (floor < 100)


def test_a_floor_that_nothing_reaches_is_told(explore: Callable[..., Explorer]) -> None:
    shown = explore(make_model(digits=0))
    shown.type("floor", "99.9")
    hits, _, false, _ = every_count(shown.model).T
    most = 100 * (hits / np.maximum(hits + false, 1)).max()
    told = shown.text("#explorer-trouble")
    assert "No threshold has a precision of 99.9 % here" in told
    assert numbers(told)[1] == pytest.approx(most, abs=0.06)
    # What was the best for 9 or 99, while it was typed, is claimed no longer.
    assert shown.text("#explorer-lead") == f"Threshold {shown.threshold:.3g}"
    assert not shown.find("asking").is_displayed()


@pytest.mark.parametrize("capacity", [20.0, 300.0])
def test_a_capacity_leads_to_as_many_alerts(
    explore: Callable[..., Explorer], capacity: float
) -> None:
    shown = explore()
    shown.type("capacity", f"{capacity:g}")
    require_right(shown)
    assert shown.counts[0] + shown.counts[2] == int(capacity / 1000 * N_ROWS)


def test_a_capacity_below_the_first_tie_is_told(explore: Callable[..., Explorer]) -> None:
    shown = explore(make_model(digits=1))
    shown.type("capacity", "0.1")
    assert "tied" in shown.text("#explorer-trouble")


@pytest.mark.parametrize(
    ("field", "text"), [("miss", "0"), ("alarm", "-3"), ("floor", "101"), ("capacity", "-1")]
)
def test_what_cannot_be_meant_is_told_and_changes_nothing(
    explore: Callable[..., Explorer], field: str, text: str
) -> None:
    shown = explore()
    before = shown.threshold
    shown.driver.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input',"
        " {bubbles: true}))", shown.find(field), text,
    )  # fmt: skip
    assert shown.text("#explorer-trouble") != ""
    assert shown.threshold == before


def test_five_positives_and_many_ties(explore: Callable[..., Explorer]) -> None:
    shown = explore(make_model(n_positive=5, digits=2))
    for miss in ("1", "25", "1000"):
        shown.type("miss", miss)
        require_right(shown, 1.0, float(miss))


# Commands.


def test_the_copied_command_makes_the_model_decide_as_the_page_says(
    explore: Callable[..., Explorer], cli: Command, tmp_path: Path
) -> None:
    shown = explore()
    shown.type("miss", "25")
    shown.driver.find_element("css selector", "[data-copy=explorer-command]").click()
    script = "return document.getElementById('explorer-copied').textContent"
    while not (told := shown.driver.execute_script(script)):
        pass
    assert told == "Copied."
    shown.driver.execute_script("document.body.append(document.createElement('textarea'))")
    pad = shown.driver.find_element("tag name", "textarea")
    pad.send_keys(Keys.CONTROL, "v")
    copied = pad.get_attribute("value")
    program, *arguments = shlex.split(copied)
    assert program == "autoimb"
    assert cli(*arguments).code == 0
    model = autoimb.load(tmp_path / "my $model.pkl")
    assert model.rule == Threshold(shown.threshold)
    assert str(model.decision.criterion) == f"fixed threshold {shown.threshold:g}"
    rows, codes = model.out_of_fold(), model.out_of_fold_codes()
    found = [int(((rows.y == y) & (codes == code)).sum()) for y in (1, 0) for code in (1, 0)]
    assert found == shown.counts


@pytest.mark.parametrize(
    ("fields", "criterion"),
    [
        ({"alarm": "2", "miss": "25"}, Costs(fp=2.0, fn=25.0)),
        ({"rate": "recall", "floor": "55.5"}, Floor("recall", 0.555)),
        ({"floor": "40"}, Floor("precision", 0.4)),
        ({"capacity": "25"}, Capacity(share=0.025)),
    ],
    ids=str,
)
def test_the_decision_that_was_typed_can_be_solved_for(
    explore: Callable[..., Explorer],
    cli: Command,
    tmp_path: Path,
    fields: dict[str, str],
    criterion: Criterion,
) -> None:
    shown = explore()
    for name, text in fields.items():
        (shown.find(name).send_keys if name == "rate" else lambda t, n=name: shown.type(n, t))(text)
    _, *arguments = shlex.split(shown.text("#explorer-aim"))
    done = cli(*arguments)
    assert (done.code, done.stderr) == (0, "")
    assert autoimb.load(tmp_path / "my $model.pkl").decision.criterion == criterion


# Decisions, prevalences and labels of every kind.


@pytest.mark.parametrize(
    "criterion",
    [
        Costs(fp=2.0, fn=7.0, tp=1.0, tn=0.5),
        Floor("recall", 0.5),
    ],
    ids=str,
)
def test_any_exported_decision_that_is_a_threshold_is_where_it_opens(
    explore: Callable[..., Explorer], criterion: Criterion
) -> None:
    shown = explore(make_model(criterion))
    rows, codes = shown.model.out_of_fold(), shown.model.out_of_fold_codes()
    expected = [int(((rows.y == y) & (codes == code)).sum()) for y in (1, 0) for code in (1, 0)]
    assert shown.counts == expected
    assert shown.cells("[data-beside=exported]")[5] == NOTHING
    costs = [float(shown.find(name).get_attribute("value")) for name in ("alarm", "miss")]
    assert costs == ([1.5, 6.0] if isinstance(criterion, Costs) else [1.0, 1.0])


@pytest.mark.parametrize(
    ("criterion", "stated"),
    [
        (Costs(fn=5.0, abstain=0.3), [1.0, 5.0]),
        (Costs(fp=60.0, column="amount"), [1.0, 1.0]),
        (CostMatrix(("no", "yes"), ((0.0, 3.0), (1.0, 0.0))), [3.0, 1.0]),
        (Capacity(k=20), [1.0, 1.0]),
        (Capacity(share=0.05), [1.0, 1.0]),
    ],
    ids=str,
)
def test_an_exported_decision_that_is_no_threshold_is_left_out(
    explore: Callable[..., Explorer], criterion: Criterion, stated: list[float]
) -> None:
    shown = explore(make_model(criterion))
    assert shown.driver.find_elements("css selector", "[data-beside=exported]") == []
    assert "as exported" not in shown.text("#explorer-lead") + shown.text(".fixed-points")
    (button,) = shown.driver.find_elements("css selector", "[data-point=exported]")
    assert not button.is_enabled()
    assert f"by another rule than a threshold: {shown.model.rule}." in shown.text("#explorer > p")
    flagged = (shown.model.out_of_fold_codes() == 1).sum()
    assert shown.counts[0] + shown.counts[2] == pytest.approx(flagged, abs=3)
    costs = [float(shown.find(name).get_attribute("value")) for name in ("alarm", "miss")]
    assert costs == stated
    require_right(shown, *costs)


@pytest.mark.parametrize("prevalence", [0.004, 0.3])
def test_rates_are_those_of_the_prevalence_aimed_at(
    explore: Callable[..., Explorer], cli: Command, tmp_path: Path, prevalence: float
) -> None:
    model = replace(make_model(), prevalence=(1 - prevalence, prevalence))
    shown = explore(model.redecided(model.decision.criterion))
    shown.type("miss", "25")
    require_right(shown, 1.0, 25.0)
    cli(*shlex.split(shown.text("#explorer-command"))[1:])
    figures = dict(autoimb.load(tmp_path / "my $model.pkl").out_of_fold_figures())
    assert shown.figure("precision")[0] == pytest.approx(100 * figures["precision"], rel=0.01)
    assert shown.figure("alerts")[0] == pytest.approx(figures["flagged_per_1000"], rel=0.01)
    assert "aimed at" in shown.text("#explorer")


def test_what_comes_from_the_data_is_text(explore: Callable[..., Explorer], driver: Any) -> None:
    labels = (f"</script>{HOSTILE}", f"$positive<!--{HOSTILE}")
    model = make_model(labels=labels)
    fragment = render_explorer(model, f"{HOSTILE} '</script>.pkl")

    class Fragment(Page):
        VOID = (*Page.VOID, "input")

    read = Fragment(fragment)
    assert not read.all("img")
    assert [one.get("type") for one in read.all("script")] == ["application/json"]
    assert not [name for _, given in read.tags for name in given if name.startswith("on")]
    assert "style" not in {name for _, given in read.tags for name in given}
    shown = explore(model)
    assert labels[1] in shown.text(".matrix")
    assert driver.get_log("browser") == []
    stored = json.loads(shown.text("#operating-points"))
    assert shlex.split(stored["command"])[-1] == "my $model.pkl"


def test_two_classes_and_their_predictions_are_needed() -> None:
    model = make_model()
    assert render_explorer(replace(model, evidence=None), "model.pkl") == ""
    assert model.evidence is not None
    one = replace(model.evidence, y=np.zeros_like(model.evidence.y))
    assert render_explorer(replace(model, evidence=one), "model.pkl") == ""
    three = replace(model, labels=Labels(("a", "b", "c"), (0, 1, 2)))
    assert render_explorer(three, "model.pkl") == ""


# Every reader.


def test_every_field_and_table_is_named(explore: Callable[..., Explorer]) -> None:
    shown = explore()
    for field in shown.driver.find_elements("css selector", "#explorer input, #explorer select"):
        assert field.accessible_name, field.get_attribute("id")
    for table in shown.driver.find_elements("css selector", "#explorer table"):
        assert table.find_elements("css selector", "caption")
        assert table.find_elements("css selector", "th[scope=row]")


def test_what_changed_is_said_once_it_is_quiet(explore: Callable[..., Explorer]) -> None:
    shown = explore()
    shown.type("miss", "25")
    said = shown.find("said")
    assert said.get_attribute("aria-live") == "polite"
    script = "return document.getElementById('explorer-said').textContent"
    while "a miss costs 25" not in (told := shown.driver.execute_script(script)):
        pass
    recall, alerts = (shown.cells(f"[data-figure={n}]")[0] for n in ("recall", "alerts"))
    assert f"recall {recall}" in told
    assert f"{alerts} alerts" in told


def test_the_document_hears_of_each_threshold(explore: Callable[..., Explorer]) -> None:
    shown = explore()
    shown.driver.execute_script(
        "window.heard = []; document.addEventListener('autoimb:threshold',"
        " event => window.heard.push(event.detail))"
    )
    shown.type("capacity", "5")
    (heard,) = shown.driver.execute_script("return window.heard")
    stored = json.loads(shown.text("#operating-points"))
    assert heard["threshold"] == shown.threshold == stored["thresholds"][heard["index"]]


def test_without_a_script_some_thresholds_are_listed(explore: Callable[..., Explorer]) -> None:
    shown = explore(script="")
    assert not shown.driver.find_element("css selector", ".board").is_displayed()
    table = shown.driver.find_element("css selector", ".fixed-points table")
    assert table.is_displayed()
    points = find_points(shown.model.out_of_fold(), [0.5, shown.model.rule.value])  # type: ignore[union-attr]
    rows = [row.text.splitlines() for row in table.find_elements("css selector", "tbody tr")]
    assert len(rows) == 8
    told = shown.driver.execute_script(
        "return [...document.querySelectorAll('.fixed-points tbody tr')].map(row =>"
        " [...row.cells].map(cell => cell.textContent))"
    )
    for name, threshold, recall, precision, alerts, _ in told:
        i = points.place_of(float(threshold))
        if "recall of" in name:
            asked = numbers(name)[0]
            assert numbers(recall)[0] >= asked
            continue
        assert numbers(recall) == pytest.approx(100 * np.array(points.recall().at(i)), abs=0.06)
        assert numbers(precision) == pytest.approx(
            100 * np.array(points.precision().at(i)), abs=0.06
        )
        assert numbers(alerts) == pytest.approx(1000 * np.array(points.alerts().at(i)), rel=0.01)


def test_paper_shows_results_and_the_table_but_no_controls(
    explore: Callable[..., Explorer],
) -> None:
    shown = explore()
    visible = {}
    for media in ("screen", "print"):
        shown.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
        visible[media] = [
            shown.driver.find_element("css selector", selector).is_displayed()
            for selector in (".controls", ".matrix", ".fixed-points table")
        ]
    assert visible == {"screen": [True, True, False], "print": [False, True, True]}


@pytest.mark.parametrize("width", [380, 760, 1300])
def test_nothing_is_wider_than_the_screen(explore: Callable[..., Explorer], width: int) -> None:
    shown = explore(make_model(labels=("no", "w" * 120)))
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    shown.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page = "document.documentElement"
    assert shown.driver.execute_script(f"return {page}.scrollWidth - {page}.clientWidth") <= 0
    shown.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("system", ["light", "dark"])
def test_fields_take_the_colours_of_the_page(explore: Callable[..., Explorer], system: str) -> None:
    shown = explore()
    media = {"features": [{"name": "prefers-color-scheme", "value": system}]}
    shown.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    script = "return getComputedStyle(arguments[0])[arguments[1]]"
    field, body = shown.find("miss"), shown.driver.find_element("tag name", "body")
    for part in ("color", "backgroundColor"):
        told = [shown.driver.execute_script(script, one, part) for one in (field, body)]
        assert told[0] == told[1]
