"""Local mode: the one user never runs out of credits, and the ledger says where they came from."""

from __future__ import annotations

from safelight.domain.ids import new_id
from safelight.services.credits import LOCAL_LOW, LOCAL_USER, balance_of, top_up_local
from safelight.store.database import Database


async def keep_in_credits(database: Database) -> bool:
    """Grant more if there is little left; whether it was needed."""
    balance = await database.read(balance_of, LOCAL_USER)
    return balance.available < LOCAL_LOW and await database.write(top_up_local, f"local-{new_id()}")
