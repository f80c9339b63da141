"""Read the settings: command line over environment over TOML file over default.

A variable may be given as `SAFELIGHT_NAME`, or as `SAFELIGHT_NAME_FILE` with the path of a file that holds
the value. An empty variable counts as not set. Anything unknown is an error, because a misspelt setting
that is silently ignored costs an evening.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from safelight.domain.errors import BadSettings, Remedy
from safelight.domain.secrets import MASK
from safelight.settings.fields import (
    PREFIX,
    Settings,
    absolute_path,
    expects,
    is_secret,
    usual_variables,
    variable,
)
from safelight.telemetry.redact import redact

DEFAULT_CONFIG = "safelight.toml"
FIELDS = Settings.model_fields
FILE = "_FILE"


Kind = Literal["unknown", "contradiction", "invalid"]


class Problem(NamedTuple):
    """Something that is wrong with the settings: what kind of thing, and in a sentence what and what to do."""

    kind: Kind
    text: str


class Usable(NamedTuple):
    """What can be used of settings that are partly wrong, and everything that is wrong."""

    settings: Settings
    problems: tuple[Problem, ...]


def load_settings(environ: Mapping[str, str], *, cwd: Path, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings in force. `overrides` come from the command line; None there means not given.

    Relative paths count from `cwd`. Raises BadSettings with everything that is wrong, not only the first.
    """
    settings, problems = usable_settings(environ, cwd=cwd, overrides=overrides)
    if problems:
        raise _bad([problem.text for problem in problems])
    return settings


def usable_settings(environ: Mapping[str, str], *, cwd: Path, overrides: Mapping[str, Any] | None = None) -> Usable:
    """The same without what is wrong: for who is to say what is wrong, and what else is."""
    problems: list[Problem] = []
    values = {**_environment(environ, cwd, problems), **_command_line(overrides or {})}
    values = {**_config_file(values.get("config"), cwd, problems), **values}
    settings = _checked(values, cwd, problems)
    while settings is None:  # each time with less, at last with nothing but defaults
        settings = _checked(values, cwd, [])
    settings._sources.update({name: given.source for name, given in values.items()})
    return Usable(settings, tuple(problems))


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as found, where it came from, and what it is called there."""

    value: Any
    source: str
    called: str


def _command_line(overrides: Mapping[str, Any]) -> dict[str, _Given]:
    return {
        name: _Given(value, "command line", f"--{name.replace('_', '-')}")
        for name, value in overrides.items()
        if value is not None
    }


def _environment(environ: Mapping[str, str], cwd: Path, problems: list[Problem]) -> dict[str, _Given]:
    found = _usual(environ, cwd, problems)
    for key in sorted(environ):
        if not key.startswith(PREFIX) or key.startswith(f"{PREFIX}TEST_") or environ[key] == "":
            continue
        given = _variable(key, environ[key], cwd, problems)
        if given is None:
            continue
        name = _field(key)
        if name in found:
            both = f"{found[name].called} and {key} are both set; keep one of them."
            problems.append(Problem("contradiction", both))
        found[name] = given
    return found


def _usual(environ: Mapping[str, str], cwd: Path, problems: list[Problem]) -> dict[str, _Given]:
    """What is set under names without our prefix, such as OPENAI_API_KEY."""
    found: dict[str, _Given] = {}
    for name in FIELDS:
        for usual in usual_variables(name):
            for key in (usual, usual + FILE):
                if environ.get(key) and name not in found:
                    given = _value_of(key, environ[key], cwd, problems, in_file=key != usual)
                    found.update({name: given} if given else {})
    return found


def _field(key: str) -> str:
    """The field that a variable means; `…_FILE` is the field's other spelling unless a field ends so itself."""
    name = key.removeprefix(PREFIX).lower()
    return name if name in FIELDS else name.removesuffix("_file")


def _variable(key: str, value: str, cwd: Path, problems: list[Problem]) -> _Given | None:
    name = _field(key)
    if name not in FIELDS or key != key.upper():
        problems.append(_unknown(key, key, {field: variable(field) for field in FIELDS}))
        return None
    return _value_of(key, value, cwd, problems, in_file=key.removeprefix(PREFIX).lower() != name)


def _value_of(key: str, value: str, cwd: Path, problems: list[Problem], *, in_file: bool) -> _Given | None:
    if not in_file:
        return _Given(value, f"environment {key}", key)
    try:
        path = absolute_path(cwd, Path(value))
        return _Given(path.read_text("utf-8").rstrip("\r\n"), f"file {key}={path}", key)
    except (OSError, ValueError) as error:
        text = f"{key}={value} cannot be read: {_reason(error)}. Name a readable text file."
        problems.append(Problem("invalid", text))
        return None


def _config_file(config: _Given | None, cwd: Path, problems: list[Problem]) -> dict[str, _Given]:
    """What the TOML file says. That it is missing is fine only if nobody named it."""
    file = str(config.value) if config else DEFAULT_CONFIG
    if config is None and not (cwd / file).is_file():
        return {}
    try:
        document = tomllib.loads(absolute_path(cwd, Path(file)).read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem("invalid", f"{file} is not valid TOML: {error}. Correct that line."))
        return {}
    except (OSError, ValueError) as error:
        text = f"{file} cannot be read: {_reason(error)}. Name a readable TOML file, or none."
        problems.append(Problem("invalid", text))
        return {}
    found = {} if config else {"config": _Given(file, file, file)}
    for key, value in document.items():
        if key in FIELDS and key != "config":
            found[key] = _Given(value, file, f"{key} in {file}")
        else:
            problems.append(_unknown(f"{key} in {file}", key, {name: name for name in FIELDS if name != "config"}))
    return found


def _checked(values: dict[str, _Given], cwd: Path, problems: list[Problem]) -> Settings | None:
    """The settings; None where values are wrong, and then those values are taken out."""
    try:
        return Settings.model_validate({name: given.value for name, given in values.items()}, context={"cwd": cwd})
    except ValidationError as error:
        for name in dict.fromkeys(str(each["loc"][0]) for each in error.errors()):
            given = values.pop(name)
            shown = MASK if is_secret(name) else redact(repr(given.value))
            problems.append(Problem("invalid", f"{given.called} is {shown}; it takes {expects(name)}."))
        return None


def _unknown(shown: str, word: str, names: Mapping[str, str]) -> Problem:
    plain = word.lower().replace("-", "_").removeprefix(PREFIX.lower()).removesuffix("_file")
    close = difflib.get_close_matches(plain, names, n=1, cutoff=0.6)
    if close:
        return Problem("unknown", f"{shown} is not a setting; did you mean {names[close[0]]}?")
    return Problem("unknown", f"{shown} is not a setting; take it out. The README lists every setting.")


def _bad(problems: Sequence[str]) -> BadSettings:
    return BadSettings(
        problems[0] if len(problems) == 1 else "\n- ".join([f"{len(problems)} settings cannot be used:", *problems]),
        remedy=Remedy("Correct what is named here; the README lists every setting."),
        evidence={"problems": list(problems)},
    )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
