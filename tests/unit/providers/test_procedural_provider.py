"""The procedural provider end to end: a real child process, spoken to as the worker does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from io import BytesIO

import pytest
from PIL import Image
from structlog.testing import capture_logs

from safelight.children import process as childprocess
from safelight.domain.outcomes import Done, ErrorClass, Rejected
from safelight.providers.procedural.provider import ProceduralProvider
from safelight.providers.protocol import Generation, Preview

PATIENCE_S = 60.0
BABBLE = """
import sys
sys.stdout.buffer.write((3).to_bytes(4, "big") + (0).to_bytes(4, "big") + {head!r})
sys.stdout.flush()
sys.stdin.read()
"""


class Watcher:
    """A report that remembers; answers False from the given call on, and can be waited for."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.seen: list[tuple[float, Preview | None]] = []
        self.called = asyncio.Event()
        self._stop_at = stop_at

    async def __call__(self, progress: float, *, preview: Preview | None = None, text: str | None = None) -> bool:
        self.seen.append((progress, preview))
        self.called.set()
        return self._stop_at is None or len(self.seen) < self._stop_at


def wish(prompt: str = "sunset over the ocean", **params: object) -> Generation:
    return Generation("image", "procedural", prompt, {"width": 256, "height": 256, "seed": 7, **params})


def with_provider(
    body: Callable[[ProceduralProvider], Awaitable[None]],
    stuck_s: float = childprocess.STUCK_S,
    python: tuple[str, ...] = childprocess.PYTHON,
) -> None:
    async def run() -> None:
        provider = ProceduralProvider(stuck_s, python)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await body(provider)
        finally:
            await provider.close()

    asyncio.run(run())


def test_a_picture_has_the_size_and_format_asked_for_and_says_it_is_not_ai() -> None:
    async def body(provider: ProceduralProvider) -> None:
        for kind in ("png", "webp", "jpeg"):
            done = await provider.start(wish(width=320, height=256, format=kind), "call", Watcher())
            assert isinstance(done, Done)
            (output,) = done.outputs
            picture = Image.open(BytesIO(output.data))
            assert picture.size == (320, 256) == (output.width, output.height)
            assert picture.format == kind.upper()
            assert output.mime == f"image/{kind}"
            assert output.metadata == {"seed": 7, "ai_generated": False, "renderer": "procedural"}

    with_provider(body)


def test_several_pictures_have_following_seeds_and_each_is_what_its_seed_alone_gives() -> None:
    async def body(provider: ProceduralProvider) -> None:
        several = await provider.start(wish(n=3), "call", Watcher())
        alone = await provider.start(wish(seed=9), "call", Watcher())
        assert isinstance(several, Done)
        assert isinstance(alone, Done)
        assert [output.metadata["seed"] for output in several.outputs] == [7, 8, 9]
        assert len({output.data for output in several.outputs}) == 3
        assert several.outputs[2].data == alone.outputs[0].data

    with_provider(body)


def test_progress_only_grows_and_every_stage_can_be_looked_at() -> None:
    async def body(provider: ProceduralProvider) -> None:
        watcher = Watcher()
        await provider.start(wish(width=512, height=384, n=2), "call", watcher)
        shares = [progress for progress, _ in watcher.seen]
        assert len(shares) >= 8
        assert shares == sorted(set(shares))
        assert shares[-1] == 1.0
        for _, preview in watcher.seen:
            assert preview is not None
            assert preview.mime == "image/webp"
            assert len(preview.data) < 20_000
            assert max(Image.open(BytesIO(preview.data)).size) <= 256

    with_provider(body)


def test_a_report_that_says_no_stops_the_drawing_and_the_next_one_works() -> None:
    async def body(provider: ProceduralProvider) -> None:
        watcher = Watcher(stop_at=2)
        stopped = await provider.start(wish(n=10), "call", watcher)
        assert isinstance(stopped, Rejected)
        assert (stopped.error.error_class, stopped.error.message) == (ErrorClass.UNAVAILABLE, "stopped")
        assert len(watcher.seen) == 2
        assert isinstance(await provider.start(wish(), "call", Watcher()), Done)

    with_provider(body)


def test_a_cancelled_call_does_not_disturb_its_neighbours() -> None:
    async def body(provider: ProceduralProvider) -> None:
        first, second = Watcher(), Watcher()
        expected = await provider.start(wish(), "call", Watcher())
        doomed = asyncio.create_task(provider.start(wish("castle", n=10), "call", first))
        neighbour = asyncio.create_task(provider.start(wish(), "call", second))
        await first.called.wait()
        doomed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doomed
        assert await neighbour == expected
        assert await provider.start(wish(), "call", Watcher()) == expected

    with_provider(body)


