"""Which URLs open a database."""

from __future__ import annotations

import pytest

from safelight.domain.errors import BadSettings
from safelight.store.connect import open_database


@pytest.mark.parametrize("scheme", ["postgres", "postgresql+psycopg", "mysql"])
def test_a_scheme_that_the_settings_refuse_opens_nothing(scheme: str) -> None:
    with pytest.raises(BadSettings, match="neither SQLite nor Postgres"):
        open_database(f"{scheme}://user@host/name")


def test_a_postgres_url_is_passed_on_as_it_is() -> None:
    url = "postgresql://user@host/name?sslmode=require"
    assert open_database(url)._address == url  # type: ignore[attr-defined]
