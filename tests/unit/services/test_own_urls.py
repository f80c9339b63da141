"""Which URLs lead back to us: those are read, and never fetched."""

from __future__ import annotations

import pytest

from safelight.services.own_urls import asset_of, is_own

ASSET = "01890000-0000-7000-8000-000000000000"
BASES = ("https://pictures.example.org/lamp", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "url",
    [
        f"https://pictures.example.org/lamp/api/assets/{ASSET}?exp=1&sig=2",
        f"https://Pictures.example.org:443/lamp/api/assets/{ASSET}",
        f"http://127.0.0.1:8000/api/assets/{ASSET}?exp=1",
        f"http://localhost:8000/api/assets/{ASSET}",
        f"http://[::1]:8000/api/assets/{ASSET}",
        f"http://127.9.9.9:8000/api/assets/{ASSET}",
        f"http://a.localhost.:8000/api/assets/{ASSET}#x",
    ],
)
def test_addresses_of_our_files_are_read_as_those_files(url: str) -> None:
    assert is_own(url, BASES)
    assert asset_of(url, BASES) == ASSET


@pytest.mark.parametrize(
    "url",
    [
        f"https://pictures.example.org/lamp/api/assets/{ASSET}/thumbnail",
        f"https://pictures.example.org/api/assets/{ASSET}",
        "https://pictures.example.org/",
        "http://127.0.0.1:8000/api/assets/../jobs",
        f"http://127.0.0.1:8000/api/assets/%2e%2e/{ASSET}",
        f"http://user@127.0.0.1:8000//api/assets/{ASSET}",
    ],
)
def test_other_addresses_of_ours_name_no_file(url: str) -> None:
    assert is_own(url, BASES)
    assert asset_of(url, BASES) is None


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:8001/api/assets/{ASSET}",
        f"https://pictures.example.org.evil.test/lamp/api/assets/{ASSET}",
        f"https://pictures.example.org:444/lamp/api/assets/{ASSET}",
        f"ftp://pictures.example.org/lamp/api/assets/{ASSET}",
        *("nonsense", "", "http://", "http://127.0.0.1:99999999/", "http://[/", "data:image/png;base64,"),
    ],
)
def test_everybody_elses_are_not_ours(url: str) -> None:
    assert not is_own(url, BASES)
    assert asset_of(url, BASES) is None
    assert not is_own(url, ("", ""))
