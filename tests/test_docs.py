from __future__ import annotations

import runpy
from pathlib import Path

from autoimb.profiling.checks import CHECKS

DOCS = Path(__file__).parents[1] / "docs"
PROFILE = (DOCS / "concepts" / "profile.md").read_text("utf-8")


def test_pages_hold_the_tables_of_the_code() -> None:
    pages = runpy.run_path(str(DOCS / "write_tables.py"))["pages"]
    stale = [path.name for path, text in pages() if path.read_text("utf-8") != text]
    assert stale == [], "run `make docs`"


def test_the_page_on_profiles_explains_every_check() -> None:
    assert [name for name in CHECKS if f"| `{name}` |" not in PROFILE] == []
