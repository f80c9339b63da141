"""What `safelight inspect` does: read the file here, and ask the installation about the job it names."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from rich.table import Table

from safelight.cli.door import opened
from safelight.cli.edge import FINE, FOUND
from safelight.cli.out import err, out, plain, print_json
from safelight.client import ClientError
from safelight.domain.errors import SafelightError
from safelight.domain.ids import is_id
from safelight.storage.boxes import UnreadableFilm
from safelight.storage.films import describe_film
from safelight.storage.images import UnreadablePicture, describe_image
from safelight.storage.provenance import MOST_PICTURE_BYTES, Provenance, read_file
from safelight.storage.sniffing import FILMS, HEAD_BYTES, sniffed


@dataclass(frozen=True, slots=True)
class Looks:
    """The file itself. None is what it does not say, or what cannot be read of it."""

    file: str
    mime: str | None
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What this installation says of the job: None where it could not be asked, and then why."""

    job: bool | None
    status: str | None = None
    asset: str | None = None
    """The id of the asset that has exactly these bytes."""
    why_not_asked: str | None = None


async def inspect_file(path: Path, *, as_json: bool) -> int:
    """Print what is found; the exit code."""
    with path.open("rb") as file:
        looks, papers = _looks(path, file), read_file(file)
    known = await _known(papers.job_id, looks.sha256) if papers else None
    if as_json:
        print_json(
            asdict(looks)
            | {"papers": _as_json(papers) if papers else None, "installation": asdict(known) if known else None}
        )
    elif papers and known:
        out().print(_table(looks, papers, known))
    else:
        err().print(f"{plain(looks.file)} ({looks.mime or 'no kind of file that Safelight makes'}) has no papers.")
    return FINE if papers else FOUND


def _looks(path: Path, file: IO[bytes]) -> Looks:
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any readable file will do
    size = file.tell()
    file.seek(0)
    mime = sniffed(file.read(HEAD_BYTES))
    try:
        if mime in FILMS:
            film = describe_film(file)
            return Looks(str(path), mime, size, sha256, film.width, film.height, film.duration_s)
        if mime and size <= MOST_PICTURE_BYTES:
            file.seek(0)
            picture = describe_image(file.read())
            return Looks(str(path), mime, size, sha256, picture.width, picture.height)
    except (UnreadablePicture, UnreadableFilm):
        pass
    return Looks(str(path), mime, size, sha256)


async def _known(job_id: str, sha256: str) -> Known:
    """Ask the nearest server, or the database. That there is none is no reason not to show the papers."""
    if not is_id(job_id):
        return Known(False)
    try:
        async with opened() as door:
            job = await door.client.job(job_id)
    except ClientError as error:
        return Known(False) if error.status in (404, 410) else Known(None, why_not_asked=error.detail)
    except (SafelightError, OSError) as error:
        return Known(None, why_not_asked=str(getattr(error, "what", error)))
    same = next((asset["id"] for asset in job["assets"] if asset["sha256"] == sha256), None)
    return Known(True, job["status"], same)


def _as_json(papers: Provenance) -> dict[str, Any]:
    return asdict(papers) | {"params": dict(papers.params)}


def _table(looks: Looks, papers: Provenance, known: Known) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    size = f", {looks.width}x{looks.height}" if looks.width else ""
    length = f", {looks.duration_s:g} s" if looks.duration_s else ""
    rows = [
        ("File", f"{looks.file} ({looks.mime}{size}{length}, {looks.bytes:,} bytes)"),
        ("SHA-256", looks.sha256),
        ("Job", papers.job_id),
        ("Model", f"{papers.model} at {papers.provider}" if papers.provider else papers.model),
        ("Made by AI", "yes" if papers.ai_generated else "no"),
        ("Prompt", papers.prompt),
        ("Seed", "" if papers.seed is None else str(papers.seed)),
        ("Params", ", ".join(f"{name} {value}" for name, value in papers.params.items())),
        (
            "",
            "Prompt or parameters were cut to fit into the file; the job has them in full." if papers.shortened else "",
        ),
        ("Here", _in_words(known, papers.job_id)),
    ]
    for name, value in rows:
        if value:
            table.add_row(name, plain(value))
    return table


def _in_words(known: Known, job_id: str) -> str:
    if known.job is None:
        return f"This installation could not be asked: {known.why_not_asked}"
    if not known.job:
        return "This installation does not know the job (any more), or it is somebody else's."
    if known.asset is None:
        return f"The job is known ({known.status}), but none of its files has these bytes: this one was changed."
    return f"The job is known ({known.status}), and this is its file, byte for byte: safelight jobs show {job_id}"
