"""docs/models.md: every shipped model by kind, with its price, and each one's parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

NOTICE = "<!-- Written by `make docs`. Change the program instead. -->"
KINDS = {
    "image": "Pictures",
    "video": "Films",
    "text": "Texts",
    "upscale": "Larger pictures",
}
_INTRODUCTION = """\
The models shipped with Safelight, in order of preference within each kind: a request that names none gets the first
whose provider is set up (`safelight providers list`) and that has not ended. The built-in ones come last and need no
key.

`safelight models` shows the same for your installation, with how long jobs have really taken; `safelight models check`
asks the providers whether they still serve what stands here. Prices are in credits, one being about a US cent at the
provider. A file of your own changes any of it and adds models, limits and prices for groups of users:
[catalog.md](catalog.md).

Not AI: what a program draws, writes or resamples. It is labelled so everywhere, in the files too.
"""


def models(_: str) -> str:
    """What can be asked for, what it costs and which parameters it takes."""
    from safelight.catalog.loading import load_catalog

    shipped = [_entry(model) for model in load_catalog().models]
    by_kind = groupby(shipped, lambda each: each["kind"])
    sections = [line for kind, found in by_kind for line in _kind(kind, found)]
    return "\n".join(["# Models", "", NOTICE, "", _INTRODUCTION, *sections]).rstrip() + "\n"


def _entry(model: Any) -> dict[str, Any]:
    ways = {route.provider: route.model for route in model.routes}
    return {**model.public(), "ways": ways}


def _kind(kind: str, models: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    found = list(models)
    lasting = [model for model in found if not model["shutdown_date"] or model["description"]]
    ending = [model for model in found if model["shutdown_date"]]
    yield from (f"## {KINDS[kind]} (`{kind}`)", "", "| model | credits | usually | at | |", "|---|---|---|---|---|")
    for model in lasting:
        yield (
            f"| [`{model['id']}`](#{_anchor(model['id'])}) | {model['price']['brief']} | {model['typical_s']:g} s "
            f"| {', '.join(model['ways'])} | {_note(model)} |"
        )
    yield ""
    if ending:
        yield from ("Names that have ended, or will. Whoever asks for one hears what to use instead:", "")
        yield from ("| model | ends | then |", "|---|---|---|")
        yield from (f"| `{m['id']}` | {m['shutdown_date']} | `{m['successor']}` |" for m in ending)
        yield ""
    for model in lasting:
        yield from _model(model)


def _note(model: Mapping[str, Any]) -> str:
    if model["shutdown_date"]:
        return f"ends {model['shutdown_date']}"
    return "" if model["ai_generated"] else "not AI"


def _model(model: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {model['id']}", "", f"{model['title']}. {model['description']}".strip(), "")
    yield from (_facts(model), "")
    yield from ("| parameter | takes | default | meaning |", "|---|---|---|---|")
    for name, schema in model["parameters"]["properties"].items():
        default = json.dumps(schema["default"]) if "default" in schema else ""
        about = ". ".join(text.rstrip(".") for text in (schema.get("title"), schema.get("description")) if text)
        yield f"| `{name}` | {_cell(_takes(schema))} | {_cell(default)} | {_cell(about)} |"
    yield ""


def _facts(model: Mapping[str, Any]) -> str:
    ways = " else ".join(f"`{provider}` (`{name}`)" for provider, name in model["ways"].items())
    known_as = ", ".join(f"`{alias}`" for alias in model["aliases"])
    inputs = ", ".join(f"`{role}` ({_need(rule)})" for role, rule in model["inputs"].items())
    facts = [
        f"Runs at {ways}.",
        f"With its defaults {model['price_credits']} credit{'' if model['price_credits'] == 1 else 's'}.",
        f"Also known as {known_as}." if known_as else "",
        f"Starts from {inputs}." if inputs else "",
    ]
    return " ".join(filter(None, facts))


def _need(rule: Mapping[str, Any]) -> str:
    return rule["need"] if rule["most"] == 1 else f"{rule['need']}, up to {rule['most']}"


def _takes(schema: Mapping[str, Any]) -> str:
    from safelight.catalog.schema_words import takes

    return takes(schema)


def _anchor(name: str) -> str:
    """As GitHub makes it of a heading."""
    return "".join(c for c in name.lower() if c.isalnum() or c in "-_ ").replace(" ", "-")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
