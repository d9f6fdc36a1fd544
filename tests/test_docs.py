from __future__ import annotations

from pathlib import Path

from autoimb.profiling.checks import CHECKS
from autoimb.profiling.measures import as_markdown

PROFILE = (Path(__file__).parents[1] / "docs" / "profile.md").read_text("utf-8")


def test_the_page_on_profiles_holds_the_table_of_the_code() -> None:
    assert as_markdown() in PROFILE, "run `make docs`"


def test_the_page_on_profiles_explains_every_check() -> None:
    assert [name for name in CHECKS if f"| `{name}` |" not in PROFILE] == []
