"""The blocks of code in the pages, and how they are run.

A block of `sh` holds commands of autoimb, one of `python` statements, and whatever has a
`title="NAME"` is a file to save. `<!-- not run: REASON -->` right before a block leaves it out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}
LANGUAGES = {"python", "sh"}
# What a page gives minutes is run for so many seconds.
SECONDS = 5
NOT_RUN = re.compile(r"<!-- not run: (.*) -->\s*")
TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    line: int
    language: str
    code: str
    file_name: str | None = None
    reason: str | None = None

    @property
    def is_run(self) -> bool:
        """Whether it is code that a reader would run, and that the tests run too."""
        return self.language in LANGUAGES and not self.file_name and self.reason is None


def read_blocks(path: Path) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    reason = None
    for token in MarkdownIt().parse(path.read_text("utf-8")):
        if token.type == "fence" and token.map:
            language, _, rest = token.info.partition(" ")
            title = TITLE.search(rest)
            name = title[1] if title else None
            yield Block(token.map[0] + 1, language, token.content, name, reason)
        comment = NOT_RUN.fullmatch(token.content) if token.type == "html_block" else None
        reason = comment[1].strip() if comment else None


def hurried(code: str) -> str:
    """Cut the time that a Python block gives a search."""
    return re.sub(r"time_budget=\d[\d.]*", f"time_budget={SECONDS}", code)


def commands(code: str) -> Iterator[list[str]]:
    """Yield the commands of a block, searches with little time."""
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] in (["autoimb", "fit"], ["autoimb", "check-leaks"]):
            if "--budget" in words:
                at = words.index("--budget")
                del words[at : at + 2]
            if "--trials" not in words:
                words += ["--budget", f"{SECONDS}s"]
        if words:
            yield words
