"""Which strategies of a search space are trained to look for leaks."""

from __future__ import annotations

from collections.abc import Iterator

from autoimb.strategy.configuration import STAGES, Choice, Configuration
from autoimb.strategy.search_space import Component, SearchSpace, import_class

__all__ = ["different", "oversampled", "samplers"]


def samplers(space: SearchSpace) -> dict[str, Choice]:
    """Return every sampler with its defaults."""
    return {
        one.name: one.choose(lambda name, parameter: parameter.default)
        for one in space.stages["sampler"]
        if one.class_path
    }


def oversampled(space: SearchSpace) -> list[Configuration]:
    """Return strategies that add rows, which is where copies and synthetic rows come from.

    Examples
    --------
    >>> from autoimb.strategy.search_space import load_space
    >>> [str(strategy) for strategy in oversampled(load_space("interpretable"))]
    ['logistic + random_over', 'logistic + smote']
    """
    model = _model_beside("sampler", space)
    return [
        space.default(model=model, sampler=one.name, **_plain(space, "ensemble", "weight"))
        for one in space.stages["sampler"]
        if model and one.class_path and _adds_rows(one)
    ]


def different(space: SearchSpace) -> list[Configuration]:
    """Return a few strategies that use all there is: encoder, sampler, weight.

    Examples
    --------
    >>> from autoimb.strategy.search_space import load_space
    >>> [str(strategy) for strategy in different(load_space("default"))]
    ['lightgbm', 'logistic', 'lightgbm + random_over', 'lightgbm + smote', 'lightgbm + power']
    """
    each = [space.untouched(), *_encoded(space), *oversampled(space)[:2], *_weighted(space)]
    return list({str(strategy): strategy for strategy in each}.values())


def _adds_rows(component: Component) -> bool:
    found = import_class(component.class_path or "")
    return getattr(found, "_sampling_type", "") == "over-sampling"


def _model_beside(stage: str, space: SearchSpace) -> str:
    """Name the first model that a stage goes with; nothing if there is none."""
    return next((one.name for one in space.stages["model"] if stage not in one.without), "")


def _plain(space: SearchSpace, *stages: str) -> dict[str, str]:
    """Choose the components that skip stages."""
    return {
        stage: one.name for stage in stages for one in space.stages[stage] if not one.class_path
    }


def _encoded(space: SearchSpace) -> Iterator[Configuration]:
    """Yield the first model that is not fed the rows as they are."""
    for one in space.stages["model"]:
        if one.input != "raw":
            yield space.default(model=one.name, **_plain(space, *STAGES[1:]))
            return


def _weighted(space: SearchSpace) -> Iterator[Configuration]:
    model = _model_beside("weight", space)
    for one in space.stages["weight"]:
        if model and one.class_path:
            plain = _plain(space, "ensemble", "sampler")
            yield space.default(model=model, weight=one.name, **plain)
            return
