"""Names of stored objects: `assets/{job}/{call}-{n}-{sha8}.{ext}`.

Call and hash are in the name, so whoever writes a name again writes the same bytes: a zombie worker cannot
replace what its successor stored.
"""

from __future__ import annotations

import re

from safelight.domain.errors import Remedy, StorageFailed
from safelight.domain.ids import is_id

EXTENSIONS = {
    "image/png": "png",
    "image/webp": "webp",
    "image/jpeg": "jpg",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/quicktime": "mov",
}

ROOT = "assets"
"""Below which prefix all files of all jobs are stored."""

_MIMES = {extension: mime for mime, extension in EXTENSIONS.items()}
UPLOADS = "uploads"
"""Below which prefix the pictures are stored that users bring."""

_THUMBNAIL = "-thumb.webp"
_NAME = re.compile(r"[^/]+-\d+-[0-9a-f]{8}(?:-thumb)?\.\w+")
_UPLOAD = re.compile(rf"{UPLOADS}/[0-9a-f-]{{36}}-[0-9a-f]{{8}}\.\w+")
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def asset_key(*, job_id: str, call_id: str, n: int, sha256: str, mime: str) -> str:
    """Where output `n` of a call is stored."""
    return checked_key(f"{ROOT}/{job_id}/{call_id}-{n}-{sha256[:8]}.{EXTENSIONS[mime]}")


def upload_key(upload_id: str, sha256: str, mime: str) -> str:
    """Where a picture that a user brought is stored."""
    return checked_key(f"{UPLOADS}/{upload_id}-{sha256[:8]}.{EXTENSIONS[mime]}")


def incoming_key(upload_id: str) -> str:
    """Where the bytes of an upload come in that goes straight to the store. Whoever has its address may write there."""
    return checked_key(f"{UPLOADS}/{upload_id}-00000000.part")


def is_upload_key(key: str) -> bool:
    """Whether `upload_key` or `incoming_key` may have given it."""
    return _UPLOAD.fullmatch(key) is not None


def output_number(key: str, call_id: str) -> int | None:
    """Which output of the call is stored under the key; None if it is another call's, or a thumbnail."""
    name = key.rpartition("/")[2]
    if not name.startswith(f"{call_id}-") or name.endswith(_THUMBNAIL):
        return None
    n = name.removeprefix(f"{call_id}-").partition("-")[0]
    return int(n) if n.isdigit() else None


def thumbnail_key(key: str) -> str:
    """Where the WebP thumbnail of an asset is stored: beside it."""
    return f"{key.rpartition('.')[0]}{_THUMBNAIL}"


def possible_originals(key: str) -> list[str]:
    """Of which assets this may be the thumbnail; nothing if it is none."""
    stem = key.removesuffix(_THUMBNAIL)
    return [] if stem == key else [f"{stem}.{extension}" for extension in sorted(set(EXTENSIONS.values()))]


def mime_of(key: str) -> str:
    """What a file of that name is."""
    return _MIMES.get(key.rpartition(".")[2], "application/octet-stream")


def name_of(key: str) -> str:
    """What a file is called where somebody saves it."""
    job_id, _, name = key.removeprefix(f"{ROOT}/").partition("/")
    return f"safelight-{job_id[:8]}-{'-'.join(name.split('-')[-2:])}" if name else job_id


def job_folder(job_id: str) -> str:
    """Below which prefix all files of a job are stored."""
    return checked_key(f"{ROOT}/{job_id}")


def job_of(key: str) -> str | None:
    """The id of the job under whose name a file is stored; None if that is no name of ours."""
    root, _, rest = key.partition("/")
    job_id, _, name = rest.partition("/")
    return job_id if root == ROOT and is_id(job_id) and _NAME.fullmatch(name) else None


def may_hold(key: str, sha256: str) -> bool:
    """Whether bytes of that hash are what the name promises. A thumbnail carries the hash of its asset, not its own."""
    return sha256[:8] in key or key.endswith(_THUMBNAIL)


def checked_key(key: str) -> str:
    """The key itself if it cannot lead out of the store: no `..`, no leading slash, no odd characters."""
    if len(key) > 512 or _KEY.fullmatch(key) is None:
        raise StorageFailed(
            f"{key[:100]!r} cannot be the name of an asset.",
            remedy=Remedy("Names are letters, digits, `.`, `_` and `-`, in segments that do not begin with a dot."),
            evidence={"key": key[:512]},
        )
    return key
