"""What people are told: live updates over the socket, and webhooks to their receivers."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from safelight.diagnosis.facts import Facts, SocketFacts
from safelight.diagnosis.finding import Affected, Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule
from safelight.diagnosis.words import count
from safelight.services.own_urls import is_loopback


@rule("SOCKET_URL_MISMATCH", "LIVE_UPDATES_BROKEN")
def live_updates(facts: Facts) -> Iterator[Finding]:
    """The socket of live updates cannot be opened under the address that jobs name."""
    public = urlsplit(facts.configuration.public_url or "")
    socket_url = facts.configuration.socket_url
    if socket_url and public.scheme == "https" and socket_url.startswith("ws://"):
        yield _mismatch(
            socket_url, "Pages that came over https may not open it: browsers refuse ws:// there.", "a wss:// URL"
        )
        return
    tried = facts.socket
    if tried is None or tried.trouble is None:
        return
    if tried.configured and _another_port(tried):
        server = urlsplit(tried.server_url or "").netloc
        yield _mismatch(
            tried.url, f"A server listens at {server}; at that address: {tried.trouble}.", "the server's port"
        )
        return
    yield Finding(
        "LIVE_UPDATES_BROKEN",
        Severity.ERROR,
        tried.url,
        f"The socket of live updates cannot be opened: {tried.trouble}.",
        "The server there does not answer, or a proxy before it passes no sockets on.",
        Remedy(
            "Let the proxy pass WebSocket upgrades on (docs/proxy.md), or restart the server.", "safelight workers list"
        ),
        evidence={"url": tried.url, "trouble": tried.trouble},
    )


def _another_port(tried: SocketFacts) -> bool:
    """The same host as a live server's, and another port."""
    ours, theirs = urlsplit(tried.server_url or ""), urlsplit(tried.url)
    same = ours.hostname == theirs.hostname or (is_loopback(ours.hostname or "") and is_loopback(theirs.hostname or ""))
    return bool(tried.server_url) and same and ours.port != theirs.port


def _mismatch(url: str, cause: str, instead: str) -> Finding:
    return Finding(
        "SOCKET_URL_MISMATCH",
        Severity.ERROR,
        "SAFELIGHT_SOCKET_URL",
        f"Clients are told to open {url} for live updates, and cannot.",
        cause,
        Remedy(f"Set it to {instead}, or leave it unset: then it is worked out.", "safelight settings"),
        evidence={"socket_url": url},
    )


@rule("WEBHOOKS_FAILING")
def webhooks_failing(facts: Facts) -> Iterator[Finding]:
    """A receiver of webhooks does not take them."""
    for receiver in facts.rows.receivers if facts.rows else ():
        troubled = receiver.failed + receiver.retrying
        if not troubled:
            continue
        said = (receiver.last_error or "no answer").rstrip(".")
        yield Finding(
            "WEBHOOKS_FAILING",
            Severity.WARNING if receiver.failed else Severity.INFO,
            receiver.host,
            f"{receiver.host} did not take {count(troubled, 'webhook')}: {said}.",
            f"{receiver.failed} were given up within the hour, {receiver.retrying} are tried again.",
            Remedy(
                "Mend the receiver; its jobs tell what it missed, the newest is named here.",
                f"safelight jobs deliveries {receiver.job_id}" if receiver.job_id else "safelight jobs list",
            ),
            evidence={
                "failed": receiver.failed,
                "retrying": receiver.retrying,
                "delivered": receiver.delivered,
                "last_error": receiver.last_error,
            },
            affects=Affected(troubled),
        )
