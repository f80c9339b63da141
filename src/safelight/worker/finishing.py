"""What a file needs before it is stored: to be what it claims, its provenance, its hash and a thumbnail.

All of it takes processor time and reads disks: call it in a thread. A picture is in memory meanwhile, a film never is.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

from safelight.domain.ids import new_id
from safelight.services.assets import NewAsset
from safelight.storage.boxes import UnreadableFilm, size_of
from safelight.storage.containers import UnreadableContainer
from safelight.storage.films import describe_film
from safelight.storage.images import UnreadablePicture, describe_image, thumbnail
from safelight.storage.keys import asset_key, thumbnail_key
from safelight.storage.posters import poster
from safelight.storage.provenance import Provenance, embed, embed_in_film
from safelight.storage.sniffing import FILMS, HEAD_BYTES, sniffed

LONGEST_SEED_BITS = 64
WITHOUT_PAPERS = frozenset({"video/webm"})
"""Nothing can be appended to these without writing them anew."""


class Spoiled(Exception):
    """The provider delivered a file of no use: unreadable, cut short, too large, or not what it claims to be."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the files of one call came from."""

    job_id: str
    call_id: str
    provider: str
    model: str
    prompt: str
    params: dict[str, Any]
    ai_generated: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What the provider said of a file, to be used where it makes sense."""

    mime: str = ""
    duration_s: float | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """One file as it will be stored. Closing `file` is the holder's."""

    file: IO[bytes]
    thumbnail: bytes | None
    asset: NewAsset


def finish(origin: Origin, n: int, file: IO[bytes], said: Said) -> Finished:
    """Output `n` of a call, with its papers. The file is changed or replaced. Raises Spoiled."""
    try:
        return _finish(origin, n, file, said)
    except (UnreadablePicture, UnreadableContainer, UnreadableFilm) as error:
        raise Spoiled(str(error)) from error


def found(origin: Origin, n: int, file: IO[bytes]) -> Finished:
    """The same of a file that was stored before, which has its papers already. Raises Spoiled."""
    try:
        looks, small = _looked_at(file)
    except (UnreadablePicture, UnreadableFilm) as error:
        raise Spoiled(str(error)) from error
    return Finished(file, small, _asset(origin, n, looks, file, small, origin.ai_generated))


def _finish(origin: Origin, n: int, file: IO[bytes], said: Said) -> Finished:
    looks, small = _looked_at(file)
    _refuse_another_kind(said.mime, looks.mime)
    papers = _papers(origin, said.metadata or {})
    whole = _with_papers(file, looks.mime, papers)
    looks = _Looks(looks.mime, looks.width, looks.height, looks.duration_s or _sane_length_s(said.duration_s))
    return Finished(whole, small, _asset(origin, n, looks, whole, small, papers.ai_generated))


@dataclass(frozen=True, slots=True)
class _Looks:
    mime: str
    width: int | None
    height: int | None
    duration_s: float | None = None


def _looked_at(file: IO[bytes]) -> tuple[_Looks, bytes | None]:
    """What the file is, by its content, and its thumbnail if one can be made."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    mime = sniffed(head)
    if mime is None:
        raise UnreadablePicture(f"the file is neither a picture nor a film; it begins with {head[:16]!r}")
    if mime in FILMS:
        film = describe_film(file)
        small = poster(file, film.duration_s)
        return _Looks(film.mime, film.width, film.height, film.duration_s), small
    file.seek(0)
    data = file.read()
    picture = describe_image(data)
    return _Looks(picture.mime, picture.width, picture.height), thumbnail(data)


def _refuse_another_kind(claimed: str, mime: str) -> None:
    """That a PNG is called a JPEG harms nobody; that a film is called a picture is no delivery."""
    family = claimed.partition("/")[0]
    if family in ("image", "video") and family != mime.partition("/")[0]:
        raise UnreadablePicture(f"the file claims to be {claimed[:40]}, but is {mime}")


def _with_papers(file: IO[bytes], mime: str, papers: Provenance) -> IO[bytes]:
    """The file itself, or another in its place, which is closed then."""
    if mime in WITHOUT_PAPERS:
        return file
    if mime in FILMS:
        embed_in_film(file, papers)
        return file
    file.seek(0)
    whole = BytesIO(embed(file.read(), mime, papers))
    file.close()
    return whole


def _papers(origin: Origin, said: Mapping[str, Any]) -> Provenance:
    """What the provider said of a file is used where it makes sense; nonsense must not spoil a picture."""
    seed, ai_generated = said.get("seed"), said.get("ai_generated")
    return Provenance(
        job_id=origin.job_id,
        model=origin.model,
        prompt=origin.prompt,
        seed=seed if type(seed) is int and seed.bit_length() <= LONGEST_SEED_BITS else origin.params.get("seed"),
        params=origin.params,
        provider=origin.provider,
        ai_generated=ai_generated if isinstance(ai_generated, bool) else origin.ai_generated,
    )


def _sane_length_s(duration_s: float | None) -> float | None:
    """JSON has no way to write NaN or infinity."""
    return duration_s if duration_s is not None and math.isfinite(duration_s) else None


def _asset(origin: Origin, n: int, looks: _Looks, file: IO[bytes], small: bytes | None, ai_generated: bool) -> NewAsset:
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any readable file will do
    key = asset_key(job_id=origin.job_id, call_id=origin.call_id, n=n, sha256=sha256, mime=looks.mime)
    return NewAsset(
        id=new_id(),
        call_id=origin.call_id,
        n=n,
        key=key,
        thumbnail_key=thumbnail_key(key) if small else None,
        mime=looks.mime,
        size_bytes=size_of(file),
        width=looks.width,
        height=looks.height,
        duration_s=looks.duration_s,
        sha256=sha256,
        ai_generated=ai_generated,
    )
