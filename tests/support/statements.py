"""Every statement of the program, by the name under which its module holds it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

import safelight
from safelight.store.postgres_tx import array_literal
from safelight.store.statements import Statement

PACKAGES = ("services", "events", "maintenance", "queues", "alerts", "diagnosis")
SAMPLES = {"owner": "user-7", "line": "image", "wanted_status": "failed", "wanted_kind": "image", "slots": 4}
SAMPLES |= {f"label_{part}_{n}": value for n in (0, 1) for part, value in (("key", "shelf"), ("value", "shelf-3"))}
"""Values that may well occur. Others occur nowhere."""
SOON = 1_800_000_000.0


def statements() -> Iterator[tuple[str, Statement]]:
    """`package.module.NAME` and the statement; one in a dictionary has its key in brackets."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(safelight.__path__, "safelight."):
            if module.name.startswith(f"safelight.{package}."):
                short = module.name.removeprefix("safelight.")
                for name, value in vars(importlib.import_module(module.name)).items():
                    yield from ((f"{short}.{called}", found) for called, found in _statements_in(name, value))


def _statements_in(name: str, value: object) -> Iterator[tuple[str, Statement]]:
    if isinstance(value, Statement):
        yield name, value
    elif isinstance(value, dict):
        yield from ((f"{name}[{key}]", found) for key, found in value.items() if isinstance(found, Statement))


def values_for(statement: Statement) -> dict[str, Any]:
    """A value of the right type for each argument; for lists as Postgres takes them."""
    return {name: _value(name, argument) for name, argument in statement.arguments.items()}


def _value(name: str, argument: sa.BindParameter[Any]) -> Any:
    one: Any = SAMPLES.get(name, f"some-{name}")
    if isinstance(argument.type, sa.Boolean):
        one = False
    elif isinstance(argument.type, sa.Float):
        one = SOON
    elif isinstance(argument.type, sa.Integer):
        one = SAMPLES.get(name, 7_000)
    return array_literal([one] * 3) if argument.expanding else one
