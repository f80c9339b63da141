"""Check parameter values against a model's JSON Schema, in words a caller can act on.

Pure: the same values give the same answer. What a parameter means is the provider's business.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

LONGEST_SHOWN = 80
MOST_ERRORS = 20
"""More would help nobody, and cost everybody else."""

_TYPE_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def validator_of(schema: Mapping[str, Any]) -> Draft202012Validator:
    """For one parameter whose schema is right.

    Imported here: jsonschema takes a fifth of a second, and most commands never validate.
    """
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema)


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises `jsonschema.SchemaError` if the schema itself is wrong."""
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema)


def parameter_errors(validators: Mapping[str, Draft202012Validator], params: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with the values, by path (`params.width`), up to MOST_ERRORS; empty when all is well."""
    errors: dict[str, list[str]] = {}
    for path, text in islice(_errors(validators, params), MOST_ERRORS):
        errors.setdefault(path, []).append(text)
    return errors


def as_canonical(value: Any) -> Any:
    """Whole numbers written as floats become integers: JSON does not tell 512.0 from 512, and neither do we."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Mapping):
        return {key: as_canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_canonical(item) for item in value]
    return value


def text_error(text: str) -> str | None:
    """Why a text cannot be kept by every database, or None: NUL and half characters are refused at the door."""
    if "\x00" in text:
        return "must not contain the character NUL"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "must be valid Unicode: it contains half of a surrogate pair"
    return None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`, ignoring case; None if none is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(word[:200].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def shown(value: Any) -> str:
    """A value as the caller wrote it, cut to a length fit for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def shown_name(name: str) -> str:
    return name if len(name) <= LONGEST_SHOWN else f"{name[: LONGEST_SHOWN - 1]}…"


def _errors(validators: Mapping[str, Draft202012Validator], params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        if name not in validators:
            yield f"params.{shown_name(name)}", _unknown(name, validators)
            continue
        for path, text in _value_errors(validators[name], value):
            yield ".".join(["params", name, *path]), text


def _unknown(name: str, known: Mapping[str, object]) -> str:
    close = nearest(name, known)
    if close:
        return f"is not a parameter of this model; did you mean {close!r}?"
    return f"is not a parameter of this model; it takes {', '.join(known) or 'none'}"


def _value_errors(validator: Draft202012Validator, value: Any) -> Iterator[tuple[list[str], str]]:
    unkeepable = list(islice(_unkeepable(value, []), MOST_ERRORS))
    if unkeepable:
        yield from unkeepable
        return
    for error in validator.iter_errors(value):
        yield [str(step) for step in error.absolute_path], _in_words(error)


def _unkeepable(value: Any, path: list[str]) -> Iterator[tuple[list[str], str]]:
    """NaN and infinity pass every `minimum`, and no JSON document can hold them; some texts no database can."""
    match value:
        case int() if value.bit_length() > 64:  # past 4,300 digits Python cannot even show it
            yield path, f"must fit into 64 bits, got a number of {value.bit_length()} bits"
        case float() if not math.isfinite(value):
            yield path, f"must be a finite number, got {value}"
        case str():
            problem = text_error(value)
            if problem:
                yield path, problem
        case Mapping():
            for key, item in value.items():
                yield from _unkeepable(item, [*path, str(key)])
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _unkeepable(item, [*path, str(index)])


def _in_words(error: ValidationError) -> str:
    say = _SENTENCES.get(str(error.validator))
    if say is None:
        return error.message if len(error.message) <= 200 else f"{error.message[:199]}…"
    return f"{say(error.validator_value)}, got {shown(error.instance)}"


def _type_sentence(expected: str | list[str]) -> str:
    names = [expected] if isinstance(expected, str) else expected
    return "must be " + " or ".join(_TYPE_WORDS[name] for name in names)


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "type": _type_sentence,
    "minimum": lambda limit: f"must be at least {limit}",
    "maximum": lambda limit: f"must be at most {limit}",
    "exclusiveMinimum": lambda limit: f"must be more than {limit}",
    "exclusiveMaximum": lambda limit: f"must be less than {limit}",
    "multipleOf": lambda step: f"must be a multiple of {step}",
    "enum": lambda values: "must be one of " + ", ".join(shown(value) for value in values),
    "minLength": lambda limit: f"must have at least {limit} characters",
    "maxLength": lambda limit: f"must have at most {limit} characters",
    "minItems": lambda limit: f"must have at least {limit} entries",
    "maxItems": lambda limit: f"must have at most {limit} entries",
    "pattern": lambda pattern: f"must match {pattern}",
}
