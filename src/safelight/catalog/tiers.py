"""A group of users with models, limits and prices of its own: `[tiers.NAME]` of a catalog file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from safelight.catalog.entry import Entry
from safelight.catalog.model import Model
from safelight.catalog.parameters import nearest
from safelight.catalog.pixels import pixels_of
from safelight.catalog.rates import Price

TierName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
DEFAULT_TIER = "default"
"""Whoever was put into no other belongs to it, if there is one of that name."""
_WHOLE = Field(default=None, ge=1, le=1_000_000_000, strict=True)


class Tier(Entry):
    """What is not said is as for everybody. Models are named by id or alias; `*` stands for any characters."""

    allow: tuple[str, ...] | None = None
    """Only these."""
    deny: tuple[str, ...] = ()
    """None of these, whatever `allow` says."""
    running_cap: int | None = _WHOLE
    """Jobs of one user that may run in one queue at a time."""
    max_n: int | None = _WHOLE
    """Outputs of one job."""
    max_pixels: int | None = _WHOLE
    """Of one output."""
    max_batch: int | None = _WHOLE
    """Items of one batch."""
    price_factor: float = Field(default=1.0, ge=0, le=1_000, allow_inf_nan=False, strict=True)
    prices: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """By model: what its price is changed by, before the factor."""

    def includes(self, model: Model) -> bool:
        return (self.allow is None or _names(self.allow, model)) and not _names(self.deny, model)

    def model(self, model: Model) -> Model:
        """The model on this tier's terms."""
        parameters = dict(model.parameters)
        if self.max_n is not None and "n" in parameters:
            parameters["n"] = _at_most(parameters["n"], self.max_n)
        changes: dict[str, Any] = {"price": self.price(model), "parameters": parameters}
        if self.max_pixels is not None:
            most = min(self.max_pixels, model.limits.max_pixels or self.max_pixels)
            least = model.limits.min_pixels
            shape = {"max_pixels": most, "min_pixels": min(least, most) if least else None}
            changes |= {"limits": model.limits.model_copy(update=shape), "parameters": smaller(parameters, most)}
        return Model.model_validate({**_fields(model), **changes})

    def price(self, model: Model) -> Price:
        """Raises ValidationError where an override makes no price."""
        own = next((change for name, change in self.prices.items() if name in (model.id, *model.aliases)), {})
        table = {"table": ()} if "credits" in own else {}  # a plain price takes the place of all amounts
        price = Price.model_validate({**_fields(model.price), **table, **own}) if own else model.price
        return price.model_copy(update={"factor": price.factor * self.price_factor})

    def problems(self, models: Mapping[str, Model]) -> Iterator[str]:
        """What is wrong with it beside the models by id and alias, as `path: text`."""
        for field, names in (("allow", self.allow or ()), ("deny", self.deny), ("prices", tuple(self.prices))):
            for name in names:
                if name not in models and not ("*" in name and field != "prices"):
                    close = nearest(name, models)
                    yield f"{field}: {name!r} names no model" + (f"; did you mean {close!r}?" if close else "")
        for name in self.prices:
            if name in models:
                try:
                    self.price(models[name])
                except ValidationError as error:
                    yield from (f"prices.{name}: {e['msg']}" for e in error.errors())


def smaller(parameters: Mapping[str, dict[str, Any]], most: int) -> dict[str, dict[str, Any]]:
    """The same parameters, whose defaults make no picture of more than `most` pixels as far as they can."""
    defaults = {name: schema["default"] for name, schema in parameters.items() if "default" in schema}
    pixels = pixels_of(defaults)
    if pixels is None or pixels <= most:
        return dict(parameters)
    if "width" in defaults and "height" in defaults:
        shrink = (most / pixels) ** 0.5
        return {**parameters, **{side: _shrunk(parameters[side], shrink) for side in ("width", "height")}}
    return {**parameters, "resolution": _lower(parameters["resolution"], defaults, most)}


def _shrunk(schema: dict[str, Any], shrink: float) -> dict[str, Any]:
    step = int(schema.get("multipleOf", 1))
    wished = int(schema["default"] * shrink) // step * step
    if "enum" in schema:
        fitting = [value for value in schema["enum"] if value <= wished]
        return {**schema, "default": max(fitting, default=min(schema["enum"]))}
    return {**schema, "default": max(wished, int(schema.get("minimum", 1)))}


def _lower(schema: dict[str, Any], defaults: Mapping[str, Any], most: int) -> dict[str, Any]:
    sizes = {value: pixels_of({**defaults, "resolution": value}) or 0 for value in schema.get("enum", ())}
    fitting = [value for value, pixels in sizes.items() if pixels <= most]
    return {**schema, "enum": fitting, "default": max(fitting, key=sizes.__getitem__)} if fitting else schema


def _at_most(schema: dict[str, Any], most: int) -> dict[str, Any]:
    default = {"default": min(schema["default"], most)} if "default" in schema else {}
    return {**schema, "maximum": min(most, schema.get("maximum", most)), **default}


def _names(patterns: tuple[str, ...], model: Model) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in (model.id, *model.aliases))


def _fields(entry: Entry) -> dict[str, Any]:
    """Those that were given, as they are: what is validated already stays so."""
    return {name: getattr(entry, name) for name in type(entry).model_fields}
