"""From a storage URL to a store of obstore's. Credentials come from the environment under their usual names.

`AWS_*` (and `GOOGLE_*`, `AZURE_*`) are read by obstore itself; only what it would get wrong is said here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from obstore.store import from_url

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
RETRY: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}
"""Of single requests. The worker tries whole deliveries again: a store that is away must be heard of soon."""


def open_store(url: str, environ: Mapping[str, str] | None = None) -> ObjectStore:
    """Nothing is sent yet: wrong credentials show at the first use. Raises ValueError or obstore's errors."""
    scheme = urlsplit(url).scheme
    if scheme == "file":
        return from_url(url, automatic_cleanup=True)
    if scheme == "memory":
        return from_url(url)
    if scheme not in ("s3", "gs", "az"):
        raise ValueError(f"{scheme or 'no scheme'!r} is no kind of store")
    return from_url(url, client_options=_client(os.environ if environ is None else environ), retry_config=RETRY)


def local_root(url: str) -> Path | None:
    """The folder, if the store is on local disk."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _client(environ: Mapping[str, str]) -> ClientConfig:
    """`timeout` is for a whole answer, and a video takes its time: a server that says nothing is what is bounded."""
    endpoint = next((environ[name] for name in S3_ENDPOINTS if environ.get(name)), "")
    plain = endpoint.startswith("http://") or environ.get("AWS_ALLOW_HTTP", "").lower() in ("true", "1", "yes")
    return {"connect_timeout": "5s", "read_timeout": "30s", "timeout": "1h", "allow_http": plain}
