from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from command_line import Command

SHIPPED = ("deep", "default", "fast", "interpretable", "thorough")


def test_every_space_is_listed_with_what_it_is_for(cli: Command) -> None:
    found = cli("spaces")
    assert found.code == 0
    told = (line for line in found.stdout.splitlines() if not line.startswith("left out"))
    lines = [line.split(maxsplit=1) for line in told]
    assert [line[0] for line in lines] == sorted(SHIPPED)
    assert all(len(line) == 2 for line in lines)


def test_what_waits_for_a_package_is_told(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'extends = "interpretable"\n[model.far]\nclass = "far_away.Model"\nneeds = "far_away"\n'
    )
    found = cli("spaces", "--check", "own.toml")
    assert (found.code, found.stderr) == (0, "")
    assert "left out, as far_away is not installed: model.far\n" in found.stdout


@pytest.mark.parametrize("name", SHIPPED)
def test_a_printed_space_is_a_valid_file(cli: Command, tmp_path: Path, name: str) -> None:
    printed = cli("spaces", name)
    assert printed.code == 0
    assert "model" in tomllib.loads(printed.stdout)
    (tmp_path / "mine.toml").write_text(printed.stdout)
    checked = cli("spaces", "--check", "mine.toml")
    assert (checked.code, checked.stderr) == (0, "")
    assert checked.stdout.startswith("mine.toml is a valid search space: ")


def test_a_space_of_ones_own_is_counted(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[model.nb]\nclass = "sklearn.naive_bayes.GaussianNB"\ninput = "numeric"\n'
    )
    found = cli("spaces", "--check", "own.toml")
    assert found.stdout == (
        "own.toml is a valid search space: 1 models, 1 ensembles, 1 samplers, 1 weights\n"
    )


FAULTS = {
    "key": (
        '[model.lr]\nclass = "sklearn.linear_model.LogisticRegression"\nCC = 1.0\n',
        "own.toml: [model.lr] CC: sklearn.linear_model.LogisticRegression has no such parameter; "
        "did you mean 'C'?",
    ),
    "stage": (
        '[modle.lr]\nclass = "sklearn.linear_model.LogisticRegression"\n',
        "own.toml: [modle] is no stage; did you mean 'model'?",
    ),
    "class": (
        '[model.lr]\nclass = "sklearn.nowhere.Nothing"\n',
        "own.toml: [model.lr] class: cannot import 'sklearn.nowhere.Nothing' "
        "(No module named 'sklearn.nowhere'). Correct the path, or install its package.",
    ),
    "no model": (
        "[sampler.none]\n",
        "own.toml: a search space needs at least one table [model.NAME].",
    ),
    "extends": (
        'extends = "defautl"\n',
        "search space 'defautl' does not exist; did you mean 'default'?",
    ),
    "drop": (
        'extends = "fast"\ndrop = ["sampler.smot"]\n',
        "own.toml: drop: 'sampler.smot' is not in the extended space; "
        "did you mean 'sampler.smote'?",
    ),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=list(FAULTS))
def test_a_faulty_space_is_told_in_one_line(
    cli: Command, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "own.toml").write_text(text)
    found = cli("spaces", "--check", "own.toml")
    assert (found.code, found.stdout, found.stderr) == (2, "", f"error: {message}\n")


@pytest.mark.parametrize(
    "text",
    [
        "drop = 5\n",
        'drop = "model.lightgbm"\n',
        "extends = 5\n",
        '[model.lr]\nclass = "sklearn.linear_model.LogisticRegression"\nif = 5\n',
        '[model.lr]\nclass = "sklearn.linear_model.LogisticRegression"\nif = {n_rows = ["a", 2]}\n',
        '[model.lr]\nclass = "sklearn.linear_model.LogisticRegression"\nwithout = 5\n',
        '[model.lr]\nclass = "sklearn.linear_model.LogisticRegression"\ninput = ["raw"]\n',
        '[model.lr]\nclass = "sklearn.linear_model.LogisticRegression"\nC = []\n',
        "[model.lr]\nclass = 5\n",
        '[model.lr]\nclass = "LogisticRegression"\n',
        '[model.lr]\nclass = "os.getcwd"\n',
        "model = 5\n",
        "[model]\nlr = 5\n",
        "[[model]]\n",
        "not toml",
        "\x00",
    ],
)
def test_whatever_stands_in_a_space_the_error_is_foreseen(
    cli: Command, tmp_path: Path, text: str
) -> None:
    (tmp_path / "own.toml").write_text(text)
    found = cli("spaces", "--check", "own.toml")
    assert found.code == 2
    assert found.stderr.startswith("error: ")
    assert found.stderr.count("\n") == 1
    assert "unexpected" not in found.stderr


def test_the_nearest_space_is_offered(cli: Command) -> None:
    found = cli("spaces", "fasst")
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr == "error: search space 'fasst' does not exist; did you mean 'fast'?\n"
