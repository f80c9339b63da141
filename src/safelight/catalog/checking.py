"""From the tables of catalog files to a Catalog, or to everything that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from safelight.catalog.catalog import Catalog
from safelight.catalog.limits import ProviderLimits
from safelight.catalog.model import Model
from safelight.catalog.parameters import check_schema, nearest, parameter_errors
from safelight.catalog.tiers import Tier

E = TypeVar("E", bound=BaseModel)
NOTHING: Mapping[str, Any] = {}


class Wrong(Exception):
    """Every problem found, as `place: text`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def checked(
    entries: Mapping[str, dict[str, Any]],
    *,
    providers: Mapping[str, Any] = NOTHING,
    tiers: Mapping[str, Any] = NOTHING,
    follow_successors: bool = False,
    trusted: Collection[str] = (),
) -> Catalog:
    """The catalog of model entries by id, with an operator's limits and tiers by name. Raises Wrong.

    Parameters of `trusted` models are not looked at: those of the shipped ones are tested, and it takes half a second.
    """
    problems: list[str] = []
    models = _models(entries, trusted, problems)
    limits = _tables(ProviderLimits, "providers", "limit", providers, problems)
    catalog = Catalog(
        tuple(models), limits, follow_successors, _tables(Tier, "tiers", "field of a tier", tiers, problems)
    )
    for name, tier in catalog.tiers.items():
        problems += [f"tiers.{name}.{problem}" for problem in tier.problems(catalog.by_name)]
    if problems:
        raise Wrong(problems)
    return catalog


def _models(entries: Mapping[str, dict[str, Any]], trusted: Collection[str], problems: list[str]) -> list[Model]:
    models: list[Model] = []
    for name, entry in entries.items():
        try:
            model = Model.model_validate(entry)
        except ValidationError as error:
            problems += [f"{name}.{_path(e['loc'])}: {_text(e, entry)}" for e in _causes(error)]
            continue
        problems += [] if name in trusted else schema_problems(model)
        models.append(model)
    problems += _name_problems(models)
    return models


def _tables(kind: type[E], place: str, noun: str, tables: Mapping[str, Any], problems: list[str]) -> dict[str, E]:
    found: dict[str, E] = {}
    for name, given in tables.items():
        try:
            found[name] = kind.model_validate(given)
        except ValidationError as error:
            fields = ", ".join(kind.model_fields)
            problems += [f"{place}.{name}.{_path(e['loc'])}: {_table_text(e, noun, fields)}" for e in error.errors()]
    return found


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Without what only follows: a list counts as too short when those in it are wrong."""
    found = error.errors()
    return [e for e in found if e["type"] != "too_short" or not any(_is_below(each["loc"], e["loc"]) for each in found)]


def _is_below(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")


def _table_text(error: Any, noun: str, fields: str) -> str:
    if error["type"] == "extra_forbidden":
        return f"is not a {noun}; there are: {fields}"
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}, got {error['input']!r}"


def _text(error: Any, entry: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        close = nearest(str(error["loc"][0]), Model.model_fields)
        return f"is not a field of a model; did you mean {close!r}?" if close else "is not a field of a model"
    if error["type"] == "missing":
        return "is missing"
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}, got {error['input']!r}"


def schema_problems(model: Model) -> list[str]:
    """What is wrong with the JSON Schema of its parameters, and with their defaults."""
    from jsonschema import SchemaError

    try:
        for schema in model.parameters.values():
            check_schema(schema)
    except SchemaError as error:
        path = ".".join(str(step) for step in error.absolute_path)
        return [f"{model.id}.parameters: not valid JSON Schema{f' at {path}' if path else ''}: {error.message}"]
    defaults = {name: schema["default"] for name, schema in model.parameters.items() if "default" in schema}
    wrong = parameter_errors(model.validators, defaults)
    return [
        f"{model.id}.{path.replace('params', 'parameters', 1)}.default: {texts[0]}" for path, texts in wrong.items()
    ]


def _name_problems(models: list[Model]) -> list[str]:
    """An id or alias that stands for two models would make a request mean either."""
    owner: dict[str, str] = {model.id: model.id for model in models}
    problems = []
    for model in models:
        for alias in model.aliases:
            if owner.setdefault(alias, model.id) != model.id:
                problems.append(f"{model.id}.aliases: {alias!r} already names {owner[alias]!r}")
    return problems
