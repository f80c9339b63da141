"""Films: told by their content, described by their headers, with a poster, and their papers appended."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from safelight.storage.boxes import UnreadableFilm, boxes
from safelight.storage.film_papers import XMP_UUID
from safelight.storage.films import FilmInfo, describe_film
from safelight.storage.posters import poster
from safelight.storage.provenance import Provenance, embed_in_film, read_file
from safelight.storage.sniffing import sniffed
from safelight.testing.hollow_films import FTYP, box, hollow_film, moov
from tests.unit.storage.films import real_film

PAPERS = Provenance("job-1", "a-model", "a fox ✨ <&>", True, seed=7, params={"fps": 24}, provider="replicate")
FASTSTART, FRAGMENTED = {"movflags": "faststart"}, {"movflags": "frag_keyframe+empty_moov"}


@pytest.mark.parametrize(
    ("kind", "codec", "options", "mime"),
    [
        ("mp4", "libx264", {}, "video/mp4"),
        ("mp4", "libx264", FASTSTART, "video/mp4"),
        ("mp4", "libx264", FRAGMENTED, "video/mp4"),
        ("mov", "libx264", {}, "video/quicktime"),
        ("webm", "libvpx-vp9", {}, "video/webm"),
    ],
)
def test_a_film_is_described_and_has_a_poster_that_is_not_its_black_beginning(
    tmp_path: Path, kind: str, codec: str, options: dict[str, str], mime: str
) -> None:
    film = real_film(tmp_path, kind, codec, **options)
    info = describe_film(film)
    assert (info.mime, info.width, info.height) == (mime, 320, 192)
    assert info.duration_s in (None, pytest.approx(2.0, abs=0.1))
    small = poster(film, info.duration_s)
    assert small is not None
    with Image.open(io.BytesIO(small)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (320, 192))
        grey = picture.convert("L").getextrema()[0]
        assert isinstance(grey, int)
        assert grey > 20 or info.duration_s is None


@pytest.mark.parametrize("options", [{}, FASTSTART, FRAGMENTED])
def test_papers_are_appended_read_back_and_change_nothing_that_is_seen(tmp_path: Path, options: dict[str, str]) -> None:
    film = real_film(tmp_path, **options)
    before, bare = describe_film(film), film.getvalue()
    assert read_file(film) is None
    embed_in_film(film, PAPERS)
    assert film.getvalue().startswith(bare)
    assert read_file(film) == PAPERS
    assert describe_film(film) == before
    assert poster(film, before.duration_s) == poster(io.BytesIO(bare), before.duration_s)


def test_a_film_has_one_packet_and_long_prompts_fit() -> None:
    film = io.BytesIO(hollow_film() + box(b"uuid", XMP_UUID, b"<x:xmpmeta>the provider's</x:xmpmeta>"))
    long = Provenance("job-2", "m", "word " * 6_000, False)
    embed_in_film(film, PAPERS)
    embed_in_film(film, long)
    assert read_file(film) == long
    assert [found.name for found in boxes(film)].count(b"uuid") == 1


def test_a_last_box_without_a_size_gets_one_so_that_the_papers_are_not_part_of_it() -> None:
    endless = struct.pack(">I4s", 0, b"mdat") + bytes(500)
    film = io.BytesIO(FTYP + moov() + endless)
    embed_in_film(film, PAPERS)
    assert [found.name for found in boxes(film)] == [b"ftyp", b"moov", b"mdat", b"uuid"]
    assert read_file(film) == PAPERS


def test_a_film_without_length_or_with_a_senseless_one_has_none() -> None:
    for odd in ({"length": 0}, {"scale": 0}, {"length": 2**32 - 1}, {"scale": 1, "length": 10**9}):
        assert describe_film(io.BytesIO(FTYP + moov(**odd))) == FilmInfo("video/mp4", 320, 192, None)
    assert describe_film(io.BytesIO(FTYP + moov())).duration_s == 2.5


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no MP4"),
        (b"<!doctype html>" * 10, "no MP4"),
        (FTYP, "no `moov`"),
        (FTYP + box(b"moov", box(b"mvhd", bytes(100))), "no picture track"),
        (hollow_film()[:-1], "cut short"),
        (hollow_film() + b"\x00\x00", "in the middle of a box"),
        (FTYP + box(b"moov", struct.pack(">I4s", 500, b"trak"), bytes(9)), "cut short"),
        (FTYP + struct.pack(">I4sQ", 1, b"mdat", 3), "cut short"),
        (box(b"ftyp", b"avif\x00\x00\x00\x00"), "no MP4"),
    ],
)
def test_what_is_no_whole_film_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableFilm, match=why):
        describe_film(io.BytesIO(data))
    assert read_file(io.BytesIO(data)) is None


@given(st.binary(max_size=200), st.integers(0, 400), st.booleans())
def test_no_bytes_make_the_reader_fail_otherwise(noise: bytes, at: int, cut: bool) -> None:
    whole = hollow_film(100)
    film = io.BytesIO(whole[:at] + noise + (b"" if cut else whole[at:]))
    try:
        describe_film(film)
        embed_in_film(film, PAPERS)
    except UnreadableFilm:
        return
    assert read_file(film) == PAPERS


def test_without_pyav_a_film_has_size_and_length_but_no_poster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film, other = real_film(tmp_path), real_film(tmp_path, "webm", "libvpx-vp9")
    monkeypatch.setitem(sys.modules, "av", None)
    assert describe_film(film) == FilmInfo("video/mp4", 320, 192, 2.0)
    assert poster(film, 2.0) is None
    assert describe_film(other) == FilmInfo("video/webm", None, None, None)


def test_a_film_that_cannot_be_decoded_or_is_too_large_to_be_has_no_poster() -> None:
    assert poster(io.BytesIO(hollow_film()), 2.5) is None
    assert poster(io.BytesIO(FTYP + moov(60_000, 60_000) + box(b"mdat", bytes(99))), 2.5) is None


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"RIFF....WAVEfmt ", None),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x20ftypqt  ", "video/quicktime"),
        (b"\x00\x00\x00\x20ftypheic", None),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3....matroska", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_files_are_told_by_their_first_bytes(head: bytes, mime: str | None) -> None:
    assert sniffed(head) == mime
