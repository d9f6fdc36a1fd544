"""The shape of the package: who may import whom, how long things are, what they are called."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "autoimb"

# A module imports only from lower floors, and inside a floor only within its own row.
# A row is a module or a folder directly below autoimb/.
FLOORS = {
    "arrays": 0,
    "errors": 0,
    "drawing": 1,
    "markup": 0,
    "threads": 0,
    "rankings": 1,
    "metrics": 2,
    "data": 2,
    "profiling": 3,
    "decision": 3,
    "displays": 4,
    "strategy": 4,
    "evaluation": 5,
    "search": 6,
    "recommendation": 7,
    "manifest": 3,
    "fitted_model": 5,
    "model_card": 8,
    "explaining": 8,
    "artifact": 9,
    "run_file": 2,
    "past_run": 5,
    "run_comparison": 6,
    "exporting": 7,
    "fit_notes": 8,
    "fit_facts": 10,
    "outcome": 7,
    "refitting": 7,
    "figures": 7,
    "final_test": 7,
    "planning": 7,
    "retuning": 12,
    "serving": 10,
    "tracking": 11,
    "run_folder": 11,
    "replaying": 12,
    "fitting": 9,
    "reporting": 11,
    "leaks": 10,
    "running": 13,
    "classifier": 13,
    "cli": 14,
    "__main__": 15,
}

# What appears in a few places only, so that the rest neither needs nor waits for it.
HOMES = {
    "optuna": ("strategy/search_space.py", "search/"),
    "mlflow": ("tracking/",),
    "typer": ("cli/",),
    "torch": ("strategy/deep/",),
}
IMPORTED_LATE = ("mlflow", "torch")  # their import takes seconds
PRINTERS = ("cli/",)

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40  # of its body: arguments and docstring are for readers
VAGUE_WORDS = {"util", "utils", "helper", "helpers", "manager", "managers"}
FOLDERS_WITH_NAMES = ("autoimb", "tests", "examples", "benchmarks")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Definition = FunctionNode | ast.ClassDef

SOURCES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
each_source = pytest.mark.parametrize("name", SOURCES)


@functools.cache
def parse(name: str) -> ast.Module:
    return ast.parse(SOURCES[name].read_text(encoding="utf-8"), filename=name)


def row_of(name: str) -> str:
    return name.split("/")[0].removesuffix(".py")


def lives_in(name: str, places: tuple[str, ...]) -> bool:
    return any(name.startswith(place) if place.endswith("/") else name == place for place in places)


def absolute_module(node: ast.ImportFrom, name: str) -> str:
    """Spell out the module of a relative import found in the file `name`."""
    if not node.level:
        return node.module or ""
    folder = ("autoimb", *name.split("/")[:-1])
    base = folder[: len(folder) - node.level + 1]
    return ".".join((*base, node.module) if node.module else base)


def imported_names(tree: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of all that is imported, at whatever depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute_module(node, name)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def at_import_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the module is imported, type-checking blocks left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, FunctionNode | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        yield node
        yield from at_import_time(node)


def eager_imports(name: str) -> set[str]:
    """Name the packages that importing the file `name` imports by itself."""
    direct = [n for n in at_import_time(parse(name)) if isinstance(n, ast.Import | ast.ImportFrom)]
    return {
        dotted.split(".")[0]
        for node in direct
        for _, dotted in imported_names(ast.Module([node], []), name)
    }


def misplaced_import(name: str, dotted: str) -> str | None:
    """Say why the file `name` may not import `dotted`, or None if it may."""
    package, _, rest = dotted.partition(".")
    row = rest.split(".")[0]
    if package != "autoimb" or row.startswith("__") or row == row_of(name):
        return None
    if row not in FLOORS:
        return f"{dotted} is no module of FLOORS: import a name from the module that defines it"
    mine, other = FLOORS[row_of(name)], FLOORS[row]
    if other < mine:
        return None
    return f"floor {mine} may not import {dotted} of floor {other}"


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    yield from (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def lines_of_body(node: FunctionNode) -> int:
    length = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
    docstring = ast.get_docstring(node, clean=False)
    return length - (docstring.count("\n") + 1 if docstring else 0)


def public_definitions(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Yield public functions and classes, and the public methods of the latter."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_") and not repeats(node):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node)


def repeats(node: Definition) -> bool:
    """Tell the setter of a property and the overload of a function, documented elsewhere."""
    marks = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return bool(marks & {"setter", "deleter", "overload"})


def found(problems: list[str]) -> str:
    return "\n" + "\n".join(problems)


@each_source
def test_every_module_stands_on_a_floor(name: str) -> None:
    assert name == "__init__.py" or row_of(name) in FLOORS, (
        f"autoimb/{name}: '{row_of(name)}' is on no floor: give it a row in FLOORS of {__file__}, "
        "as low as its imports let it be"
    )


@pytest.mark.parametrize("name", [name for name in SOURCES if row_of(name) in FLOORS])
def test_modules_import_from_lower_floors_only(name: str) -> None:
    problems = [
        f"autoimb/{name}:{line}: {reason}"
        for line, dotted in imported_names(parse(name), name)
        if (reason := misplaced_import(name, dotted))
    ]
    assert not problems, found(problems)


def test_importing_the_package_imports_nothing_else() -> None:
    assert eager_imports("__init__.py") <= sys.stdlib_module_names


@each_source
@pytest.mark.parametrize("package", HOMES)
def test_a_dependency_with_a_home_stays_there(name: str, package: str) -> None:
    problems = [
        f"autoimb/{name}:{line}: imports {dotted}; {package} belongs to {', '.join(HOMES[package])}"
        for line, dotted in imported_names(parse(name), name)
        if dotted.split(".")[0] == package and not lives_in(name, HOMES[package])
    ]
    assert not problems, found(problems)


@each_source
def test_slow_dependencies_are_imported_inside_functions(name: str) -> None:
    assert not eager_imports(name) & set(IMPORTED_LATE)


@each_source
def test_only_the_command_line_prints(name: str) -> None:
    problems = [
        f"autoimb/{name}:{node.lineno}: prints"
        for node in ast.walk(parse(name))
        if isinstance(node, ast.Name) and node.id == "print" and not lives_in(name, PRINTERS)
    ]
    assert not problems, found(problems)


@each_source
def test_files_are_short(name: str) -> None:
    assert len(SOURCES[name].read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@each_source
def test_functions_are_short(name: str) -> None:
    problems = [
        f"autoimb/{name}:{node.lineno}: {node.name} has {length} > {MAX_FUNCTION_LINES} lines"
        for node in functions(parse(name))
        if (length := lines_of_body(node)) > MAX_FUNCTION_LINES
    ]
    assert not problems, found(problems)


@each_source
def test_what_is_public_has_a_docstring(name: str) -> None:
    problems = [
        f"autoimb/{name}:{node.lineno}: {node.name} has no docstring"
        for node in public_definitions(parse(name))
        if not ast.get_docstring(node)
    ]
    assert not problems, found(problems)


@pytest.mark.parametrize("folder", FOLDERS_WITH_NAMES)
def test_files_are_named_after_what_they_hold(folder: str) -> None:
    paths = [path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py")]
    vague = [path.as_posix() for path in paths if any(map(is_vague, path.parts))]
    assert not vague, found(vague)


def is_vague(part: str) -> bool:
    return bool(VAGUE_WORDS & set(part.removesuffix(".py").split("_")))


# The rules above say nothing while nobody breaks them; these files break them.


@pytest.mark.parametrize(
    ("name", "dotted", "allowed"),
    [
        ("metrics.py", "autoimb.errors.DataError", True),
        ("metrics.py", "autoimb.data.reading", False),
        ("data/reading.py", "autoimb.data.dataset.Dataset", True),
        ("data/reading.py", "autoimb.metrics.METRICS", False),
        ("search/study.py", "autoimb.evaluation.engine", True),
        ("evaluation/engine.py", "autoimb.search.study", False),
        ("evaluation/engine.py", "autoimb.AutoImbClassifier", False),
        ("evaluation/engine.py", "autoimb.__version__", True),
        ("evaluation/engine.py", "sklearn.base.clone", True),
    ],
)
def test_the_floors_tell_right_from_wrong(name: str, dotted: str, allowed: bool) -> None:
    assert (misplaced_import(name, dotted) is None) is allowed


@pytest.mark.parametrize(
    ("source", "dotted"),
    [
        ("from . import dataset", "autoimb.data.dataset"),
        ("from .dataset import Dataset", "autoimb.data.dataset.Dataset"),
        ("from .. import metrics", "autoimb.metrics"),
        ("from ..metrics import METRICS", "autoimb.metrics.METRICS"),
        ("def f():\n    import autoimb.metrics", "autoimb.metrics"),
    ],
)
def test_imports_are_seen_however_they_are_written(source: str, dotted: str) -> None:
    assert [n for _, n in imported_names(ast.parse(source), "data/reading.py")] == [dotted]
