"""What metrics count, moved in the transaction of what they count, so that every process tells the same.

A value is the sum over its shards: processes that count the same thing at the same time do not wait for each other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import sqlalchemy as sa

from safelight.services.sql import INTEGER, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

counters = tables.counters

SHARDS: Final = 16
Key = tuple[str, str]
"""A counter's name, and its labels as `labelled` writes them."""


class Counter(NamedTuple):
    name: str
    labels: str
    value: float

    @property
    def labels_by_name(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.labels)
        return found


_OPEN = Change(insert_or_ignore(counters, ("name", "labels", "shard")), columns=("name", "labels", "shard"))
_ADD = Change(
    sa.update(counters)
    .where(
        counters.c.name == arg("its_name"),
        counters.c.labels == arg("its_labels"),
        counters.c.shard == arg("its_shard", INTEGER),
    )
    .values(value=counters.c.value + arg("more", REAL))
)
_SUMS = Query(
    sa.select(counters.c.name, counters.c.labels, sa.func.sum(counters.c.value))
    .group_by(counters.c.name, counters.c.labels)
    .order_by(counters.c.name, counters.c.labels),
    Counter,
)


@lru_cache(4096)
def labelled(**labels: str) -> str:
    """The one way to write labels down. Remembered: making JSON takes longer than counting."""
    return json.dumps(labels, sort_keys=True, separators=(",", ":"))


def add(tx: Tx, more: Mapping[Key, float]) -> None:
    """Count, one row per key. Last of all that a use case locks: who counts the same waits until it is committed."""
    shard = os.getpid() % SHARDS
    keys = sorted(more)
    rows = [_row(key, shard, more[key]) for key in keys]
    known = tx.many(_ADD, rows)
    new = [(key, row) for key, row, is_known in zip(keys, rows, known, strict=True) if not is_known]
    tx.many(_OPEN, [{"name": name, "labels": labels, "shard": shard} for (name, labels), _ in new])
    tx.many(_ADD, [row for _, row in new])


def sums(tx: Tx) -> list[Counter]:
    """Every counter over all its shards, by name and labels."""
    return tx.all(_SUMS)


def _row(key: Key, shard: int, more: float) -> dict[str, object]:
    return {"its_name": key[0], "its_labels": key[1], "its_shard": shard, "more": more}
