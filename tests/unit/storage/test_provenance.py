"""A file leads back to its job, whatever the prompt, and its pixels stay as they were."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safelight.storage.containers import UnreadableContainer, read_xmp, write_xmp
from safelight.storage.provenance import Provenance, embed, read
from tests.unit.storage.pictures import MIMES, picture, pixels

FOX = Provenance(
    job_id="0199a1b2-0000-7000-8000-000000000001",
    model="procedural",
    prompt="狐狸 in тумане 🦊 & <fog>",
    ai_generated=False,
    seed=7,
    params={"width": 512, "format": "png"},
    provider="procedural",
)

VARIANTS = {
    "png": ("image/png", picture("PNG")),
    "png with alpha": ("image/png", picture("PNG", mode="RGBA")),
    "png with palette": ("image/png", picture("PNG", mode="P")),
    "lossy webp": ("image/webp", picture("WEBP")),
    "lossless webp": ("image/webp", picture("WEBP", lossless=True)),
    "lossless webp with alpha": ("image/webp", picture("WEBP", mode="RGBA", lossless=True)),
    "lossy webp with alpha": ("image/webp", picture("WEBP", mode="RGBA")),
    "webp of odd length": ("image/webp", picture("WEBP", (1, 1))),
    "large webp": ("image/webp", picture("WEBP", (2048, 300))),
    "jpeg": ("image/jpeg", picture("JPEG")),
    "progressive jpeg": ("image/jpeg", picture("JPEG", progressive=True)),
    "jpeg with exif": ("image/jpeg", picture("JPEG", exif=Image.Exif())),
    "jpeg with comment": ("image/jpeg", picture("JPEG", comment=b"by hand")),
}


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    return VARIANTS[request.param]


def test_what_was_embedded_is_read_back(variant: tuple[str, bytes]) -> None:
    mime, plain = variant
    assert read(embed(plain, mime, FOX)) == FOX


def test_not_a_pixel_changes(variant: tuple[str, bytes]) -> None:
    mime, plain = variant
    assert pixels(embed(plain, mime, FOX)) == pixels(plain)


def test_embedding_again_replaces(variant: tuple[str, bytes]) -> None:
    mime, plain = variant
    other = Provenance(job_id="j2", model="m", prompt="a cat", ai_generated=True)
    once = embed(plain, mime, other)
    assert embed(embed(plain, mime, FOX), mime, other) == once
    assert read(once) == other


def test_an_ordinary_picture_has_no_papers(variant: tuple[str, bytes]) -> None:
    assert read(variant[1]) is None


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x89PNG\r\n\x1a\n\x00", b"RIFF\xff\xff\xff\xffWEBP", b"\xff\xd8\xff\xe1"]
)
def test_what_is_no_picture_has_no_papers_and_cannot_take_any(data: bytes) -> None:
    assert read(data) is None
    for mime in MIMES.values():
        with pytest.raises(UnreadableContainer):
            embed(data, mime, FOX)


@pytest.mark.parametrize("form", MIMES)
def test_a_picture_that_was_cut_off_cannot_take_papers(form: str) -> None:
    whole = picture(form)
    headers_only = whole[:-1] if form != "JPEG" else whole[:60]
    with pytest.raises(UnreadableContainer):
        embed(headers_only, MIMES[form], FOX)


@pytest.mark.parametrize("form", MIMES)
def test_other_programs_find_the_packet_and_it_is_proper_xml(form: str) -> None:
    """Pillow is the other program."""
    with Image.open(BytesIO(embed(picture(form), MIMES[form], FOX))) as image:
        packet = image.info["xmp"]
    text = packet.decode("utf-8") if isinstance(packet, bytes) else packet
    root = ElementTree.fromstring(text)  # noqa: S314  our own packet
    texts = [element.text for element in root.iter() if element.text]
    assert "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia" in texts
    assert "Safelight (procedural, not AI)" in texts
    assert FOX.prompt in texts


def test_a_png_says_in_plain_text_what_made_it() -> None:
    with Image.open(BytesIO(embed(picture(), "image/png", FOX))) as image:
        assert image.info["Software"] == "Safelight (procedural, not AI)"
    by_ai = Provenance(job_id="j", model="flux", prompt="x", ai_generated=True)
    packet = read_xmp(embed(picture(), "image/png", by_ai))
    assert packet is not None
    assert b"digitalsourcetype/trainedAlgorithmicMedia" in packet
    assert b"not AI" not in packet


def test_a_prompt_too_long_for_a_jpeg_is_cut_and_says_so() -> None:
    long = Provenance(job_id="j", model="m", prompt="狐" * 32_000, ai_generated=True, seed=1, params={"n": 1})
    assert read(embed(picture("PNG"), "image/png", long)) == long
    assert read(embed(picture("WEBP"), "image/webp", long)) == long
    found = read(embed(picture("JPEG"), "image/jpeg", long))
    assert found == Provenance(
        job_id="j", model="m", prompt="狐" * 8_000, ai_generated=True, seed=1, params={"n": 1}, shortened=True
    )


def test_parameters_too_long_for_a_jpeg_are_left_out_and_that_is_said() -> None:
    long = Provenance(job_id="j", model="m", prompt="x", ai_generated=True, params={"negative_prompt": "y" * 70_000})
    found = read(embed(picture("JPEG"), "image/jpeg", long))
    assert found == Provenance(job_id="j", model="m", prompt="x", ai_generated=True, shortened=True)


def test_the_longest_prompt_of_the_catalog_fits_into_a_jpeg_whole() -> None:
    for character in 'x狐🦊&<"\\\n\x01\uffff':
        full = Provenance(job_id="j", model="m", prompt=character * 8_000, ai_generated=False)
        assert read(embed(picture("JPEG"), "image/jpeg", full)) == full


def test_papers_written_by_someone_else_are_not_ours() -> None:
    for inside in ("{", "[]", "7", '{"job_id": 5}', '{"job_id": "j"}', "&lt;"):
        packet = f"<safelight:provenance>{inside}</safelight:provenance>".encode()
        assert read(write_xmp(picture(), "image/png", packet, software="x")) is None
    assert read(write_xmp(picture(), "image/png", b"\xff<x/>", software="x")) is None


def test_other_metadata_stays() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a fox"
    for form in MIMES:
        with Image.open(BytesIO(embed(picture(form, exif=exif, icc_profile=b"colour"), MIMES[form], FOX))) as image:
            assert image.getexif()[0x010E] == "a fox"
            assert image.info["icc_profile"] == b"colour"


def test_a_webp_says_in_its_header_what_it_carries() -> None:
    data = embed(picture("WEBP", (300, 200), mode="RGBA", lossless=True), "image/webp", FOX)
    assert data[12:16] == b"VP8X"
    assert data[20] & 0x14 == 0x14, "alpha and XMP are announced"
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8


TEXTS = st.text(st.characters(exclude_categories=[]), max_size=300)
PARAMS = st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | TEXTS, max_size=4)


@given(st.sampled_from(list(VARIANTS.values())), TEXTS, TEXTS, st.none() | st.integers(), PARAMS, st.booleans())
@settings(max_examples=200)
def test_any_prompt_and_parameters_come_back_exactly(
    variant: tuple[str, bytes], prompt: str, model: str, seed: int | None, params: dict[str, Any], ai: bool
) -> None:
    mime, plain = variant
    papers = Provenance(job_id="j", model=model, prompt=prompt, ai_generated=ai, seed=seed, params=params)
    marked = embed(plain, mime, papers)
    assert read(marked) == papers
    with Image.open(BytesIO(marked)) as image:
        image.load()


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\x00\x00\x00WEBP", b"\xff\xd8\xff"])
)
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    assert read(start + data) is None


@given(st.sampled_from([(mime, embed(plain, mime, FOX)) for mime, plain in VARIANTS.values()]), st.data())
@settings(max_examples=200)
def test_a_damaged_file_is_read_or_refused_and_never_fails_otherwise(
    marked: tuple[str, bytes], data: st.DataObject
) -> None:
    mime, whole = marked
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    found = read(bytes(damaged))
    assert found is None or isinstance(found.job_id, str)
    try:
        again = embed(bytes(damaged), mime, FOX)
    except UnreadableContainer:
        return
    assert read(again) == FOX
