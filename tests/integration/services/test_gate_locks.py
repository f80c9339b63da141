"""Whoever reads a gate in order to change it holds it, also one that somebody made a moment ago."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from safelight.domain.errors import Unavailable
from safelight.domain.gates import Gate, Toll
from safelight.services import gate_rows
from safelight.services.gate_rows import these
from safelight.store.connect import open_database
from safelight.store.tx import Tx

ACME = Toll("acme", "k1")


def test_a_gate_that_somebody_made_between_two_looks_is_held_too(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, other = open_database(postgres_url), open_database(postgres_url)

    def meanwhile(tx: Tx, ids: Sequence[str]) -> dict[str, Gate]:
        monkeypatch.setattr(gate_rows, "these", these)
        with other.transaction() as theirs:
            gate_rows.locked(theirs, [ACME])
        return these(tx, ids)

    monkeypatch.setattr(gate_rows, "these", meanwhile)
    with worker.transaction() as mine:
        assert list(gate_rows.locked(mine, [ACME])) == [ACME.gate_id]
        with pytest.raises(Unavailable, match="could not obtain lock"), other.transaction() as theirs:
            theirs._cursor.execute(  # type: ignore[attr-defined]
                "SELECT 1 FROM gates WHERE id = %s FOR UPDATE NOWAIT", (ACME.gate_id,)
            )
    worker.close()
    other.close()