def test_calls_made_together_are_all_answered_with_their_own_pictures() -> None:
    async def body(provider: ProceduralProvider) -> None:
        prompts = ("ocean", "forest in fog", "neon city")
        together = await asyncio.gather(*(provider.start(wish(prompt), "call", Watcher()) for prompt in prompts))
        for prompt, answer in zip(prompts, together, strict=True):
            assert answer == await provider.start(wish(prompt), "call", Watcher())

    with_provider(body)


def test_a_killed_renderer_rejects_its_call_and_the_next_call_starts_another() -> None:
    async def body(provider: ProceduralProvider) -> None:
        watcher = Watcher()
        call = asyncio.create_task(provider.start(wish(n=10), "call", watcher))
        await watcher.called.wait()
        victim = provider.child_pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        rejected = await call
        assert isinstance(rejected, Rejected)
        assert rejected.error.error_class is ErrorClass.UNAVAILABLE
        assert "-9" in rejected.error.message
        assert isinstance(await provider.start(wish(), "call", Watcher()), Done)
        assert provider.child_pid != victim

    with_provider(body)


@pytest.mark.parametrize("head", [b"[}]", b"{ }", b"[ ]"])
def test_a_renderer_that_cannot_be_understood_is_ended_and_its_calls_are_told(
    head: bytes,
) -> None:
    async def body(provider: ProceduralProvider) -> None:
        rejected = await provider.start(wish(), "call", Watcher())
        assert isinstance(rejected, Rejected)
        assert rejected.error.error_class is ErrorClass.UNAVAILABLE
        assert provider.child_pid is None

    with capture_logs() as logs:
        with_provider(body, python=(sys.executable, "-c", BABBLE.format(head=head)))
    assert [line["event"] for line in logs] == ["child_not_understood"]


def test_a_renderer_that_hangs_is_killed_once_a_call_was_given_up_and_the_next_call_starts_another() -> None:
    async def body(provider: ProceduralProvider) -> None:
        watcher = Watcher()
        doomed = asyncio.create_task(provider.start(wish(n=10), "call", watcher))
        await watcher.called.wait()
        hanging = provider.child_pid
        assert hanging is not None
        os.kill(hanging, signal.SIGSTOP)
        doomed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doomed
        rejected = await provider.start(wish(), "call", Watcher())
        assert isinstance(rejected, Rejected)
        assert rejected.error.error_class is ErrorClass.UNAVAILABLE
        assert isinstance(await provider.start(wish(), "call", Watcher()), Done)
        assert provider.child_pid != hanging

    with capture_logs() as logs:
        with_provider(body, stuck_s=0.3)
    assert [line["event"] for line in logs] == ["child_hangs"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_the_renderer_ends_when_its_parent_is_killed() -> None:
    program = (
        "import asyncio\n"
        "from safelight.providers.procedural.provider import ProceduralProvider\n"
        "async def main():\n"
        "    provider = ProceduralProvider()\n"
        "    await provider.warm_up()\n"
        "    print(provider.child_pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    read_end, write_end = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, pass_fds=[write_end], stderr=write_end
    ) as parent:
        os.close(write_end)
        assert parent.stdout is not None
        assert int(parent.stdout.readline()) > 0
        parent.kill()
    with os.fdopen(read_end, "rb") as still_open:  # closes when the last process holding standard error has gone
        assert still_open.read() == b""


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"width": 128}, "width"),
        ({"height": 4096}, "height"),
        ({"n": 11}, "n is 11"),
        ({"seed": "seven"}, "seed"),
        ({"format": "gif"}, "format"),
        ({"width": True}, "width"),
    ],
)
def test_an_order_that_cannot_be_drawn_is_refused_by_name(params: dict[str, object], word: str) -> None:
    async def body(provider: ProceduralProvider) -> None:
        rejected = await provider.start(wish(**params), "call", Watcher())
        assert isinstance(rejected, Rejected)
        assert rejected.error.error_class is ErrorClass.INVALID_REQUEST
        assert word in rejected.error.message
        assert provider.child_pid is None

    with_provider(body)


def test_absent_parameters_have_sane_defaults() -> None:
    async def body(provider: ProceduralProvider) -> None:
        done = await provider.start(
            Generation("image", "procedural", "lake", {"width": 256, "height": 256}), "c", Watcher()
        )
        assert isinstance(done, Done)
        assert done.outputs[0].metadata["seed"] == 0
        assert done.outputs[0].mime == "image/png"

    with_provider(body)


def test_it_is_always_reachable_and_has_nothing_to_poll_or_cancel() -> None:
    async def body(provider: ProceduralProvider) -> None:
        assert (await provider.probe()).reachable
        rejected = await provider.poll("anything")
        assert isinstance(rejected, Rejected)
        assert rejected.error.error_class is ErrorClass.PROTOCOL
        await provider.cancel("anything")

    with_provider(body)


def test_importing_the_provider_does_not_import_the_libraries_that_draw() -> None:
    program = (
        "import sys, safelight.providers.procedural.provider\n"
        "print([name for name in ('numpy', 'PIL') if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert answer.stdout.strip() == "[]"
