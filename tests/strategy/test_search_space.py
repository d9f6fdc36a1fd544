from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.errors import SearchSpaceError
from autoimb.profiling.profile import FACTS
from autoimb.strategy.configuration import STAGES, Choice
from autoimb.strategy.parameters import Constant, Range
from autoimb.strategy.search_space import SearchSpace, load_space
from autoimb.strategy.space_files import shipped_portfolio, shipped_spaces

optuna.logging.set_verbosity(optuna.logging.ERROR)
TREE = '[model.tree]\nclass = "sklearn.tree.DecisionTreeClassifier"\n'
SMOTE = '[sampler.smote]\nclass = "imblearn.over_sampling.SMOTE"\n'
LIGHTGBM = '[model.lgbm]\nclass = "lightgbm.LGBMClassifier"\n'
MANY = {**dict.fromkeys(FACTS, 100.0), "n_classes": 2.0, "max_neighbors": 50.0}
Write = Callable[..., Path]
each_shipped = pytest.mark.parametrize("name", shipped_spaces())


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str, name: str = "own.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write_file


def names(space: SearchSpace) -> dict[str, list[str]]:
    return {stage: [c.name for c in components] for stage, components in space.stages.items()}


def load(write: Write, text: str) -> SearchSpace:
    return load_space(write(text))


# ---------------------------------------------------------------- what a file may say


def test_every_reserved_word(write: Write) -> None:
    space = load(
        write,
        TREE
        + 'input = "numeric"\nwithout = ["weight"]\nif = {n_rows = [10, inf]}\n'
        + 'max_depth = {low = 1, high = 8, default = 3, cap = "n_features"}\n'
        + 'criterion = ["gini", "entropy"]\nsplitter = "best"\n'
        + SMOTE
        + "balance = {low = 0.1, high = 1.0}\n",
    )
    tree, smote = space.stages["model"][0], space.stages["sampler"][0]
    assert (tree.input, tree.without, tree.intervals) == (
        "numeric",
        ("weight",),
        {"n_rows": (10, float("inf"))},
    )
    assert tree.parameters["max_depth"] == Range(1, 8, 3, cap="n_features")
    assert tree.parameters["splitter"] == Constant("best")
    assert smote.balance == Range(0.1, 1.0, 0.55)
    assert smote.input == "scaled"
    chosen = space.default()
    assert chosen.weight == Choice("none")
    assert chosen.flat == {
        "model": "tree",
        "model.tree.max_depth": 3,
        "model.tree.criterion": "gini",
        "model.tree.splitter": "best",
        "ensemble": "none",
        "sampler": "smote",
        "sampler.smote.balance": 0.55,
        "weight": "none",
    }


def test_a_model_alone_is_a_space(write: Write) -> None:
    space = load(write, TREE)
    assert names(space) == {stage: ["tree" if stage == "model" else "none"] for stage in STAGES}
    assert space.name == "own"
    assert space.default().is_untouched


def test_extending_adds_overrides_and_drops(write: Write) -> None:
    write(TREE + "max_depth = 3\nmin_samples_leaf = 2\n" + LIGHTGBM + SMOTE, "base.toml")
    space = load(
        write,
        'extends = "base.toml"\ndrop = ["model.lgbm"]\n[model.tree]\nmax_depth = 5\n'
        '[model.bayes]\nclass = "sklearn.naive_bayes.GaussianNB"\n[sampler.none]\n',
    )
    assert names(space) == {
        "model": ["tree", "bayes"],
        "ensemble": ["none"],
        "sampler": ["smote", "none"],
        "weight": ["none"],
    }
    assert space.stages["model"][0].parameters == {
        "max_depth": Constant(5),
        "min_samples_leaf": Constant(2),
    }


def test_what_was_dropped_can_be_written_anew(write: Write) -> None:
    write(TREE + "max_depth = 3\n", "base.toml")
    space = load(write, 'extends = "base.toml"\ndrop = ["model.tree"]\n' + TREE)
    assert space.stages["model"][0].parameters == {}


def test_a_file_may_extend_a_shipped_space_of_its_own_name(write: Write) -> None:
    dropped = 'drop = ["model.tree", "model.explainable_boosting"]\n'
    path = write(f'extends = "interpretable"\n{dropped}', "interpretable.toml")
    assert names(load_space(path))["model"] == ["logistic", "naive_bayes"]


