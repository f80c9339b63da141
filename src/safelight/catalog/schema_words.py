"""What a parameter takes, in a few words for tables: `integer from 1 to 10`, `png, webp, jpeg`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LIMITS = (("minimum", "from"), ("maximum", "to"), ("multipleOf", "in steps of"), ("maxLength", "up to"))


def takes(schema: Mapping[str, Any]) -> str:
    """Of one parameter's JSON Schema."""
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "minimum" in schema and schema["minimum"] == schema.get("maximum"):
        return f"only {schema['minimum']}"
    limits = " ".join(f"{word} {schema[key]}" for key, word in _LIMITS if key in schema)
    return f"{schema.get('type', 'anything')} {limits}".strip()
