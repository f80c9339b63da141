"""From a URL to a store: what is refused at once, and what the environment changes. Nothing is sent here."""

from __future__ import annotations

import asyncio

import pytest

from safelight.domain.errors import StorageFailed
from safelight.storage.assets import AssetStore
from safelight.storage.opening import open_store

KEY = "assets/0199a1b2-0000-7000-8000-000000000001/c-0-deadbeef.mp4"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-central-1"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def address(url: str) -> str | None:
    return asyncio.run(AssetStore(url).signed_url(KEY, 60))


def test_amazon_itself_is_asked_by_tls_in_its_region(aws: pytest.MonkeyPatch) -> None:
    url = address("s3://bucket/some/prefix")
    assert url is not None
    assert url.startswith(f"https://s3.eu-central-1.amazonaws.com/bucket/some/prefix/{KEY}?")
    assert "X-Amz-Expires=60" in url


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_another_server_is_named_by_the_usual_variable_also_without_tls(aws: pytest.MonkeyPatch, variable: str) -> None:
    aws.setenv(variable, "http://127.0.0.1:9")
    url = address("s3://bucket")
    assert url is not None
    assert url.startswith(f"http://127.0.0.1:9/bucket/{KEY}?")
    with pytest.raises(StorageFailed, match="cannot be reached"):
        asyncio.run(AssetStore("s3://bucket").head(KEY))


def test_azure_takes_its_account_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service itself is unrun: only what can be seen without it."""
    with pytest.raises(StorageFailed, match="Account must be specified"):
        AssetStore("az://container/prefix")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    url = address("az://container/prefix")
    assert url is not None
    assert url.startswith(f"https://account.blob.core.windows.net/container/prefix/{KEY}?")


def test_google_opens_without_a_word() -> None:
    """The service itself is unrun."""
    assert AssetStore("gs://bucket/prefix").root is None


@pytest.mark.parametrize("url", ["ftp://here/x", "no scheme", "http://example.org/x"])
def test_what_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no kind of store"):
        open_store(url)


def test_files_on_disk_and_in_memory_have_no_address_of_their_own() -> None:
    assert address("memory:///") is None
