"""Scopes and keys as text."""

from __future__ import annotations

import pytest

from safelight.domain import access
from safelight.telemetry.redact import redact


def test_keys_have_192_random_bits_and_survive_addresses() -> None:
    keys = {access.new_token() for _ in range(100)}
    assert len(keys) == 100
    for key in keys:
        assert key.startswith("sk-safelight-")
        assert len(key) == len("sk-safelight-") + 32
        assert key.isascii()
        assert not set(key) & set("/+= ?&#%:,")


def test_what_is_shown_of_a_key_gives_36_of_its_bits_away_at_most() -> None:
    key = access.new_token()
    assert access.shown(key)[:-1] == key[: len("sk-safelight-") + 6]


def test_a_key_is_redacted_wherever_it_stands() -> None:
    for prefix in (access.PREFIX, "tk-", "se-"):
        key = access.new_token(prefix)
        for text in (f"Authorization: Bearer {key}", f"/api/ws?ticket={key}", f"cookie=safelight_session={key}"):
            assert key not in redact(text)
    assert access.new_token()[:-1] not in redact(f"failed with {access.new_token()}")


@pytest.mark.parametrize("text", ["", "jobs+", "jobs,read", "root", "Jobs", "jobs+root"])
def test_what_are_no_scopes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="jobs, read, admin"):
        access.read_scopes(text)


def test_scopes_are_written_in_one_order() -> None:
    assert access.written_scopes(access.read_scopes("admin+jobs")) == "jobs+admin"


def test_a_given_key_may_belong_to_a_user_with_colons() -> None:
    given = access.read_given_key("sixteen-letters!:urn:user:7:jobs+read")
    assert given == ("sixteen-letters!", "urn:user:7", {"jobs", "read"})


@pytest.mark.parametrize(
    "text", ["", "short:ann:jobs", "sixteen letters!:ann:jobs", "sixteen-letters!:ann", "sixteen-letters!:ann:all"]
)
def test_what_is_no_given_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"characters|scopes"):
        access.read_given_key(text)
