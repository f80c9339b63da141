"""Pictures that strangers bring: what they are, their bytes say; what is wrong with them is found before use."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from safelight.storage.pictures import RefusedPicture, checked_picture
from safelight.storage.sniffing import sniffed_picture
from safelight.testing.pictures import tiny_png

MOST = 1_000_000


def encoded(kind: str, size: tuple[int, int] = (40, 20), **how: object) -> bytes:
    buffer = io.BytesIO()
    picture = Image.new("RGB", size, (200, 30, 30))
    picture.paste((0, 0, 255), (0, 0, size[0] // 2, size[1]))
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("kind", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_the_three_kinds_are_told_by_their_bytes_and_kept_as_they_are(kind: str, mime: str) -> None:
    data = encoded(kind)
    for claimed in ("", mime, f"{mime}; charset=binary", "application/octet-stream", mime.upper()):
        picture = checked_picture(data, claimed, MOST)
        assert (picture.data, picture.mime, picture.width, picture.height) == (data, mime, 40, 20)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"GIF89a" + b"\0" * 100, encoded("GIF"), encoded("BMP"), encoded("TIFF"), b"%PDF-1.7\n", b"<svg/>"),
        *(b"<html><script>alert(1)</script></html>", b"PK\x03\x04", b"RIFF\0\0\0\0WAVEfmt ", b"\x00" * 64),
        b"\x89PNG\r\n\x1a",
    ],
)
def test_nothing_else_is_a_picture(data: bytes) -> None:
    with pytest.raises(RefusedPicture, match="is not a PNG, JPEG or WebP picture"):
        checked_picture(data, "image/png", MOST)


@pytest.mark.parametrize("claimed", ["image/jpeg", "image/gif", "text/html", "application/pdf", "video/mp4"])
def test_who_says_something_else_about_it_is_refused(claimed: str) -> None:
    with pytest.raises(RefusedPicture, match=f"is said to be '{claimed}', but it is image/png"):
        checked_picture(tiny_png(), claimed, MOST)


def test_other_names_of_the_same_type_are_no_lie() -> None:
    assert checked_picture(encoded("JPEG"), "image/jpg", MOST).mime == "image/jpeg"


@pytest.mark.parametrize("size", [(60_000, 60_000), (2_000_000_000, 1), (1001, 1000)])
def test_one_that_would_unfold_to_too_many_pixels_is_refused_by_its_header(size: tuple[int, int]) -> None:
    with pytest.raises(RefusedPicture):
        checked_picture(png_that_claims(*size), "", MOST)


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def flipped(data: bytes) -> bytes:
    return data[:45] + bytes(byte ^ 0xFF for byte in data[45:60]) + data[60:]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_one_that_was_cut_is_found_here_and_not_at_a_provider(kind: str) -> None:
    noise = Image.effect_noise((200, 200), 80)
    buffer = io.BytesIO()
    noise.convert("RGB").save(buffer, kind)
    with pytest.raises(RefusedPicture, match="cannot be read"):
        checked_picture(cut(buffer.getvalue()), "", MOST)


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
        lambda: flipped(encoded("PNG")),
        lambda: b"\xff\xd8\xff" + b"\xff" * 500,
        lambda: b"RIFF\xff\xff\xff\xffWEBPVP8X" + b"\xff" * 100,
        lambda: png_that_claims(0, 0),
        lambda: png_that_claims(10, 10)[:-30],
    ],
)
def test_damaged_ones_are_refused_and_nothing_else_comes_of_them(make: Callable[[], bytes]) -> None:
    with pytest.raises(RefusedPicture):
        checked_picture(make(), "", MOST)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), (n * 40, 0, 0)) for n in range(4)]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=10)
    with pytest.raises(RefusedPicture, match="is an animation"):
        checked_picture(buffer.getvalue(), "", MOST)


def test_a_photograph_with_a_second_picture_inside_is_a_photograph() -> None:
    buffer = io.BytesIO()
    main = Image.new("RGB", (40, 20))
    main.save(buffer, "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert checked_picture(buffer.getvalue(), "image/jpeg", MOST).mime == "image/jpeg"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_one_that_its_camera_marked_as_turned_is_kept_upright_and_without_the_mark(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    picture = checked_picture(encoded(kind, exif=exif), "", MOST)
    assert (picture.width, picture.height) == (20, 40)
    with Image.open(io.BytesIO(picture.data)) as upright:
        assert upright.size == (20, 40)
        assert upright.getexif().get(0x0112) is None
        red, _, blue = upright.convert("RGB").getpixel((10, 5))
        assert blue > red  # the blue half is now on top


def test_text_that_unfolds_to_much_is_no_way_round_the_limits() -> None:
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    bomb += chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 50_000_000))
    row = bytes(9)
    bomb += chunk(b"IDAT", zlib.compress(row * 8)) + chunk(b"IEND", b"")
    with pytest.raises(RefusedPicture):
        checked_picture(bomb, "", MOST)


def heavy_exif() -> bytes:
    """Two gigabytes, if every entry is copied."""
    entries, size = 2_000, 1_000_000
    exif = b"MM\0*" + struct.pack(">IH", 8, entries)
    return exif + b"".join(struct.pack(">HHII", 0x1000 + n, 7, size, 8) for n in range(entries)) + bytes(size)


def test_exif_data_whose_entries_all_name_the_same_megabytes_is_not_read_from_a_png() -> None:
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    bomb += chunk(b"eXIf", heavy_exif()) + chunk(b"IDAT", zlib.compress(bytes(9) * 8)) + chunk(b"IEND", b"")
    with pytest.raises(RefusedPicture, match="EXIF"):
        checked_picture(bomb, "", MOST)


def test_nor_from_the_many_segments_of_a_jpeg() -> None:
    exif, data = heavy_exif(), encoded("JPEG")
    parts = [b"Exif\0\0" + exif[at : at + 60_000] for at in range(0, len(exif), 60_000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts)
    with pytest.raises(RefusedPicture, match="EXIF"):
        checked_picture(data[:2] + segments + data[2:], "", MOST)


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded() -> None:
    data = encoded("JPEG", progressive=True)
    assert 1 < data.count(b"\xff\xda") < 30
    scan = data[data.index(b"\xff\xda") : data.index(b"\xff\xda") + 20]
    with pytest.raises(RefusedPicture, match="scans"):
        checked_picture(data[:-2] + scan * 200 + data[-2:], "", MOST)


def scanned(size: tuple[int, int], scans: int) -> bytes:
    """A few kilobytes, each scan of which is decoded over all pixels."""
    buffer = io.BytesIO()
    Image.new("L", size, 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (scans - data.count(b"\xff\xda")) + data[-2:]


def test_a_large_jpeg_may_have_fewer_scans_than_a_small_one() -> None:
    assert checked_picture(scanned((100, 100), 98), "", MOST).width == 100
    with pytest.raises(RefusedPicture, match="has 98 scans; at most 16 are taken of so many pixels"):
        checked_picture(scanned((1000, 1000), 98), "", MOST)
    assert checked_picture(scanned((1000, 1000), 16), "", MOST).width == 1000


@pytest.mark.parametrize("kind", [b"tEXt", b"aBCd", b"IDAT"])
def test_a_png_of_very_many_chunks_is_refused_before_it_is_read(kind: bytes, no_reading: None) -> None:
    data = tiny_png()
    with pytest.raises(RefusedPicture, match="chunks"):
        checked_picture(data[:33] + chunk(kind, b"") * 30_000 + data[33:], "", MOST)


@pytest.mark.parametrize("stray", [b"\xff\xfe\0\2", b"\xff", b"\0"])
def test_so_is_a_jpeg_of_very_many_segments_or_stray_bytes(stray: bytes, no_reading: None) -> None:
    data = encoded("JPEG")
    with pytest.raises(RefusedPicture, match="segments or stray bytes"):
        checked_picture(data[:2] + b"\xff\xfe\0\2" + stray * 30_000 + data[2:], "", MOST)


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr(Image, "open", read)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_nobody_waits_for_any_more_is_read_no_further(kind: str) -> None:
    with pytest.raises(RefusedPicture, match="took too long"):
        checked_picture(encoded(kind), "", MOST, lambda: "took too long")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xd8\xff" + b"\0" * 100, "cannot be read: it is damaged, or is not what its first bytes say"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "cannot be read: it is damaged, or is not what its first bytes say"),
        (png_that_claims(60_000, 60_000), "has too many pixels; at most 1 megapixels are taken"),
    ],
)
def test_a_refusal_tells_nothing_of_the_reader(data: bytes, words: str) -> None:
    with pytest.raises(RefusedPicture) as refused:
        checked_picture(data, "", MOST)
    assert str(refused.value) == words


def test_the_head_is_enough_to_tell() -> None:
    assert sniffed_picture(tiny_png()[:12]) == "image/png"
    assert sniffed_picture(b"") is None
