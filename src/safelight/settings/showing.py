"""Show the settings to people: what is in force and why, and the table in the documentation. Secrets masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safelight.domain.secrets import MASK
from safelight.settings.fields import Settings, computed_default, expects, is_secret, variable
from safelight.telemetry.redact import redact


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of `safelight settings`, fit to print."""

    name: str
    value: str
    source: str
    default: str
    help: str


def describe(settings: Settings) -> list[SettingRow]:
    """What is in force and where it came from, in the order of the class."""
    worked_out = {"database_url": settings.database_address, "storage_url": settings.storage_address}
    return [
        SettingRow(
            name=variable(name),
            value=_printed(name, worked_out.get(name, getattr(settings, name))) or _plain(_default(name)),
            source=settings.sources[name],
            default=_plain(_default(name)),
            help=_plain(str(field.description)),
        )
        for name, field in Settings.model_fields.items()
    ]


def settings_table_markdown() -> str:
    """The table of all settings for the documentation; it is generated, so it cannot fall behind."""
    lines = ["| Setting | Default | What it does | Takes |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{variable(name)}` | {_default(name)} | {field.description} | {expects(name)} |")
    return "\n".join(lines) + "\n"


def _printed(name: str, value: Any) -> str:
    if value is None or value == ():
        return ""
    if is_secret(name):
        return MASK
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return redact(f"{value:.10g}" if isinstance(value, float) else str(value))


def _default(name: str) -> str:
    return computed_default(name) or f"`{_printed(name, Settings.model_fields[name].default)}`"


def _plain(markdown: str) -> str:
    return markdown.replace("`", "")
