"""Read the catalog: the file shipped with the package, changed and extended by the operator's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from safelight.catalog.catalog import Catalog
from safelight.catalog.checking import Wrong, checked
from safelight.domain.errors import BadCatalog, Remedy

SHIPPED = "the catalog shipped with Safelight"
KEYS = ("models", "providers", "tiers", "follow_successors")
SHIPPED_FILES = ("image.toml", "video.toml", "text.toml", "upscale.toml")


def load_catalog(override: Path | None = None) -> Catalog:
    """The catalog in force. Raises BadCatalog with the file and every field that is wrong."""
    shipped = _shipped()
    if override is None:
        return checked(shipped, trusted=shipped)
    file = str(override)
    document = _parse(_read(override), file)
    follow = document.get("follow_successors", False)
    if not isinstance(follow, bool):
        raise _bad(file, f"has follow_successors = {follow!r}", "Write true or false.")
    own = _entries(document, file)
    trusted = shipped.keys() - own.keys()
    rest = {name: _tables(document, name, file) for name in ("providers", "tiers")}
    try:
        return checked(_merged(shipped, own), **rest, follow_successors=follow, trusted=trusted)
    except Wrong as wrong:
        raise _bad(file, f"cannot be used: {wrong}", "Correct the fields named here.", wrong.problems) from None


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
        if key not in KEYS:
            allowed = "Only [[models]], [providers.NAME], [tiers.NAME] and follow_successors belong there."
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


def _tables(document: Mapping[str, Any], name: str, file: str) -> dict[str, Any]:
    """The file's `[NAME.…]` tables."""
    tables = document.get(name, {})
    if not isinstance(tables, dict):
        raise _bad(file, f"has `{name}` that is no table", f"Write [{name}.NAME] for each of them.")
    return tables


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


def _bad(file: str, what: str, remedy: str, problems: list[str] | None = None) -> BadCatalog:
    evidence = {"file": file, "problems": problems if problems is not None else [what]}
    return BadCatalog(
        f"{file[:1].upper()}{file[1:]} {what}." if file == SHIPPED else f"{file} {what}.",
        remedy=Remedy(remedy),
        evidence=evidence,
    )
