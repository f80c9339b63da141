"""Films of the pictures' scenes: real H.264, the same for the same prompt and seed, moving, and stopped when asked."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from itertools import pairwise
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from safelight.children.serving import Stopped
from safelight.domain.outcomes import Done, ErrorClass, Output, Rejected
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.film import Frame, frames
from safelight.providers.procedural.layers import recorded
from safelight.providers.procedural.moving import Clock, later
from safelight.providers.procedural.places import steps_for
from safelight.providers.procedural.scene import compose
from safelight.providers.procedural.video_provider import ProceduralVideoProvider
from safelight.providers.protocol import Generation
from tests.support.watcher import Watcher, with_provider

PLACES = (
    "storm at sea", "harbour at dawn with a sailboat", "lake with aurora in snow", "river in spring", "alps at sunset",
    "forest in fog", "desert with a car", "meadow with a balloon", "neon city in the rain", "saturn", "highway",
    "a monk", "portrait of a queen", "hello quux",
)  # fmt: skip


def wish(prompt: str = "a sailboat at sunset", **params: Any) -> Generation:
    small = {"width": 160, "height": 128, "duration_s": 1, "fps": 8, "seed": 7}
    return Generation("video", "procedural-video", prompt, {**small, **params})


async def filmed(provider: ProceduralVideoProvider, generation: Generation, watcher: Watcher | None = None) -> Output:
    state = await provider.start(generation, "call", watcher or Watcher())
    assert isinstance(state, Done), state
    (output,) = state.outputs
    assert isinstance(output, Output)
    return output


def boxes(data: bytes) -> list[str]:
    """The names of the parts an MP4 consists of, in order."""
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4], "big")
    return found


def test_a_film_is_h264_of_the_size_length_and_rate_asked_for_and_says_it_is_not_ai() -> None:
    async def body(provider: ProceduralVideoProvider) -> None:
        output = await filmed(provider, wish(width=192, duration_s=1.5, fps=12))
        assert (output.mime, output.width, output.height, output.duration_s) == ("video/mp4", 192, 128, 1.5)
        assert output.metadata == {"seed": 7, "ai_generated": False, "renderer": "procedural"}
        with av.open(BytesIO(output.data)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
            assert (stream.width, stream.height, stream.average_rate) == (192, 128, 12)
            assert len(list(container.decode(video=0))) == 18
        assert boxes(output.data).index("moov") < boxes(output.data).index("mdat"), "it cannot play while it loads"

    with_provider(ProceduralVideoProvider, body)


def test_the_same_prompt_and_seed_give_the_same_bytes() -> None:
    async def body(provider: ProceduralVideoProvider) -> None:
        first, again, other = [await filmed(provider, wish(seed=seed)) for seed in (7, 7, 8)]
        assert first.data == again.data
        assert first.data != other.data

    with_provider(ProceduralVideoProvider, body)


def test_every_frame_is_progress_and_some_are_shown() -> None:
    async def body(provider: ProceduralVideoProvider) -> None:
        watcher = Watcher()
        await filmed(provider, wish(duration_s=2, fps=24), watcher)
        shares = [progress for progress, _ in watcher.seen]
        assert len(shares) == 1 + 48
        assert shares == sorted(set(shares))
        previews = [preview for _, preview in watcher.seen if preview]
        assert 10 <= len(previews) <= 16
        assert Image.open(BytesIO(previews[3].data)).size == (160, 128)

    with_provider(ProceduralVideoProvider, body)


def test_a_report_that_says_no_stops_it_between_frames() -> None:
    async def body(provider: ProceduralVideoProvider) -> None:
        watcher = Watcher(stop_at=3)
        state = await provider.start(wish(duration_s=10, fps=30, width=512, height=512), "call", watcher)
        assert isinstance(state, Rejected)
        assert (state.error.error_class, state.error.message) == (ErrorClass.UNAVAILABLE, "stopped")
        assert len(watcher.seen) == 3
        await filmed(provider, wish())

    with_provider(ProceduralVideoProvider, body)


def test_a_large_film_can_be_stopped_before_its_first_frame_is_done() -> None:
    checks = 0

    def stop_at_the_third() -> None:
        nonlocal checks
        checks += 1
        if checks == 3:
            raise Stopped

    with pytest.raises(Stopped):
        next(frames(compose("alps at sunset", 7), 160, 128, 24, 1.0, stop_at_the_third))


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"width": 161}, "take 162"),
        ({"width": 64}, "width"),
        ({"fps": 60}, "fps"),
        ({"duration_s": 0.2}, "duration_s"),
        ({"duration_s": "two"}, "duration_s"),
        ({"seed": "x"}, "seed"),
    ],
)
def test_a_film_that_cannot_be_made_is_refused_by_name(params: dict[str, Any], word: str) -> None:
    async def body(provider: ProceduralVideoProvider) -> None:
        state = await provider.start(wish(**params), "call", Watcher())
        assert isinstance(state, Rejected)
        assert state.error.error_class is ErrorClass.INVALID_REQUEST
        assert word in state.error.message
        assert provider.child_pid is None

    with_provider(ProceduralVideoProvider, body)


@pytest.mark.parametrize("prompt", PLACES)
def test_every_place_moves_smoothly(prompt: str) -> None:
    """Each frame is a little unlike the one before: it neither stands still nor jumps."""
    shown = list(frames(compose(prompt, 7), 160, 128, 24, 1.0))
    assert all(frame.shape == (128, 160, 3) for frame in shown)
    steps = [difference(a, b) for a, b in pairwise(shown)]
    whole = difference(shown[0], shown[-1])
    assert min(steps) > 0.01, "it stands still"
    assert whole > 1.5 * min(steps), "it goes nowhere"
    if compose(prompt, 7).weather not in ("rain", "storm", "snow"):
        assert max(steps) < 4 * float(np.median(steps)) + 0.5, "it jumps"


def difference(one: Frame, other: Frame) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean())


@pytest.mark.parametrize("prompt", PLACES)
def test_a_step_played_from_its_layer_is_the_step_as_painted(prompt: str) -> None:
    scene = compose(prompt, 7)
    painted, played = Canvas(160, 128), Canvas(160, 128)
    for name, step in steps_for(scene):
        step(painted, scene)
        if name == "water":  # the one step that looks at other pixels than its own
            step(played, scene)
        else:
            recorded(step, scene, played).lay(played, 0, 0, np.ones(3, np.float32))
    assert float(np.abs(painted.rgb - played.rgb).max()) < 0.02


def test_a_layer_can_be_moved_by_parts_of_a_pixel_and_off_the_canvas() -> None:
    def dot(canvas: Canvas, scene: object) -> None:
        canvas.rgb[:, 10, 10] = 1

    layer = recorded(dot, compose("x", 1), Canvas(20, 20))
    assert layer.own.shape == (3, 1, 1)
    canvas = Canvas(20, 20)
    layer.lay(canvas, 2.25, -3.0, np.ones(3, np.float32))
    assert canvas.rgb[0, 7, 12:14].tolist() == [0.75, 0.25]
    layer.lay(canvas, 500, -500, np.ones(3, np.float32))


def test_the_day_goes_on_while_the_film_runs() -> None:
    sunset = compose("sunset over the ocean", 7)
    end = later(sunset, 4.0)
    assert end.sun_y > sunset.sun_y
    assert float(end.palette.sky[0].sum()) < float(sunset.palette.sky[0].sum())
    assert later(sunset, 0.0).palette == sunset.palette


def test_the_camera_starts_and_ends_gently() -> None:
    ways = [Clock(at / 10, 4.0).way for at in range(41)]
    assert (ways[0], ways[-1]) == (-0.5, 0.5)
    steps = np.diff(ways)
    assert steps.min() > 0
    assert steps[0] < steps[20] > steps[-1]


def test_importing_the_provider_does_not_import_the_libraries_that_film() -> None:
    program = (
        "import sys, safelight.providers.procedural.video_provider\n"
        "print([name for name in ('numpy', 'PIL', 'av') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"
