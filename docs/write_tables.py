"""Put the tables that the code holds into the pages of this folder: `make docs`."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoimb.profiling.measures import as_markdown
from autoimb.strategy.configuration import STAGES
from autoimb.strategy.search_space import RESERVED, import_class
from autoimb.strategy.space_files import find_space, read_tables, shipped_spaces

FOLDER = Path(__file__).parent
BEGIN, END = "<!-- table of {} -->\n", "<!-- end of table -->\n"


def list_strategies(stage: str) -> str:
    """List the components of a stage: name, class, what it does, spaces, package."""
    spaces = {name: read_tables(find_space(name))[stage] for name in shipped_spaces()}
    found = {name: table for tables in spaces.values() for name, table in tables.items()}
    rows = ["| name | what it is | spaces | needs |", "|---|---|---|---|"]
    for name, table in sorted(found.items()):
        if "class" in table:
            inside = ", ".join(space for space, tables in spaces.items() if name in tables)
            needs = table.get("needs", "")
            rows.append(f"| `{name}` | {_describe(table)} | {inside} | {needs} |")
    return "\n".join(rows)


def _describe(table: dict[str, Any]) -> str:
    """Give the first line of a docstring of ours, and of others the class."""
    class_path = table["class"]
    if not class_path.startswith("autoimb."):
        return f"`{class_path}`"
    text = inspect.getdoc(import_class(class_path)) or ""
    words = {k: v for k, v in table.items() if isinstance(v, str) and k not in RESERVED}
    shown = ", ".join(f"{key}={value!r}" for key, value in words.items())
    return f"{text.splitlines()[0]} `{class_path.rpartition('.')[2]}({shown})`"


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page that holds tables, with its text as it should be."""
    tables = {"profile.md": {"measures": as_markdown()}}
    tables["strategies.md"] = {f"{stage}s": list_strategies(stage) for stage in STAGES}
    for name, by_title in tables.items():
        text = (FOLDER / name).read_text("utf-8")
        for title, table in by_title.items():
            begin = BEGIN.format(title)
            before, _, rest = text.partition(begin)
            text = f"{before}{begin}\n{table}\n{END}{rest.partition(END)[2]}"
        yield FOLDER / name, text


if __name__ == "__main__":
    for page, text in pages():
        page.write_text(text, "utf-8")
