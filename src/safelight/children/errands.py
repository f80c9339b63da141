"""What a child is asked to do, and how an order that cannot be carried out is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from safelight.domain.outcomes import ErrorClass, ProviderError


@dataclass(frozen=True, slots=True)
class Errand:
    """One order for a child: a head that is JSON, and the bytes it is about, such as a picture."""

    head: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""


def whole(params: Mapping[str, Any], name: str, default: int) -> int | None:
    """The parameter as a whole number; the default where it is absent; None where it is something else."""
    value = params.get(name)
    if value is None:
        return default
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def refused(message: str) -> ProviderError:
    return ProviderError(ErrorClass.INVALID_REQUEST, message)


def out_of_bounds(params: Mapping[str, Any], name: str, low: int, high: int) -> ProviderError:
    return refused(f"{name} is {params.get(name)!r}; it must be a whole number from {low} to {high}.")
