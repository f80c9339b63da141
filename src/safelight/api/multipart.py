"""Read the one file of a multipart body as it comes: nothing is kept beyond the limits, and nothing on disk.

The file's name is not looked at: it would only be a way to lie, or to climb out of a folder.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from safelight.domain.errors import InvalidParams, InvalidRequest, Remedy, TooLarge
from safelight.services.memory import Share
from safelight.storage.pictures import HEAD_BYTES, RefusedPicture, checked_mime

FIELD = "file"
WITHIN_S = 300.0
"""The longest that a body may take to arrive: who sends drop by drop must not hold a place for ever."""
AROUND_BYTES = 64 * 1024
"""What may stand around the file: boundaries, headers."""


class SentFile(NamedTuple):
    """The bytes, and what the sender says they are; empty if nothing."""

    data: bytes
    claimed: str


async def read_file(request: Request, limit_bytes: int, share: Share) -> SentFile:
    """The file in the field `file`. Raises TooLarge, InvalidRequest, InvalidParams, Unavailable, as early as it can."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:18]) > limit_bytes + AROUND_BYTES:
        raise too_large(limit_bytes)
    try:
        reader = _Reader(_boundary(request), limit_bytes, share)
        async with asyncio.timeout(WITHIN_S):
            async for piece in request.stream():
                reader.take(piece)
    except TimeoutError as error:
        raise InvalidRequest(f"The body did not arrive within {WITHIN_S:g} s.") from error
    except ClientDisconnect as error:
        raise cut() from error
    except FormParserError as error:
        raise InvalidRequest(f"The body is not multipart/form-data: {str(error)[:200]}.") from error
    return reader.result()


def too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(
        f"The file is larger than the {limit_bytes} bytes that are taken.",
        remedy=Remedy("Make it smaller, or ask the operator to raise SAFELIGHT_UPLOAD_MAX_BYTES."),
    )


class _Reader:
    """Takes the body piece by piece."""

    def __init__(self, boundary: bytes, limit_bytes: int, share: Share) -> None:
        self._limit_bytes, self._share = limit_bytes, share
        self._seen = 0
        self._data = bytearray()
        self._header, self._value = bytearray(), bytearray()
        self._headers: dict[str, bytes] = {}
        self._claimed: str | None = None
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_end": self._on_end,
            },
        )

    def take(self, piece: bytes) -> None:
        """Raises FormParserError for what is no form."""
        self._seen += len(piece)
        if self._seen > self._limit_bytes + AROUND_BYTES:
            raise too_large(self._limit_bytes)
        if self._ended or not piece:
            return
        self._parser.write(piece)

    def result(self) -> SentFile:
        if not self._ended:
            raise cut()
        if self._claimed is None:
            raise _not_one_file("is missing: send the picture in this field")
        self._check_head()
        return SentFile(bytes(self._data), self._claimed)

    def _on_header(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _on_headers(self) -> None:
        headers, self._headers = self._headers, {}
        _, options = parse_options_header(headers.get("content-disposition"))
        if options.get(b"name") != FIELD.encode():
            name = options.get(b"name", b"").decode("utf-8", "replace")[:100]
            raise InvalidParams(f"{name}: is not a field", errors={name: [f"is not a field; there is only {FIELD!r}"]})
        if self._claimed is not None:
            raise _not_one_file("stands there twice; one request brings one picture")
        self._claimed = headers.get("content-type", b"").decode("latin-1")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        checks = len(self._data) < HEAD_BYTES
        if len(self._data) + end - start > self._limit_bytes:
            raise too_large(self._limit_bytes)
        self._share.take(end - start)
        self._data += data[start:end]
        if checks and len(self._data) >= HEAD_BYTES:
            self._check_head()

    def _check_head(self) -> None:
        """What is no picture is sent away after its first bytes."""
        try:
            checked_mime(bytes(self._data[:HEAD_BYTES]), self._claimed or "")
        except RefusedPicture as error:
            raise _not_one_file(str(error)) from error

    def _on_end(self) -> None:
        self._ended = True


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise InvalidRequest(
            "The body must be multipart/form-data with the picture in the field 'file'.",
            remedy=Remedy("Send it as a form.", "curl -F file=@picture.png …/api/uploads"),
        )
    return options[b"boundary"]


def _not_one_file(text: str) -> InvalidParams:
    return InvalidParams(f"{FIELD}: {text}", errors={FIELD: [text]})


def cut() -> InvalidRequest:
    return InvalidRequest("The body was cut before its end.", remedy=Remedy("Send it again, whole."))