def test_a_component_joins_when_what_it_needs_is_installed(write: Write) -> None:
    far = '[model.far]\nclass = "far_away.Model"\nneeds = "far_away"\n'
    space = load(write, TREE + 'needs = "sklearn"\n' + far)
    assert names(space)["model"] == ["tree"]
    assert space.missing == {"model.far": "far_away"}
    with pytest.raises(SearchSpaceError, match=r"at least one table .* Install far_away\."):
        load(write, far)
    with pytest.raises(SearchSpaceError, match="must be the name of a package"):
        load(write, TREE + "needs = 5\n")


def test_a_component_may_skip_the_stage_after_it(write: Write) -> None:
    weight = '[weight.power]\nclass = "autoimb.strategy.weights.ClassWeighted"\npower = 0.5\n'
    space = load(write, TREE + SMOTE + 'without = ["weight"]\n[sampler.none]\n' + weight)
    assert space.default().weight == Choice("none")
    assert space.default(sampler="none").weight.name == "power"


# ---------------------------------------------------------------- what it may not say


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = [", "not a TOML file: Invalid value (at end of document)."),
        ("", "a search space needs at least one table [model.NAME]."),
        (SMOTE, "a search space needs at least one table [model.NAME]."),
        ("[modle.tree]\n", "[modle] is no stage; did you mean 'model'?"),
        ("extend = 'default'\n", "[extend] is no stage; did you mean 'extends'?"),
        ("[model]\ntree = 5\n", "model.tree must be a table, but is 5. Write [model.tree]."),
        (
            "extends = 'interpretable'\ndrop = ['model.tre']\n",
            "drop: 'model.tre' is not in the extended space; did you mean 'model.tree'?",
        ),
        ("[model.tree]\nmax_depth = 3\n", "[model.tree]: a model with settings needs a 'class'."),
        (
            TREE + "[sampler.smote]\nk_neighbors = 3\n",
            "[sampler.smote]: a sampler with settings needs a 'class'.",
        ),
        (
            TREE + "max_dept = 3\n",
            "[model.tree] max_dept: sklearn.tree.DecisionTreeClassifier has no such parameter; "
            "did you mean 'max_depth'?",
        ),
        (
            TREE + "with = ['weight']\n",
            "[model.tree] with: sklearn.tree.DecisionTreeClassifier has no such parameter; "
            "did you mean 'without'?",
        ),
        (
            LIGHTGBM + "num_leafs = 3\n",
            "[model.lgbm] num_leafs: lightgbm.LGBMClassifier has no such parameter; "
            "did you mean 'num_leaves'?",
        ),
        (
            TREE + "balance = 0.5\n",
            "[model.tree] balance: sklearn.tree.DecisionTreeClassifier has no 'sampling_strategy' "
            "to balance by. Remove it.",
        ),
        (
            TREE + "input = 'scale'\n",
            "[model.tree] input: 'scale' is not known; did you mean 'scaled'?",
        ),
        (
            TREE + "without = ['samplers']\n",
            "[model.tree] without: 'samplers' is not known; did you mean 'sampler'?",
        ),
        (
            TREE + "without = ['model']\n",
            "[model.tree] without: 'model' is not known; choose one of: ensemble, sampler, weight",
        ),
        (
            TREE + "if = {n_row = [1, 2]}\n",
            "[model.tree] if: 'n_row' is not known; did you mean 'n_rows'?",
        ),
        (
            TREE + "if = {n_rows = 5}\n",
            "[model.tree] if: n_rows needs an interval [low, high], but got 5.",
        ),
        (
            TREE + "if = {n_rows = [9, 1]}\n",
            "[model.tree] if: n_rows needs an interval [low, high], but got [9, 1].",
        ),
        (
            TREE + "max_depth = {low = 3, high = 1}\n",
            "[model.tree] max_depth: low < high must hold, but got low=3, high=1.",
        ),
        (
            TREE + "max_depth = {low = 1, high = 3, cap = 'rows'}\n",
            "[model.tree] max_depth: cap 'rows' is no fact of the data; did you mean 'n_rows'?",
        ),
        (
            "[model.x]\nclass = 'sklearn.tree.DecisionTree'\n",
            "[model.x] class: cannot import 'sklearn.tree.DecisionTree' (module 'sklearn.tree' has "
            "no attribute 'DecisionTree'). Correct the path, or install its package.",
        ),
        (
            "[model.x]\nclass = 'nowhere.Model'\n",
            "[model.x] class: cannot import 'nowhere.Model' (No module named 'nowhere'). "
            "Correct the path, or install its package.",
        ),
        (
            "[model.x]\nclass = 'Model'\n",
            "[model.x] class: cannot import 'Model' (Empty module name). "
            "Correct the path, or install its package.",
        ),
        (
            "[model.x]\nclass = 'sklearn.base.clone'\n",
            "[model.x] class: cannot import 'sklearn.base.clone' (clone is no class). "
            "Correct the path, or install its package.",
        ),
    ],
)  # fmt: skip
def test_a_faulty_file_is_answered_in_one_line(write: Write, text: str, message: str) -> None:
    path = write(text)
    with pytest.raises(SearchSpaceError) as caught:
        load_space(path)
    told = str(caught.value)
    assert "\n" not in told
    assert told.removeprefix(str(path)).lstrip(": ") == message


