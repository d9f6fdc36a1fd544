"""The report in a real browser: everything is drawn, in any theme, at any width, by any hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from autoimb.running import Run

pytestmark = pytest.mark.slow

SECONDS = 60
READY = "return document.documentElement.dataset.plots"
ALL = "return document.querySelectorAll(arguments[0]).length"


@pytest.fixture
def report(driver: Any, fitted: Run, tmp_path: Path) -> Iterator[Any]:
    """The page of a fit, opened without a network."""
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    driver.get_log("browser")
    driver.get(fitted.report_path.absolute().as_uri())
    WebDriverWait(driver, SECONDS).until(lambda d: d.execute_script(READY) == "ready")
    yield driver
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.save_screenshot(str(tmp_path / "report.png"))


def count(driver: Any, selector: str) -> int:
    return int(driver.execute_script(ALL, selector))


def scroll_through(driver: Any) -> None:
    """Bring every chart into view, one after the other."""
    for place in driver.find_elements(By.CSS_SELECTOR, "[data-chart]"):
        driver.execute_script("arguments[0].scrollIntoView({behavior: 'instant'})", place)
        WebDriverWait(driver, SECONDS).until(
            lambda _, place=place: place.find_elements(By.CSS_SELECTOR, "svg.main-svg")
        )


def complaints(driver: Any) -> list[str]:
    return [entry["message"] for entry in driver.get_log("browser")]


def test_every_chart_is_drawn_and_nothing_complains(report: Any) -> None:
    n_charts = count(report, "[data-chart]")
    assert n_charts >= 12
    assert count(report, "svg.main-svg") == 0 or count(report, "[data-drawn]") < n_charts
    scroll_through(report)
    assert complaints(report) == []


def test_all_charts_are_drawn_for_print(report: Any) -> None:
    report.execute_cdp_cmd("Page.printToPDF", {})
    assert count(report, "[data-chart]:not([data-drawn])") == 0


def ink(driver: Any) -> str:
    script = "return getComputedStyle(document.querySelector('.xtick text')).fill"
    return str(driver.execute_script(script))


def test_charts_follow_the_theme(report: Any) -> None:
    scroll_through(report)
    inks = {"light": "rgb(28, 32, 36)", "dark": "rgb(232, 232, 232)"}
    for scheme, expected in inks.items():
        feature = [{"name": "prefers-color-scheme", "value": scheme}]
        report.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": feature})
        # Charts are drawn anew once the browser has told of it.
        WebDriverWait(report, SECONDS).until(lambda d, it=expected: ink(d) == it)
        ground = report.execute_script(
            "return getComputedStyle(document.querySelector('.autoimb')).backgroundColor"
        )
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(26, 26, 26)"}[scheme]


@pytest.mark.parametrize("width", [390, 768, 1600])
def test_the_page_is_as_wide_as_the_screen(report: Any, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    report.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scroll_through(report)
    wide = "return document.documentElement.scrollWidth"
    assert int(report.execute_script(wide)) <= width


def test_a_keyboard_gets_everywhere(report: Any) -> None:
    focus = "return document.activeElement.tagName + ' ' + document.activeElement.textContent"
    body = report.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert "Skip" in report.execute_script(focus)
    report.switch_to.active_element.send_keys(Keys.TAB)
    assert report.execute_script(focus).startswith("A ")
    summary = report.find_element(By.CSS_SELECTOR, "figure summary")
    report.execute_script("arguments[0].focus()", summary)
    summary.send_keys(Keys.ENTER)
    assert count(report, "figure details[open]") == 1


def test_a_screen_reader_hears_what_a_chart_shows(report: Any) -> None:
    for figure in report.find_elements(By.CSS_SELECTOR, "figure.chart"):
        (plot,) = figure.find_elements(By.CSS_SELECTOR, "[role='img']")
        assert len(plot.get_attribute("aria-label")) > 40
        assert figure.find_elements(By.CSS_SELECTOR, "details table")
    headings = report.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])"
    )
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


EXPLORED = """
return [...document.querySelectorAll('[data-drawn]')].flatMap(place =>
    (place.layout.shapes ?? []).filter(shape => shape.name === 'explored').map(shape => shape.x0))
"""


def test_charts_show_the_threshold_that_is_explored(report: Any) -> None:
    scroll_through(report)
    field = report.find_element(By.ID, "explorer-threshold")
    field.clear()
    field.send_keys("0.2", Keys.ENTER)
    shown = float(report.find_element(By.ID, "explorer-threshold").get_attribute("value"))
    expected = math.log(shown / (1 - shown))

    def follow(driver: Any) -> bool:
        found = driver.execute_script(EXPLORED)
        return len(found) == 3 and all(math.isclose(x, expected) for x in found)

    WebDriverWait(report, SECONDS).until(follow)
