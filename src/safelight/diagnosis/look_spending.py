"""Look at what was used lately, beside what is usual. Bounded by the jobs of one hour."""

from __future__ import annotations

from typing import Final

from safelight.diagnosis.facts import HOUR_S, Spending
from safelight.services import usage
from safelight.store.tx import Tx

ENOUGH_HOURS: Final = 24
"""Of fewer nothing can be called usual."""


def spending(tx: Tx) -> Spending:
    """Nothing while too little is known to compare with."""
    hours = usage.known(tx)
    if len(hours) < ENOUGH_HOURS:
        return Spending()
    since = tx.now - HOUR_S
    last_hour, _ = usage.used(tx, since, tx.now)
    most = usage.most_of(tx, since, tx.now)
    mean = sum(hour.credits for hour in hours) / len(hours)
    return Spending(last_hour, mean, len(hours), *(most or (None, 0)))
