"""What takes long with large pictures is done in threads: while one job is packed and unpacked the others go on."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from safelight.providers import transport
from safelight.providers.anthropic.provider import AnthropicProvider
from safelight.providers.gemini.provider import GeminiProvider
from safelight.providers.huggingface.provider import HuggingFaceProvider
from safelight.providers.openai.provider import OpenAIProvider
from safelight.providers.protocol import Generation, Input
from safelight.providers.replicate.provider import ReplicateProvider
from safelight.services.inputs import StoredInput, written
from safelight.testing.pictures import tiny_png
from safelight.testing.provider_conformance import Listener
from safelight.testing.tiny_http import Outcome, Reply, Request, listen
from safelight.worker.inputs import load_inputs

PICTURE = tiny_png()


class Watched:
    """Does what it stands for, and remembers in which threads."""

    def __init__(self, does: Callable[..., Any]) -> None:
        self._does = does
        self.on_the_loop: list[bool] = []

    def __call__(self, *args: Any, **named: Any) -> Any:
        self.on_the_loop.append(threading.current_thread() is threading.main_thread())
        return self._does(*args, **named)


async def answered(reply: Reply, ask: Callable[[str], Awaitable[object]]) -> object:
    async def handle(request: Request) -> Outcome:
        return reply

    listening = await listen(handle, 0)
    try:
        return await ask(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    finally:
        listening.close()


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        (OpenAIProvider, "text"),
        (AnthropicProvider, "text"),
        (GeminiProvider, "text"),
        (HuggingFaceProvider, "image"),
        (ReplicateProvider, "image"),
    ],
)
def test_a_body_with_pictures_is_written_in_a_thread(provider: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encode, write = Watched(base64.b64encode), Watched(transport.dumps)
    monkeypatch.setattr(base64, "b64encode", encode)
    monkeypatch.setattr(transport, "dumps", write)
    wanted = Generation(kind, "black-forest-labs/flux-dev", "p", {}, (Input("image", PICTURE, "image/png", 8, 8),))
    refusal = Reply(400, {"error": "no"})
    asyncio.run(answered(refusal, lambda url: provider("key", url).start(wanted, "call", Listener())))
    assert (encode.on_the_loop, write.on_the_loop) == ([False], [False])


def test_pictures_that_come_as_text_are_read_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    decode = Watched(binascii.a2b_base64)
    monkeypatch.setattr(binascii, "a2b_base64", decode)
    made = Reply(200, {"data": [{"b64_json": base64.b64encode(PICTURE).decode()}]})
    wanted = Generation("image", "gpt-image-1", "p", {})
    asyncio.run(answered(made, lambda url: OpenAIProvider("key", url).start(wanted, "call", Listener())))
    assert decode.on_the_loop == [False]


def test_an_input_is_compared_with_what_was_submitted_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(PICTURE).hexdigest()
    watched = Watched(hashlib.sha256)

    class Store:
        async def get(self, key: str) -> bytes:
            monkeypatch.setattr(hashlib, "sha256", watched)
            return PICTURE

    text = written([StoredInput("image", "upload", "u", "k", "image/png", 8, 8, len(PICTURE), digest)])
    asyncio.run(load_inputs(Store(), text))  # type: ignore[arg-type]
    assert watched.on_the_loop == [False]
