"""Pictures made larger: by Lanczos everywhere, by the neural network where its extra is installed."""

from __future__ import annotations

from dataclasses import asdict
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from safelight.children.errands import Errand
from safelight.children.frames import Frame
from safelight.children.serving import Counter, Inbox
from safelight.domain.outcomes import Done, ErrorClass, Output, ProviderError, Rejected
from safelight.providers.child import ChildProvider
from safelight.providers.lanczos.provider import LanczosProvider
from safelight.providers.lanczos.resizer import resize, resized
from safelight.providers.protocol import Generation, Input
from safelight.providers.realesrgan.provider import RealesrganProvider
from safelight.providers.upscaling_order import MOST_PIXELS_IN, MOST_PIXELS_OUT, Order, read_order
from tests.support.watcher import Watcher, with_provider

BOTH = (LanczosProvider, RealesrganProvider)


def drawn(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Smooth shapes and hard edges, the same each time."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    red = 127 + 120 * np.sin(x / 9) * np.cos(y / 13)
    green = 255 * ((x // 16 + y // 16) % 2)
    blue = 255 * np.clip((np.hypot(x - width / 2, y - height / 2) - 20) / 40, 0, 1)
    alpha = np.where(x < width / 2, 255, 0)
    planes = np.stack([red, green, blue, alpha], axis=-1).astype(np.uint8)
    return Image.fromarray(planes, "RGBA" if mode == "RGBA" else None).convert(mode)


def filed(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def wish(image: Image.Image, data: bytes | None = None, **params: Any) -> Generation:
    given = Input("image", data or filed(image), "image/png", image.width, image.height)
    return Generation("upscale", "any", "", params, (given,))


async def made(provider: ChildProvider, generation: Generation, watcher: Watcher | None = None) -> Output:
    state = await provider.start(generation, "call", watcher or Watcher())
    assert isinstance(state, Done), state
    (output,) = state.outputs
    assert isinstance(output, Output)
    return output


def opened(output: Output) -> Image.Image:
    return Image.open(BytesIO(output.data))


@pytest.mark.parametrize("make", BOTH)
def test_a_picture_of_any_size_becomes_exactly_scale_times_as_large_and_stays_the_same_picture(
    make: type[ChildProvider],
) -> None:
    async def body(provider: ChildProvider) -> None:
        for width, height, scale in ((1, 1, 2), (7, 5, 4), (61, 97, 2), (97, 61, 4)):
            image = drawn(width, height)
            output = await made(provider, wish(image, scale=scale))
            larger = opened(output).convert("RGB")
            assert larger.size == (output.width, output.height) == (width * scale, height * scale)
            if width > 60:
                again = np.asarray(larger.resize(image.size, Image.Resampling.BOX), np.float32)
                assert float(np.abs(again - np.asarray(image, np.float32)).mean()) < 12

    with_provider(make, body)


@pytest.mark.parametrize(("make", "is_ai"), [(LanczosProvider, False), (RealesrganProvider, True)])
def test_it_says_whether_detail_was_invented(make: type[ChildProvider], is_ai: bool) -> None:
    async def body(provider: ChildProvider) -> None:
        output = await made(provider, wish(drawn(16, 16), scale=2))
        assert output.metadata == {"ai_generated": is_ai, "renderer": provider.name}

    with_provider(make, body)


@pytest.mark.parametrize("make", BOTH)
def test_transparency_and_colour_profile_are_kept_and_jpeg_stands_on_white(make: type[ChildProvider]) -> None:
    async def body(provider: ChildProvider) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        image = drawn(64, 48, "RGBA")
        larger = opened(await made(provider, wish(image, filed(image, icc_profile=profile), scale=2)))
        assert larger.mode == "RGBA"
        assert larger.getpixel((10, 40))[3] == 255  # type: ignore[index]
        assert larger.getpixel((120, 40))[3] == 0  # type: ignore[index]
        assert larger.info["icc_profile"] == profile
        flat = opened(await made(provider, wish(image, scale=2, format="jpeg")))
        assert min(flat.getpixel((120, 40))) > 248  # type: ignore[type-var, arg-type]

    with_provider(make, body)


def test_other_modes_and_sideways_pictures_are_understood() -> None:
    async def body(provider: ChildProvider) -> None:
        for mode in ("L", "P", "LA", "1"):
            assert opened(await made(provider, wish(drawn(20, 10).convert(mode), scale=2))).size == (40, 20)
        deep = Image.fromarray(np.full((10, 20), 40_000, np.uint16))
        assert opened(await made(provider, wish(deep, scale=2))).getpixel((5, 5)) == (156, 156, 156)
        exif = Image.Exif()
        exif[0x0112] = 6
        turned = drawn(20, 10)
        assert opened(await made(provider, wish(turned, filed(turned, "JPEG", exif=exif), scale=2))).size == (20, 40)

    with_provider(LanczosProvider, body)


def test_lanczos_in_strips_is_lanczos_at_once() -> None:
    image = drawn(60, 300)
    at_once = np.asarray(resized(image, (180, 900), nobody_stops(), strip_px=1000), np.int16)
    in_strips = np.asarray(resized(image, (180, 900), nobody_stops(), strip_px=100), np.int16)
    assert int(np.abs(at_once - in_strips).max()) <= 1


def test_between_the_picture_and_the_result_lies_nothing_larger_than_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """A strip of a picture, laid down: across first, 40 000 pixels would pass through 4 000 000."""
    image = drawn(10, 2000, "RGBA")
    sizes = list[int]()
    resize_once = Image.Image.resize

    def watched(self: Image.Image, size: tuple[int, int], *args: Any) -> Image.Image:
        sizes.append(size[0] * self.height)  # Pillow goes across first
        return resize_once(self, size, *args)

    monkeypatch.setattr(Image.Image, "resize", watched)
    frames = list[Frame]()
    order = Order(2, "png", width=2000, height=20)
    resize(Errand(asdict(order), filed(image)), Counter(1, Inbox(), frames.append))
    assert max(sizes) <= 40_000
    assert Image.open(BytesIO(frames[-1].body)).size == (2000, 20)


@pytest.mark.parametrize("size", [(2000, 20), (20, 2000), (5, 500), (400, 4000)])
def test_down_first_or_across_first_the_result_is_the_same(size: tuple[int, int]) -> None:
    image = drawn(10, 2000)
    ours = np.asarray(resized(image, size, nobody_stops()), np.int16)
    assert int(np.abs(ours - np.asarray(image.resize(size, Image.Resampling.LANCZOS), np.int16)).max()) <= 2


def test_a_width_or_height_resizes_to_just_that() -> None:
    async def body(provider: ChildProvider) -> None:
        image = drawn(40, 20)
        for params, size in (
            ({"width": 100}, (100, 50)),
            ({"height": 10}, (20, 10)),
            ({"width": 30, "height": 30}, (30, 30)),
        ):
            assert opened(await made(provider, wish(image, **params))).size == size

    with_provider(LanczosProvider, body)


def test_tiles_leave_no_seams() -> None:
    """Cut into tiles the picture comes out as it does whole."""
    from safelight.providers.realesrgan.enlarger import tiled

    pixels = np.asarray(drawn(150, 110))
    for scale in (2, 4):
        whole = tiled(pixels, scale, nobody_stops(), longest_px=1000).astype(np.int16)
        cut = tiled(pixels, scale, nobody_stops(), longest_px=48).astype(np.int16)
        assert int(np.abs(whole - cut).max()) <= 1


def test_every_tile_is_progress_with_a_view_of_the_work_and_can_be_stopped_after() -> None:
    async def body(provider: ChildProvider) -> None:
        watcher = Watcher()
        generation = wish(drawn(300, 200), scale=2)
        whole = await made(provider, generation, watcher)
        shares = [progress for progress, _ in watcher.seen]
        assert shares == sorted(set(shares))
        assert len(shares) == 1 + 3 * 2
        previews = [preview.data for _, preview in watcher.seen if preview]
        assert len(set(previews)) == 6
        assert Image.open(BytesIO(previews[0])).size == (300, 200)
        stopping = Watcher(stop_at=3)
        state = await provider.start(generation, "call", stopping)
        assert isinstance(state, Rejected)
        assert (state.error.error_class, state.error.message) == (ErrorClass.UNAVAILABLE, "stopped")
        assert len(stopping.seen) == 3
        assert await made(provider, generation) == whole

    with_provider(RealesrganProvider, body)


@pytest.mark.parametrize(
    ("size", "params", "words"),
    [
        ((5000, 5000), {"scale": 2}, "25.0 million pixels (5000x5000); at most 16.8 million can be enlarged"),
        ((2000, 2000), {"scale": 4}, "(8000x8000); at most 33.6 million are made here. Scale 2 would fit"),
        ((4000, 4000), {"scale": 4}, "at most 33.6 million are made here."),
        ((10, 10), {"scale": 3}, "scale is 3; it must be 2 or 4"),
        ((10, 10), {"scale": True}, "scale is True"),
        ((10, 10), {"format": "gif"}, "format is 'gif'"),
        ((9000, 10), {"scale": 2, "format": "webp"}, "WebP ends at 16383"),
    ],
)
def test_what_is_too_large_or_unknown_is_refused_with_the_numbers(
    size: tuple[int, int], params: dict[str, Any], words: str
) -> None:
    given = Input("image", b"never looked at", "image/png", *size)
    problem = read_order(Generation("upscale", "any", "", params, (given,)), (2, 4))
    assert isinstance(problem, ProviderError)
    assert problem.error_class is ErrorClass.INVALID_REQUEST
    assert words in problem.message
    assert MOST_PIXELS_IN < MOST_PIXELS_OUT


def test_without_a_picture_or_for_another_kind_it_says_so() -> None:
    for kind, word in (("upscale", "no picture"), ("image", "kind 'image'")):
        problem = read_order(Generation(kind, "any", "", {}), (2, 4))
        assert isinstance(problem, ProviderError)
        assert word in problem.message


@pytest.mark.parametrize("make", BOTH)
def test_a_broken_picture_or_one_that_is_larger_than_it_was_said_to_be_is_refused(make: type[ChildProvider]) -> None:
    async def body(provider: ChildProvider) -> None:
        whole = filed(drawn(64, 64))
        lying = Input("image", filed(Image.new("1", (6000, 6000))), "image/png", 10, 10)
        for given, word in (
            (Input("image", b"no picture", "image/png", 9, 9), "cannot be read"),
            (Input("image", whole[: len(whole) // 2], "image/png", 64, 64), "cannot be read"),
            (lying, "36.0 million pixels"),
        ):
            state = await provider.start(Generation("upscale", "any", "", {"scale": 2}, (given,)), "c", Watcher())
            assert isinstance(state, Rejected)
            assert state.error.error_class is ErrorClass.INVALID_REQUEST
            assert word in state.error.message
        assert isinstance(await provider.start(wish(drawn(8, 8), scale=2), "c", Watcher()), Done)

    with_provider(make, body)


def nobody_stops() -> Counter:
    return Counter(1, Inbox(), lambda frame: None)
