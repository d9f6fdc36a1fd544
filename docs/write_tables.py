"""Put what the code holds into the pages of this folder: `make docs`.

Tables of measures, strategies and metrics, and the reference of the command line.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer

from autoimb.cli.app import app
from autoimb.metrics import METRICS, Metric
from autoimb.profiling.measures import as_markdown
from autoimb.strategy.configuration import STAGES
from autoimb.strategy.search_space import RESERVED, import_class
from autoimb.strategy.space_files import find_space, read_tables, shipped_spaces

FOLDER = Path(__file__).parent
BEGIN, END = "<!-- table of {} -->\n", "<!-- end of table -->\n"
TYPES = {str: "text", int: "whole number", float: "number", Path: "path", bool: ""}
STATED_DEFAULT = re.compile(r"\s*\[default: (.*)\]$")


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


def list_spaces() -> str:
    """List the shipped search spaces."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in shipped_spaces().items()]
    return "\n".join(["| space | holds |", "|---|---|", *rows])


def list_metrics() -> str:
    """List what a search can maximise."""
    rows = ["| metric | what it measures | of | better |", "|---|---|---|---|"]
    for name, metric in METRICS.items():
        better = "higher" if metric.greater_is_better else "lower"
        rows.append(f"| `{name}` | {metric.meaning} | {_subject(metric)} | {better} |")
    return "\n".join(rows)


def _subject(metric: Metric) -> str:
    if metric.needs_decision:
        return "labels"
    return "probabilities" if metric.of_ranking is None else "the ranking"


def list_commands() -> str:
    """Describe every command: what it does, its arguments and its options."""
    found = vars(typer.main.get_command(app))["commands"]
    return "\n\n".join(
        _describe_command(str(info.name), info.callback, found[info.name].params)
        for info in app.registered_commands
        if info.callback is not None
    )


def _describe_command(name: str, callback: Callable[..., Any], params: Sequence[Any]) -> str:
    taken = inspect.signature(callback, eval_str=True).parameters
    arguments = [param for param in params if param.param_type_name == "argument"]
    parts = [f"## autoimb {name}", inspect.getdoc(callback) or ""]
    usage = " ".join([f"autoimb {name} [OPTIONS]", *map(_placeholder, arguments)])
    parts.append(f"```text\n{usage}\n```")
    panels: dict[str, list[str]] = {}
    for param in params:
        if param.name in taken and not param.hidden:
            title = param.rich_help_panel or param.param_type_name.capitalize()
            panels.setdefault(title, []).append(_describe_param(param, taken[param.name]))
    for title, rows in panels.items():
        head = f"| {title.partition(' (')[0]} | takes | default | does |\n|---|---|---|---|"
        parts.append("\n".join([head, *rows]))
    return "\n\n".join(parts)


def _placeholder(param: Any) -> str:
    name = (param.metavar or param.name).upper()
    return name if param.required else f"[{name}]"


def _describe_param(param: Any, taken: inspect.Parameter) -> str:
    """Write a row: flags, what they take, the default, what they do."""
    argument = param.param_type_name == "argument"
    flags = [_placeholder(param)] if argument else [*param.opts, *param.secondary_opts]
    text, default = param.help, "" if taken.default in (None, False) else taken.default
    if stated := STATED_DEFAULT.search(text):
        text, default = text[: stated.start()], stated[1]
    if param.required:
        default = "required"
    elif default is True:
        default = flags[0]
    if default and " " not in str(default) and not param.required:
        default = f"`{default}`"
    shown = ", ".join(f"`{flag}`" for flag in flags)
    return f"| {shown} | {_name_type(taken.annotation)} | {default} | {text} |"


def _name_type(annotation: Any) -> str:
    """Say what a parameter takes, in words."""
    if hasattr(annotation, "__metadata__"):
        return _name_type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _name_type(next(one for one in get_args(annotation) if one is not type(None)))
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return f"{_name_type(get_args(annotation)[0])}, repeatable"
    return TYPES[annotation]


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page that holds tables, with its text as it should be."""
    tables = {
        "concepts/profile.md": {"measures": as_markdown()},
        "concepts/strategies.md": {
            "spaces": list_spaces(), **{f"{stage}s": list_strategies(stage) for stage in STAGES},
        },
        "reference/metrics.md": {"metrics": list_metrics()},
        "reference/cli.md": {"commands": list_commands()},
    }  # fmt: skip
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
