"""What the settings say, and which of them anybody could guess. No look at anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from safelight.diagnosis.facts import Configuration, Thresholds
from safelight.diagnosis.sources import Sources
from safelight.providers.protocol import Hears
from safelight.settings import Settings

_GUESSABLE = re.compile(r"change.?me|default|example|password|secret|safelight|insecure|0123456789", re.IGNORECASE)
_LEAST_DIFFERENT = 6
"""Fewer different characters than this no one draws."""


def configuration(sources: Sources) -> Configuration:
    settings = sources.settings
    return Configuration(
        problems=sources.problems,
        catalog_trouble=sources.catalog_trouble,
        host=settings.host,
        public_url=settings.public_url,
        socket_url=settings.socket_url,
        weak_secrets=tuple(_weak(settings)),
        callers_back=tuple(name for name, provider in sources.providers.items() if isinstance(provider, Hears)),
        expected_workers=dict(settings.expected),
        lease_s=settings.lease_seconds,
        sweep_s=settings.sweep_seconds,
        thresholds=thresholds(settings),
    )


def thresholds(settings: Settings) -> Thresholds:
    return Thresholds(
        backlog=settings.alert_backlog,
        backlog_s=settings.alert_backlog_seconds,
        errors=settings.alert_errors,
        error_share=settings.alert_error_share,
        slow_times=settings.alert_slow_times,
        restarts=settings.alert_restarts,
        memory_share=settings.alert_memory_share,
        credits_times=settings.alert_credits_times,
    )


def _weak(settings: Settings) -> Iterator[str]:
    if settings.secret is not None and is_guessable(settings.secret):
        yield "SAFELIGHT_SECRET"
    if any(is_guessable(given.key) for given in settings.given_keys):
        yield "SAFELIGHT_API_KEYS"


def is_guessable(secret: str) -> bool:
    """Words from documentation, or hardly any different characters."""
    return _GUESSABLE.search(secret) is not None or len(set(secret)) < _LEAST_DIFFERENT
