"""What a job starts from, read from storage before its call is opened: a provider gets bytes, never an address."""

from __future__ import annotations

import asyncio
import hashlib

from safelight.domain.errors import Gone, Remedy
from safelight.providers.protocol import Input
from safelight.services import inputs
from safelight.services.inputs import StoredInput
from safelight.storage.assets import AssetStore


async def load_inputs(store: AssetStore, text: str) -> tuple[Input, ...]:
    """The pictures that `jobs.inputs` names. Raises Gone for one that is missing or changed, and StorageFailed."""
    return tuple([await _load(store, each) for each in inputs.read(text)])


async def _load(store: AssetStore, stored: StoredInput) -> Input:
    data = await store.get(stored.key)
    if await asyncio.to_thread(_sha256, data) != stored.sha256:
        raise Gone(
            f"The {stored.role} input in storage is not what was submitted.",
            remedy=Remedy("Submit the job again with the picture."),
            evidence={"key": stored.key},
        )
    return Input(stored.role, data, stored.mime, stored.width, stored.height)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