@pytest.mark.parametrize(
    "text",
    [
        "model = 5\n",
        "[[model]]\n",
        TREE + "if = 5\n",
        TREE + "if = {n_rows = ['a', 'b']}\n",
        TREE + "if = {n_rows = [nan, 5]}\n",
        TREE + "without = 5\n",
        TREE + "without = 'weight'\n",
        TREE + "input = 5\n",
        TREE + "input = ['raw']\n",
        "[model.x]\nclass = 5\n",
        "[model.x]\nclass = ''\n",
        "drop = 5\n" + TREE,
        "extends = 'interpretable'\ndrop = 'model.tree'\n",
        "extends = 'interpretable'\ndrop = [5]\n",
    ],
)
def test_a_value_of_the_wrong_type_is_answered_in_one_line(write: Write, text: str) -> None:
    with pytest.raises(SearchSpaceError, match=r"own\.toml") as caught:
        load(write, text)
    assert "\n" not in str(caught.value)


def test_files_that_extend_each_other(write: Write) -> None:
    first = write('extends = "b.toml"\n', "a.toml")
    write('extends = "a.toml"\n', "b.toml")
    with pytest.raises(SearchSpaceError) as caught:
        load_space(first)
    assert str(caught.value) == f"{first}: extends itself. Remove one 'extends'."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("defualt", "search space 'defualt' does not exist; did you mean 'default'?"),
        ("nowhere.toml", "search space file nowhere.toml does not exist. Check the path."),
    ],
)
def test_a_space_that_does_not_exist(name: str, message: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        load_space(name)
    assert str(caught.value) == message


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SearchSpaceError, match="not a TOML file"):
        load_space(path)


# ---------------------------------------------------------------- what the data rule out


def test_facts_rule_out_and_cap(write: Write) -> None:
    space = load(
        write,
        TREE + "[sampler.none]\n" + SMOTE
        + "if = {max_neighbors = [2, inf], n_rows = [0, 100]}\n"
        + 'k_neighbors = {low = 1, high = 15, default = 5, cap = "max_neighbors"}\n',
    )  # fmt: skip
    kept = space.restricted_to({**MANY, "max_neighbors": 3.0})
    assert kept.stages["sampler"][1].parameters["k_neighbors"] == Range(1, 3, 3)
    for facts in ({"max_neighbors": 1.0}, {"n_rows": 101.0}):
        assert names(space.restricted_to({**MANY, **facts}))["sampler"] == ["none"]


def test_a_measure_rules_out_and_caps_and_one_without_a_value_only_rules_out(write: Write) -> None:
    space = load(
        write,
        TREE + "[sampler.none]\n" + SMOTE
        + "if = {density_corrected_overlap = [0.0, 0.5]}\n"
        + 'k_neighbors = {low = 1, high = 15, default = 5, cap = "local_set_median"}\n',
    )  # fmt: skip
    facts = {**MANY, "density_corrected_overlap": 0.2, "local_set_median": 3.0}
    kept = space.restricted_to(facts).stages["sampler"][1]
    assert kept.parameters["k_neighbors"] == Range(1, 3, 3)
    kept = space.restricted_to({**facts, "local_set_median": math.nan}).stages["sampler"][1]
    assert kept.parameters["k_neighbors"] == Range(1, 15, 5)
    for overlap in (0.6, math.nan):
        without = space.restricted_to({**facts, "density_corrected_overlap": overlap})
        assert names(without)["sampler"] == ["none"]


def test_a_stage_must_keep_something(write: Write) -> None:
    space = load(write, TREE + "if = {n_rows = [1000, inf]}\n")
    with pytest.raises(SearchSpaceError) as caught:
        space.restricted_to(MANY)
    assert str(caught.value) == (
        "search space 'own': these data rule out every model. "
        "Widen an 'if', or add a component without one."
    )


# ---------------------------------------------------------------- walking a space


