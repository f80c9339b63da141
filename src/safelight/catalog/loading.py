"""Read the catalog: the file shipped with the package, changed and extended by the operator's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from safelight.catalog.catalog import Catalog
from safelight.catalog.limits import ProviderLimits
from safelight.catalog.model import Model
from safelight.catalog.parameters import nearest, parameter_errors
from safelight.domain.errors import BadCatalog, Remedy

SHIPPED = "the catalog shipped with Safelight"
SHIPPED_FILES = ("image.toml", "video.toml", "text.toml", "upscale.toml")


def load_catalog(override: Path | None = None) -> Catalog:
    """The catalog in force. Raises BadCatalog with the file and every field that is wrong."""
    if override is None:
        return _checked(_shipped(), {}, SHIPPED)
    file = str(override)
    document = _parse(_read(override), file)
    follow = document.pop("follow_successors", False)
    if not isinstance(follow, bool):
        raise _bad(file, f"has follow_successors = {follow!r}", "Write true or false.")
    return _checked(_merged(_shipped(), _entries(document, file)), _limits(document, file), file, follow)


def _shipped() -> dict[str, dict[str, Any]]:
    """The entries of all shipped files, one per kind, in order."""
    folder = files("safelight.catalog") / "models"
    entries: dict[str, dict[str, Any]] = {}
    for name in SHIPPED_FILES:
        entries |= _entries(_parse((folder / name).read_text("utf-8"), name), name)
    return entries


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _bad(str(path), f"cannot be read: {reason}", "Correct SAFELIGHT_CATALOG, or leave it unset.") from error


def _parse(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(file, f"is not valid TOML: {error}", "Correct that line.") from error


def _entries(document: Mapping[str, Any], file: str) -> dict[str, dict[str, Any]]:
    """The file's entries by id, in its order."""
    for key in document:
        if key not in ("models", "providers"):
            allowed = "Only [[models]], [providers.NAME] tables and follow_successors belong there."
            raise _bad(file, f"has an unknown key {key!r}", allowed)
    entries: dict[str, dict[str, Any]] = {}
    models = document.get("models", [])
    if not isinstance(models, list):
        raise _bad(file, "has `models` that is not a list of tables", "Write each model as [[models]].")
    for index, entry in enumerate(models):
        name = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            raise _bad(file, f"has an entry without an id (models[{index}])", "Give every [[models]] table an id.")
        if name in entries:
            raise _bad(file, f"names model {name!r} twice", "Keep one of the two.")
        entries[name] = entry
    return entries


def _limits(document: Mapping[str, Any], file: str) -> dict[str, Any]:
    """The file's `[providers.NAME]` tables."""
    limits = document.get("providers", {})
    if not isinstance(limits, dict):
        raise _bad(file, "has `providers` that is no table", "Write [providers.NAME] for each provider.")
    return limits


def _merged(shipped: Mapping[str, dict[str, Any]], own: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """New models first, so that the operator's own come before the built-ins; known ones keep their place."""
    added = {name: entry for name, entry in own.items() if name not in shipped}
    changed = {name: _overlaid(entry, own.get(name, {})) for name, entry in shipped.items()}
    return {**added, **changed}


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; everything else, lists too, is replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _overlaid(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _checked(
    entries: Mapping[str, dict[str, Any]], limits: Mapping[str, Any], file: str, follow_successors: bool = False
) -> Catalog:
    problems: list[str] = []
    models: list[Model] = []
    for name, entry in entries.items():
        try:
            model = Model.model_validate(entry)
        except ValidationError as error:
            problems += [f"{name}.{_path(e['loc'])}: {_text(e, entry)}" for e in error.errors()]
            continue
        problems += _schema_problems(model)
        models.append(model)
    problems += _name_problems(models)
    providers: dict[str, ProviderLimits] = {}
    for name, given in limits.items():
        try:
            providers[name] = ProviderLimits.model_validate(given)
        except ValidationError as error:
            problems += [f"providers.{name}.{_path(e['loc'])}: {_limit_text(e)}" for e in error.errors()]
    if problems:
        raise _bad(file, "cannot be used: " + "; ".join(problems), "Correct the fields named here.", problems)
    return Catalog(tuple(models), providers, follow_successors)


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")


def _limit_text(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return f"is not a limit; there are: {', '.join(ProviderLimits.model_fields)}"
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}, got {error['input']!r}"


def _text(error: Any, entry: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        close = nearest(str(error["loc"][0]), Model.model_fields)
        return f"is not a field of a model; did you mean {close!r}?" if close else "is not a field of a model"
    if error["type"] == "missing":
        return "is missing"
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}, got {error['input']!r}"


def _schema_problems(model: Model) -> list[str]:
    from jsonschema import SchemaError

    try:
        validators = model.validators
    except SchemaError as error:
        path = ".".join(str(step) for step in error.absolute_path)
        return [f"{model.id}.parameters: not valid JSON Schema{f' at {path}' if path else ''}: {error.message}"]
    defaults = {name: schema["default"] for name, schema in model.parameters.items() if "default" in schema}
    wrong = parameter_errors(validators, defaults)
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


def _bad(file: str, what: str, remedy: str, problems: list[str] | None = None) -> BadCatalog:
    evidence = {"file": file, "problems": problems if problems is not None else [what]}
    return BadCatalog(
        f"{file[:1].upper()}{file[1:]} {what}." if file == SHIPPED else f"{file} {what}.",
        remedy=Remedy(remedy),
        evidence=evidence,
    )
