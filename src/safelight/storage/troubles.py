"""What went wrong with a store, and what to do about it: obstore's errors in the words of this house."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from obstore.exceptions import NotFoundError, NotSupportedError, PermissionDeniedError, UnauthenticatedError

from safelight.domain.errors import Remedy, StorageFailed
from safelight.storage.local_disk import free_bytes
from safelight.telemetry.redact import redact

LITTLE_BYTES = 64 * 1024 * 1024
_CODE = re.compile(r"<Code>(\w+)</Code>(?:\s*<Message>([^<]{0,200}))?")
_STATUS = re.compile(r"status code: (\d{3})")
_DENIED_CODES = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})


class Trouble(StrEnum):
    """What kind of trouble, in a StorageFailed's evidence under `trouble`."""

    DENIED = "denied"
    """The store answers, and does not let us in: nothing gets better by waiting."""
    NO_BUCKET = "no_bucket"
    FAILED = "failed"
    """Anything else; of an object store mostly that it cannot be reached."""


def storage_failed(url: str, root: Path | None, verb: str, key: str | None, error: Exception) -> StorageFailed:
    """The error to raise for what obstore or the system raised while doing `verb`."""
    trouble = Trouble.FAILED if root else _trouble(error)
    reason, free = _reason(error), free_bytes(root)
    place = f"{key!r} in {url}" if key else url
    return StorageFailed(
        f"Cannot {verb} {place}: {reason}",
        remedy=_remedy(root, free, url, trouble),
        evidence={"store": url, "key": key, "reason": reason, "free_disk_bytes": free, "trouble": trouble.value},
    )


def knows_no_create(error: Exception) -> bool:
    """Whether the store cannot write create-only, or was told not to. The hash in each name makes it harmless."""
    if isinstance(error, RuntimeError | NotSupportedError):  # a kind of the former is what obstore raises
        return True
    code = _CODE.search(str(error))
    return code is not None and code[1] == "NotImplemented"


def _trouble(error: Exception) -> Trouble:
    code = _CODE.search(str(error))
    if isinstance(error, PermissionDeniedError | UnauthenticatedError) or (code and code[1] in _DENIED_CODES):
        return Trouble.DENIED
    if code and code[1] == "NoSuchBucket":
        return Trouble.NO_BUCKET
    if isinstance(error, NotFoundError | FileNotFoundError):  # only of writing and listing: what else can be missing?
        return Trouble.NO_BUCKET
    status = _STATUS.search(str(error))
    return Trouble.DENIED if status and status[1] in ("401", "403") else Trouble.FAILED


def _reason(error: Exception) -> str:
    """In one line. An answer in XML says it best itself."""
    text = str(error)
    if code := _CODE.search(text):
        return redact(f"{code[1]}: {code[2]}" if code[2] else code[1])
    if status := _STATUS.search(text):
        return f"the store answered with status {status[1]}"
    if "error sending request" in text:
        return "the store cannot be reached, or does not answer"
    return redact(text.split("\n", 1)[0])


def _remedy(root: Path | None, free: int | None, url: str, trouble: Trouble) -> Remedy:
    if root is not None:
        if free is not None and free < LITTLE_BYTES:
            return Remedy("Free some disk space.", f"df -h {root}")
        return Remedy("Check that the folder exists and belongs to the user Safelight runs as.", f"ls -ld {root}")
    scheme = url.partition(":")[0]
    match trouble:
        case Trouble.DENIED:
            return Remedy(f"Check {_CREDENTIALS.get(scheme, 'the credentials')}: reading, writing, listing, deleting.")
        case Trouble.NO_BUCKET:
            return Remedy("Make the bucket, or name another by SAFELIGHT_STORAGE_URL.", "safelight settings")
        case Trouble.FAILED:
            where = _PLACES.get(scheme, "")
            return Remedy(f"Check that the store answers{where}, and SAFELIGHT_STORAGE_URL.", "safelight settings")


_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what that key may do in the bucket",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, and what that account may do in the bucket",
    "az": "AZURE_STORAGE_ACCOUNT_KEY, and what it may do in the container",
}
_PLACES = {"s3": " at AWS_ENDPOINT_URL (or AWS_REGION is right)"}
