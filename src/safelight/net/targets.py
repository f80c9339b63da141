"""A URL, read as strictly as it will be used: scheme, host and port, and how it may be shown."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from safelight.net.errors import RefusedTarget

LONGEST_URL = 4096
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes."""

    url: httpx.URL

    @property
    def is_encrypted(self) -> bool:
        return self.url.scheme == "https"

    @property
    def origin(self) -> tuple[str, str]:
        return self.url.scheme, self.place

    @property
    def place(self) -> str:
        """`host:port`, the port also where the URL leaves it out."""
        return _place(self.url)

    def __str__(self) -> str:
        """Without query and fragment, which may hold a signature or a key."""
        return shown(str(self.url.copy_with(query=None, fragment=None)))

    def leads_to(self, location: str) -> Target:
        """Where a redirect goes. Raises RefusedTarget, also for one that would give up encryption."""
        try:
            there = self.url.join(location)
        except (httpx.InvalidURL, ValueError) as error:
            raise RefusedTarget(f"{self} redirects to what is not a URL.") from error
        target = read_target(str(there))
        if self.is_encrypted and not target.is_encrypted:
            raise RefusedTarget(f"{self} redirects from https to http, at {target.place}.")
        return target


def read_target(url: str) -> Target:
    """Raises RefusedTarget for what is not a plain http or https URL."""
    if len(url) > LONGEST_URL:
        raise RefusedTarget(f"A URL of {len(url)} characters is too long; at most {LONGEST_URL} are read.")
    try:
        parsed = httpx.URL(url)
        host = parsed.host  # decoded here: `xn--` and no more is found out as late as this
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise RefusedTarget(f"{shown(url)!r} is not a URL.") from error
    if parsed.scheme not in DEFAULT_PORTS:
        raise RefusedTarget(f"Only http and https URLs are fetched, not {shown(url)!r}.")
    if parsed.userinfo:
        raise RefusedTarget(f"A URL with a user or a password in it is not fetched (at {_place(parsed)}).")
    if not host:
        raise RefusedTarget(f"{shown(url)!r} names no host.")
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise RefusedTarget(f"{parsed.port} is no port that can be reached.")
    return Target(parsed)


def place_of(url: str) -> str:
    """The `host:port` of a URL, as exemptions are written. Raises RefusedTarget."""
    return read_target(url).place


def shown(url: str) -> str:
    """So much of a URL as fits into an error, without its query."""
    plain = url.split("?")[0].split("#")[0]
    return plain if len(plain) <= 200 else f"{plain[:199]}…"


def _place(url: httpx.URL) -> str:
    host = url.raw_host.decode("ascii").lower()
    port = url.port or DEFAULT_PORTS.get(url.scheme, 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
