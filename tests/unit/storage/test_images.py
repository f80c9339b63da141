"""Pictures are described without decoding, made small for lists, and never trusted."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safelight.storage.images import PictureInfo, UnreadablePicture, describe_image, thumbnail
from tests.unit.storage.pictures import MIMES, picture


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\x00" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", MIMES)
def test_type_and_size_come_from_the_bytes(form: str) -> None:
    assert describe_image(picture(form)) == PictureInfo(MIMES[form], 37, 23)


@pytest.mark.parametrize("form", MIMES)
def test_a_thumbnail_fits_into_its_square_and_keeps_the_proportions(form: str) -> None:
    assert describe_image(thumbnail(picture(form, (1200, 600)))) == PictureInfo("image/webp", 384, 192)
    assert describe_image(thumbnail(picture(form, (100, 1000)), 50)) == PictureInfo("image/webp", 5, 50)


def test_a_small_picture_is_not_blown_up() -> None:
    assert describe_image(thumbnail(picture(size=(40, 20)))) == PictureInfo("image/webp", 40, 20)


def test_a_long_thin_picture_keeps_at_least_one_pixel() -> None:
    assert describe_image(thumbnail(picture(size=(2000, 1)))).height == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_gets_a_thumbnail(mode: str) -> None:
    assert describe_image(thumbnail(picture("PNG", mode=mode))).width == 37


def test_a_cmyk_jpeg_gets_a_thumbnail() -> None:
    assert describe_image(thumbnail(picture("JPEG", mode="CMYK"))).width == 37


def test_transparency_survives() -> None:
    with Image.open(BytesIO(thumbnail(picture("PNG", mode="RGBA")))) as small:
        assert small.mode == "RGBA"


def test_a_picture_on_its_side_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert describe_image(thumbnail(picture("JPEG", (60, 20), exif=exif))) == PictureInfo("image/webp", 20, 60)


@pytest.mark.parametrize(("width", "height"), [(10_000, 8_001), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_a_decompression_bomb_is_refused_before_a_pixel_is_decoded(width: int, height: int) -> None:
    with pytest.raises(UnreadablePicture):
        describe_image(png_that_claims(width, height))
    with pytest.raises(UnreadablePicture):
        thumbnail(png_that_claims(width, height))


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(50), b"RIFF____WEBP"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadablePicture):
        describe_image(data)


@pytest.mark.parametrize("form", MIMES)
def test_a_picture_that_was_cut_off_gets_no_thumbnail(form: str) -> None:
    whole = picture(form, (300, 300))
    with pytest.raises(UnreadablePicture):
        thumbnail(whole[: len(whole) // 2])


PICTURES = [picture(form) for form in MIMES]


@settings(max_examples=150)
@given(st.sampled_from(PICTURES), st.data())
def test_a_damaged_picture_is_read_or_refused_and_never_fails_otherwise(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        small = thumbnail(bytes(damaged))
    except UnreadablePicture:
        return
    assert describe_image(small).mime == "image/webp"
