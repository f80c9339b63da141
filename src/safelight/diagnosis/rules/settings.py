"""Settings that cannot be what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from safelight.diagnosis.facts import Facts
from safelight.diagnosis.finding import Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule
from safelight.services.own_urls import is_loopback

_CODES = {"unknown": "UNKNOWN_SETTING", "contradiction": "CONTRADICTORY_SETTINGS", "invalid": "INVALID_SETTING"}
_CAUSES = {
    "unknown": "No setting has this name, so it changes nothing; servers and workers refuse to start.",
    "contradiction": "Two places say different things; servers and workers refuse to start.",
    "invalid": "The value cannot be used; servers and workers refuse to start.",
}


@rule(*_CODES.values())
def wrong_settings(facts: Facts) -> Iterator[Finding]:
    """A variable or a line of the TOML file is misspelt, contradicts another, or has a value that cannot be used."""
    for problem in facts.configuration.problems:
        what, _, hint = problem.text.partition("; ")
        yield Finding(
            _CODES[problem.kind],
            Severity.ERROR,
            problem.text.split(" ", 1)[0],
            f"{what.rstrip('.')}.",
            _CAUSES[problem.kind],
            Remedy(_capital(hint) or "Correct it; the README lists every setting."),
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@rule("BAD_CATALOG")
def bad_catalog(facts: Facts) -> Iterator[Finding]:
    """The operator's catalog file cannot be used."""
    if trouble := facts.configuration.catalog_trouble:
        yield Finding(
            "BAD_CATALOG",
            Severity.ERROR,
            "catalog",
            trouble.what,
            "Servers and workers refuse to start with it.",
            trouble.remedy,
        )


@rule("DEFAULT_SECRET")
def default_secret(facts: Facts) -> Iterator[Finding]:
    """A secret is a word from documentation, or hardly random, while others than this machine can reach the server."""
    configuration = facts.configuration
    is_local = is_loopback(configuration.host) and configuration.public_url is None
    for name in configuration.weak_secrets:
        yield Finding(
            "DEFAULT_SECRET",
            Severity.INFO if is_local else Severity.WARNING,
            name,
            f"{name} can be guessed.",
            "It holds a word that documentation uses, or hardly any different characters.",
            Remedy(
                "Draw one, and set it for every process.", "python -c 'import secrets; print(secrets.token_urlsafe())'"
            ),
        )


@rule("LOOPBACK_CALLBACK_URL")
def loopback_callback_url(facts: Facts) -> Iterator[Finding]:
    """The public URL leads to whoever follows it, not to this server: providers and users cannot use it."""
    configuration = facts.configuration
    host = urlsplit(configuration.public_url or "").hostname or ""
    if not is_loopback(host):
        return
    callers = ", ".join(configuration.callers_back)
    what = f"{callers} cannot announce results there and is asked again and again instead" if callers else ""
    yield Finding(
        "LOOPBACK_CALLBACK_URL",
        Severity.INFO if is_loopback(configuration.host) else Severity.WARNING,
        "SAFELIGHT_PUBLIC_URL",
        f"SAFELIGHT_PUBLIC_URL is {configuration.public_url}" + (f": {what}." if what else "."),
        "Every machine calls itself by that name: addresses handed out lead nowhere but for those on this machine.",
        Remedy("Set it to the address under which others reach this server, or leave it unset.", "safelight settings"),
        evidence={"public_url": configuration.public_url, "listens_on": configuration.host},
    )
