"""What a user sees of a fit in the MLflow UI, through a real server and a real browser."""

from __future__ import annotations

import os
import shutil
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow_server import tracking_server

from autoimb import AutoImbClassifier

pytestmark = pytest.mark.slow

N_TRIALS = 3
# Without it the UI opens on an empty page for language models.
VIEW = "?workflowType=machine_learning"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--no-first-run", "--window-size=1600,1200",
)  # fmt: skip
# A loaded machine takes its time to draw a page.
SECONDS_TO_DRAW = 60
SPACE = """
[model.logistic]
class = "sklearn.linear_model.LogisticRegression"
input = "scaled"
C = {low = 0.01, high = 10, log = true, default = 1.0}
[sampler.none]
[sampler.random_under]
class = "imblearn.under_sampling.RandomUnderSampler"
input = "raw"
[weight.none]
"""


@dataclass(frozen=True)
class Shown:
    """A tracked fit and the server that shows it."""

    url: str
    folder: Path
    parent: Run
    children: list[Run]

    @property
    def experiment(self) -> str:
        return f"{self.url}/#/experiments/{self.parent.info.experiment_id}"

    @property
    def run(self) -> str:
        return f"{self.experiment}/runs/{self.parent.info.run_id}"


def fit(uri: str, folder: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.where(rng.random(200) < 0.2, "yes", "no")
    table = pd.DataFrame({"x": rng.normal(y == "yes", 1), "city": rng.choice(["a", "b"], 200)})
    space = folder / "space.toml"
    space.write_text(SPACE)
    AutoImbClassifier(
        metric="f1", time_budget=None, n_trials=N_TRIALS, executor="in_process", n_folds=2,
        space=space, random_state=0, tracking_uri=uri,
    ).fit(table, y)  # fmt: skip


def read_runs(uri: str) -> tuple[list[Run], list[Run]]:
    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name("autoimb")
    assert found is not None
    runs = client.search_runs([found.experiment_id])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    return [run for run in runs if run not in children], children


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("ui")
    store = f"sqlite:///{folder}/mlflow.db"
    fit(store, folder)
    with tracking_server(folder, store) as server:
        (parent,), children = read_runs(store)
        yield Shown(server.url, folder, parent, children)


class Browser:
    """A headless Chromium that keeps a picture of every page."""

    def __init__(self, folder: Path, chromium: str, chromedriver: str) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={folder}/chromium"):
            options.add_argument(flag)
        service = webdriver.ChromeService(chromedriver)
        self.driver = webdriver.Chrome(options=options, service=service)
        self.folder = folder

    def open(self, address: str) -> None:
        self.driver.get("about:blank")
        self.driver.get(address)

    @property
    def text(self) -> str:
        return str(self.driver.execute_script("return document.body.innerText"))

    def await_text(self, *texts: str) -> None:
        self.await_true(lambda: all(text in self.text for text in texts), f"one of {texts}")

    def await_true(self, happened: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + SECONDS_TO_DRAW
        while not happened():
            if time.monotonic() > until:
                self.picture("failed")
                pytest.fail(f"never saw {what}, but:\n{self.text}")
            time.sleep(0.3)

    def count(self, selector: str) -> int:
        script = "return document.querySelectorAll(arguments[0]).length"
        return int(self.driver.execute_script(script, selector))

    def click(self, selector: str) -> None:
        self.await_true(lambda: self.count(selector) > 0, selector)
        self.driver.execute_script("document.querySelector(arguments[0]).click()", selector)

    def click_on(self, selector: str) -> None:
        """Click as a hand does, for what hears of nothing less."""
        self.await_true(lambda: self.count(selector) > 0, selector)
        self.driver.find_element("css selector", selector).click()

    def type_into(self, selector: str, text: str) -> None:
        self.await_true(lambda: self.count(selector) > 0, selector)
        self.driver.find_element("css selector", selector).send_keys(text)

    def click_text(self, text: str) -> None:
        from selenium.common.exceptions import WebDriverException

        def is_clicked() -> bool:
            try:
                self.driver.find_element("xpath", f"//*[normalize-space(text())='{text}']").click()
            except WebDriverException:
                return False
            return True

        self.await_true(is_clicked, f"'{text}' to click on")

    def close_assistant(self) -> None:
        if self.count("button[aria-label='Close']"):
            self.click("button[aria-label='Close']")

    def picture(self, name: str) -> None:
        self.driver.save_screenshot(str(self.folder / f"{name}.png"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(found):
        reason = "the MLflow UI is looked at with chromium and chromedriver: install both"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    opened = Browser(tmp_path_factory.mktemp("pictures"), str(found[0]), str(found[1]))
    yield opened
    opened.driver.quit()


def test_trials_unfold_below_their_fit(shown: Shown, browser: Browser) -> None:
    browser.open(f"{shown.experiment}/runs{VIEW}")
    browser.await_text(shown.parent.info.run_name, f"{1 + N_TRIALS} matching runs")
    browser.close_assistant()
    browser.click("[data-component-id*='runnamecellrenderer']")
    links = [f"a[href*='/runs/{run.info.run_id}']" for run in shown.children]
    browser.await_true(lambda: all(map(browser.count, links)), "links to all trials")
    browser.picture("runs")


def test_the_run_table_filters_and_groups_by_what_strategies_are_made_of(
    shown: Shown, browser: Browser
) -> None:
    """With its children the table shows their parent, whatever that is made of."""
    resampled = [run for run in shown.children if run.data.tags["sampler"] == "random_under"]
    asked = urllib.parse.quote('tags.sampler = "random_under"')
    browser.open(f"{shown.experiment}/runs{VIEW}&searchFilter={asked}")
    browser.await_text(f"{1 + len(resampled)} matching runs")
    browser.close_assistant()
    browser.click_on("[data-component-id*='runsgroupbyselector']")
    browser.click_text("sampler")
    browser.await_text("Group: none", f"Group: random_under\n{len(resampled)}")
    browser.picture("grouped")


def test_a_fit_shows_recommendation_scores_and_trials(shown: Shown, browser: Browser) -> None:
    browser.open(f"{shown.run}{VIEW}")
    names = {run.info.run_name for run in shown.children}
    browser.await_text("On rows to come", "threshold", "best_f1", "Finished", "Training", *names)
    browser.close_assistant()
    browser.picture("fit")


def test_the_search_shows_as_a_curve(shown: Shown, browser: Browser) -> None:
    browser.open(f"{shown.run}/model-metrics{VIEW}")
    browser.await_text("Add chart")
    browser.close_assistant()
    # The page draws those charts alone that are on the screen.
    browser.type_into("input[placeholder*='earch']", "best_f1")
    browser.await_text("best_f1", "Step")
    browser.await_true(lambda: browser.count(".js-plotly-plot .scatterlayer") > 0, "a curve")
    browser.driver.execute_script(
        "document.querySelector('.scatterlayer').scrollIntoView({block: 'center'})"
    )
    browser.picture("curve")


@pytest.mark.parametrize("name", ["precision_recall", "roc", "confusion_matrix", "calibration"])
def test_figures_show(shown: Shown, browser: Browser, name: str) -> None:
    browser.open(f"{shown.run}/artifacts{VIEW}")
    browser.click_text("figures")
    browser.click_text(f"{name}.png")
    widest = "return Math.max(0, ...[...document.images].map(image => image.naturalWidth))"
    browser.await_true(lambda: browser.driver.execute_script(widest) > 400, f"{name}.png")
    browser.picture(name)


def test_the_leaderboard_is_a_table(shown: Shown, browser: Browser) -> None:
    browser.open(f"{shown.run}/artifacts{VIEW}")
    browser.click_text("leaderboard.json")
    browser.await_text("strategy", "decision", "tuned")
    browser.picture("leaderboard")


def test_the_model_shows_with_its_signature(shown: Shown, browser: Browser) -> None:
    (output,) = shown.parent.outputs.model_outputs
    browser.open(f"{shown.experiment}/models/{output.model_id}{VIEW}")
    browser.await_text("Ready", "f1_spread", shown.parent.info.run_name)
    browser.picture("model")
    browser.open(f"{shown.experiment}/models/{output.model_id}/artifacts{VIEW}")
    browser.click_text("MLmodel")
    browser.await_text("autoimb.serving", "signature", "probability_yes")
    browser.picture("model_files")


def test_a_server_takes_what_a_file_takes(shown: Shown) -> None:
    fit(shown.url, shown.folder)
    parents, children = read_runs(shown.url)
    assert len(parents) == 2
    assert len(children) == 2 * N_TRIALS
    (run,) = [run for run in parents if run.info.run_id != shown.parent.info.run_id]
    client = MlflowClient(tracking_uri=shown.url)
    assert run.info.status == "FINISHED"
    assert len(client.list_artifacts(run.info.run_id, "figures")) == 7
    (output,) = run.outputs.model_outputs
    assert client.get_logged_model(output.model_id).status == "READY"
    files = client.list_logged_model_artifacts(output.model_id)
    assert {"MLmodel", "requirements.txt"} <= {file.path for file in files}