@each_shipped
def test_a_shipped_space_offers_to_do_nothing(name: str) -> None:
    space = load_space(name)
    assert set(space.stages) == set(STAGES)
    for stage in STAGES[1:]:
        assert space.stages[stage][0].class_path is None
    assert space.default().is_untouched
    assert len(shipped_spaces()[name]) > 20


@each_shipped
def test_the_names_of_a_study_are_unique(name: str) -> None:
    space = load_space(name)
    for components in space.stages.values():
        found = [component.name for component in components]
        assert len(found) == len(set(found))
        assert not any("." in component for component in found)


@each_shipped
@settings(max_examples=25, deadline=None)
@given(neighbors=st.integers(0, 60), rows=st.integers(4, 300_000), seed=st.integers(0, 999))
def test_a_study_gives_back_every_configuration(
    name: str, neighbors: int, rows: int, seed: int
) -> None:
    facts = {**MANY, "max_neighbors": float(neighbors), "n_rows": float(rows), "n_minority": 2.0}
    space = load_space(name).restricted_to(facts)
    for configuration in (space.default(), space.sample(np.random.default_rng(seed))):
        trial = optuna.trial.FixedTrial(configuration.flat)
        assert space.suggest(trial) == configuration
        assert set(trial.params) <= set(configuration.flat)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@each_shipped
def test_a_study_records_qualified_names(name: str) -> None:
    space = load_space(name).restricted_to(MANY)
    sampler = optuna.samplers.TPESampler(multivariate=True, group=True, seed=0, n_startup_trials=5)
    study = optuna.create_study(sampler=sampler)
    ranges: dict[str, Any] = {}
    for value in range(25):
        trial = study.ask()
        flat = space.suggest(trial).flat
        assert {key: flat[key] for key in trial.params} == trial.params
        for key, distribution in trial.distributions.items():
            assert key.split(".")[0] in STAGES
            assert ranges.setdefault(key, distribution) == distribution
        study.tell(trial, float(value))


@each_shipped
def test_one_seed_gives_one_configuration(name: str) -> None:
    space = load_space(name)
    draws = [space.sample(np.random.default_rng(seed)).flat for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_samples_reach_every_component() -> None:
    space, rng = load_space("thorough"), np.random.default_rng(0)
    missing = {(stage, one.name) for stage, found in space.stages.items() for one in found}
    for _ in range(30_000):
        missing -= {(stage, one.name) for stage, one in space.sample(rng).choices.items()}
        if not missing:
            break
    assert not missing


# ---------------------------------------------------------------- what is tried first


def test_the_portfolio_is_as_it_was_written_in_the_space_it_was_drawn_from() -> None:
    space = load_space("default")
    written = shipped_portfolio()
    assert written
    for configuration, flat in zip(space.portfolio(), written, strict=True):
        assert flat.items() <= configuration.flat.items()
        # such a trial refuses to make up what is searched but not written
        assert space.suggest(optuna.trial.FixedTrial(flat)) == configuration


@each_shipped
@settings(max_examples=25, deadline=None)
@given(neighbors=st.integers(0, 60), rows=st.integers(4, 300_000))
def test_a_study_takes_the_portfolio_as_it_is(name: str, neighbors: int, rows: int) -> None:
    facts = {**MANY, "max_neighbors": float(neighbors), "n_rows": float(rows), "n_minority": 3.0}
    space = load_space(name).restricted_to(facts)
    for configuration in space.portfolio():
        asked = space.suggest(optuna.trial.FixedTrial(dict(configuration.flat)))
        assert asked.flat == configuration.flat


def test_a_space_without_the_components_has_no_portfolio(write: Write) -> None:
    assert load(write, TREE).portfolio() == []


def test_values_that_a_space_does_not_admit_become_the_nearest(write: Write) -> None:
    text = (
        'extends = "default"\n[model.lightgbm]\nnum_leaves = {low = 40, high = 50, default = 45}\n'
        "learning_rate = 0.3\nextra_trees = [true]\n"
    )
    space = load(write, text)
    found = [c.model.values for c in space.portfolio() if c.model.name == "lightgbm"]
    assert found
    for values in found:
        assert 40 <= values["num_leaves"] <= 50
        assert (values["learning_rate"], values["extra_trees"]) == (0.3, True)


def test_the_portfolio_is_no_space() -> None:
    assert "portfolio" not in shipped_spaces()
    with pytest.raises(SearchSpaceError, match=r"search space 'portfolio' does not exist"):
        load_space("portfolio")
