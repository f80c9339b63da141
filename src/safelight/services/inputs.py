"""What a job starts from: as a caller names it, and as its row keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from safelight.services import uploads
from safelight.services.sql import arg, as_json
from safelight.services.uploads import Upload
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, assets = tables.jobs, tables.assets

MOST_INPUTS = 17
"""Of one job: as many pictures as any model takes, and a mask."""
MOST_INPUT_BYTES = 100 * 2**20
"""Of one job together: a worker has them in memory while it calls."""
Source = Literal["upload", "asset", "url", "data_uri"]
SOURCES: tuple[Source, ...] = ("upload", "asset", "url", "data_uri")
FETCHED: frozenset[Source] = frozenset({"url", "data_uri"})
"""These become uploads of the caller before the job is made, so that it can be made again."""


@dataclass(frozen=True, slots=True)
class InputRef:
    """One picture as a caller names it."""

    role: str
    source: Source
    value: str
    """An id, a URL, or a data URI."""

    def canonical(self) -> dict[str, str]:
        """For the identity of a request; a picture that stands in it counts by its hash."""
        if self.source == "data_uri":
            return {"role": self.role, "data_sha256": hashlib.sha256(self.value.encode()).hexdigest()}
        return {"role": self.role, self.source: self.value}


@dataclass(frozen=True, slots=True)
class StoredInput:
    """One picture as a job's row keeps it: where its bytes are, and what they were when it was submitted."""

    role: str
    source: Literal["upload", "asset"]
    id: str
    key: str
    mime: str
    width: int
    height: int
    bytes: int
    sha256: str

    def body(self, url: str) -> dict[str, Any]:
        """As people see it; `url` is where they see the picture."""
        shown = {"mime": self.mime, "width": self.width, "height": self.height, "bytes": self.bytes, "url": url}
        return {"role": self.role, self.source: self.id, **shown}


class OwnAsset(NamedTuple):
    """A delivered file of a user's job."""

    id: str
    key: str
    mime: str
    width: int | None
    height: int | None
    bytes: int
    sha256: str


_ASSET = Query(
    sa.select(*(assets.c[name] for name in OwnAsset._fields))
    .join_from(assets, jobs, assets.c.job == jobs.c.number)
    .where(
        assets.c.id == arg("public_id"),
        jobs.c.user_id == arg("owner"),
        sa.not_(assets.c.recovered),
        assets.c.removed_at.is_(None),
        jobs.c.pruning_at.is_(None),
    ),
    OwnAsset,
)


def named_inputs(tx: Tx, user_id: str, refs: Sequence[InputRef]) -> list[Upload | OwnAsset | None]:
    """The uploads and assets of a user that these name, in order; None where there is none of that name."""
    ids = {source: [ref.value for ref in refs if ref.source == source] for source in ("upload", "asset")}
    owned = tx.many(_ASSET, [{"public_id": value, "owner": user_id} for value in ids["asset"]])
    found: dict[str, dict[str, Upload | OwnAsset | None]] = {
        "upload": dict(zip(ids["upload"], uploads.uploads_of(tx, ids["upload"], user_id), strict=True)),
        "asset": dict(zip(ids["asset"], owned, strict=True)),
    }
    return [found[ref.source][ref.value] for ref in refs]


def stored(role: str, found: Upload | OwnAsset) -> StoredInput:
    """What the job's row keeps of it."""
    source: Literal["upload", "asset"] = "upload" if isinstance(found, Upload) else "asset"
    size = (found.width or 0, found.height or 0, found.bytes)
    return StoredInput(role, source, found.id, found.key, found.mime, *size, found.sha256)


def written(inputs: Sequence[StoredInput]) -> str:
    """As `jobs.inputs` holds them."""
    return as_json([asdict(each) for each in inputs])


def read(text: str) -> list[StoredInput]:
    """What `written` wrote."""
    return [StoredInput(**each) for each in json.loads(text)]


def refs_of(text: str) -> tuple[InputRef, ...]:
    """A job's inputs as a request to make it again."""
    return tuple(InputRef(each.role, each.source, each.id) for each in read(text))
