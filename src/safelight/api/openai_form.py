"""The form of an edit: pictures, a mask, and words, read as they come and never beyond what is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, NamedTuple

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from safelight.api.bodies import refuse
from safelight.api.multipart import AROUND_BYTES, WITHIN_S, cut, too_large
from safelight.app import Safelight
from safelight.domain.errors import InvalidRequest, Remedy
from safelight.services.inputs import MOST_INPUT_BYTES, MOST_INPUTS, InputRef
from safelight.storage.pictures import RefusedPicture

IMAGE: Final = ("image", "image[]")
MASK: Final = "mask"
MOST_FIELDS: Final = 50


class Form(NamedTuple):
    """The pictures as uploads of the caller, and every other field."""

    inputs: tuple[InputRef, ...]
    fields: dict[str, str]


async def read_edit(request: Request, safelight: Safelight, user_id: str) -> Form:
    """Keeps the pictures as uploads. Raises TooLarge, InvalidRequest, InvalidParams, RateLimited, Unavailable."""
    form = await _read(request)
    try:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        files = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
        refuse({name[:100]: "is no picture of an edit" for name, _ in files if name not in (*IMAGE, MASK)})
        refuse({name: "must be a file" for name in (*IMAGE, MASK) if name in fields})
        refuse({} if any(name in IMAGE for name, _ in files) else {"image": "is required"})
        inputs = [await _kept(safelight, user_id, name, file) for name, file in files]
        return Form(tuple(sorted(inputs, key=lambda ref: ref.role == MASK)), fields)
    finally:
        await form.close()


async def _read(request: Request) -> FormData:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise InvalidRequest("The body must be multipart/form-data.", remedy=Remedy("Send the pictures as a form."))
    parser = MultiPartParser(
        request.headers, _bounded(request), max_files=MOST_INPUTS, max_fields=MOST_FIELDS, max_part_size=2**20
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            return await parser.parse()
    except TimeoutError as error:
        raise InvalidRequest(f"The body did not arrive within {WITHIN_S:g} s.") from error
    except ClientDisconnect as error:
        raise cut() from error
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        text = str(getattr(error, "message", error))[:200]
        raise InvalidRequest(f"The body is not multipart/form-data: {text}.") from error


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    seen = 0
    async for piece in request.stream():
        seen += len(piece)
        if seen > MOST_INPUT_BYTES + AROUND_BYTES:
            raise too_large(MOST_INPUT_BYTES)
        yield piece


async def _kept(safelight: Safelight, user_id: str, name: str, file: UploadFile) -> InputRef:
    """By the way of every upload: looked at, and kept for its user."""
    intake = safelight.desk.intake
    size = file.size or 0
    if size > intake.rules.most_bytes:
        raise too_large(intake.rules.most_bytes)
    with intake.memory.share() as share:
        share.take(size)
        try:
            claimed = file.content_type or ""
            picture = await intake.look_at(await file.read(), "" if claimed == "application/octet-stream" else claimed)
            upload = await intake.keep(user_id, picture)
        except RefusedPicture as error:
            refuse({name: f"the file {error}"})
            raise
    return InputRef("mask" if name == MASK else "image", "upload", upload.id)
