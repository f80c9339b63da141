"""Every error Safelight can raise on purpose: what happened, one thing to do, the evidence.

They know nothing of HTTP; `api/errors.py` maps each class to a status and a test asserts that none is unmapped.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do about an error or a finding, and the command that does it, if one exists."""

    text: str
    command: str | None = None

    def __str__(self) -> str:
        return f"{self.text} ({self.command})" if self.command else self.text


class SafelightError(Exception):
    """Root of all errors raised on purpose. `code` is part of the public contract."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, what: str, *, remedy: Remedy, evidence: Mapping[str, Any] | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.evidence: dict[str, Any] = dict(evidence or {})

    def __str__(self) -> str:
        return self.what


class CallerError(SafelightError):
    """The request cannot be carried out as it is; the caller can change it."""


class OperatorError(SafelightError):
    """The installation cannot do what was asked; whoever runs it can change that."""


class InvalidRequest(CallerError):
    """The request itself cannot be read: not JSON, wrong shape, unknown fields."""

    code, title = "invalid_request", "The request cannot be read"

    def __init__(
        self, what: str, *, remedy: Remedy | None = None, errors: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(what, remedy=remedy or Remedy("Correct the request; /docs shows every field."))
        self.errors: dict[str, list[str]] = {path: list(texts) for path, texts in (errors or {}).items()}


class InvalidParams(CallerError):
    """A field or a model parameter has a value that is not allowed. `errors` maps each path to what is wrong."""

    code, title = "invalid_params", "A value is not allowed"

    def __init__(self, what: str, *, errors: Mapping[str, Sequence[str]], remedy: Remedy | None = None) -> None:
        super().__init__(what, remedy=remedy or Remedy("Correct the fields that are named."))
        self.errors: dict[str, list[str]] = {path: list(texts) for path, texts in errors.items()}


class ContentRejected(CallerError):
    """This installation does not take the prompt. `errors` gives the reason of each, by its path."""

    code, title = "content_rejected", "The prompt is not allowed here"

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        path, texts = next(iter(errors.items()))
        more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{path}: {texts[0]}{more}", remedy=Remedy("Change the prompt."))
        self.errors: dict[str, list[str]] = {path: list(texts) for path, texts in errors.items()}


class UnknownModel(CallerError):
    """No model of that name exists for the kind."""

    code, title = "unknown_model", "No such model"

    def __init__(self, *, model: str, kind: str, supported: Sequence[str], did_you_mean: str | None) -> None:
        nearest = f"Use {did_you_mean!r}." if did_you_mean else "Use one of the supported models."
        super().__init__(
            f"There is no model {model!r} for kind {kind!r}.",
            remedy=Remedy(nearest, "safelight models"),
            evidence={"model": model, "kind": kind, "supported": list(supported), "did_you_mean": did_you_mean},
        )


class ModelRetired(CallerError):
    """The provider has shut the model down."""

    code, title = "model_retired", "The model is retired"

    def __init__(self, *, model: str, shutdown_date: str, successor: str | None) -> None:
        super().__init__(
            f"Model {model!r} was shut down by its provider on {shutdown_date}.",
            remedy=Remedy(f"Use {successor!r}." if successor else "Choose another model.", "safelight models"),
            evidence={"model": model, "shutdown_date": shutdown_date, "successor": successor},
        )


class ModelUnavailable(CallerError):
    """The model exists, but no process of this installation can run it; without `model`, none of its kind can be."""

    code, title = "model_unavailable", "The model cannot be run here"

    def __init__(self, *, model: str | None = None, kind: str | None = None, reason: str) -> None:
        subject = f"Model {model!r} cannot" if model else f"No model of kind {kind!r} can"
        super().__init__(
            f"{subject} be run here: {reason}.",
            remedy=Remedy("Choose another model, or ask the operator to set it up.", "safelight models"),
            evidence={"model": model, "kind": kind, "reason": reason},
        )


class InsufficientCredits(CallerError):
    """The account cannot cover the job's price."""

    code, title = "insufficient_credits", "Not enough credits"

    def __init__(self, *, account: str, price: int, available: int) -> None:
        super().__init__(
            f"The job costs {price} credits; account {account!r} has {available}.",
            remedy=Remedy(
                "Pick a cheaper model or fewer outputs, or have the operator grant what is missing.",
                f"safelight credits grant {shlex.quote(account)} {price - available}",
            ),
            evidence={"account": account, "price": price, "available": available, "missing": price - available},
        )


class IdempotencyMismatch(CallerError):
    """The idempotency key was used before, for another request."""

    code, title = "idempotency_mismatch", "The idempotency key belongs to another request"

    def __init__(self, *, key: str, job_id: str) -> None:
        super().__init__(
            f"Idempotency key {key!r} was used before for a different request (job {job_id}).",
            remedy=Remedy("Use a new key for a new request; repeat a request with exactly the same body."),
            evidence={"key": key, "job_id": job_id},
        )


class ReferenceMismatch(IdempotencyMismatch):
    """The reference of a ledger entry was used before, for another one. The same code: a key is such a reference."""

    def __init__(self, *, reference: str, kind: str, amount: int) -> None:
        CallerError.__init__(
            self,
            f"Reference {reference!r} was used before, for another entry: {kind} of {amount} credits.",
            remedy=Remedy("Use a new reference for a new entry; repeat one with exactly the same values."),
            evidence={"reference": reference, "kind": kind, "amount": amount},
        )


class NotFound(CallerError):
    """It does not exist, or belongs to someone else: the two are not told apart on purpose."""

    code, title = "not_found", "Not found"

    def __init__(self, what: str, *, remedy: Remedy | None = None) -> None:
        super().__init__(what, remedy=remedy or Remedy("Check the id; GET /api/jobs lists your jobs."))


class Gone(CallerError):
    """It existed, and was removed."""

    code, title = "gone", "No longer here"


class Conflict(CallerError):
    """The job is in a state that does not allow this."""

    code, title = "conflict", "Not possible in this state"


class Unauthorized(CallerError):
    """The request carries no credential that is valid."""

    code, title = "unauthorized", "Not signed in"


class Forbidden(CallerError):
    """The credential is valid, but does not allow this."""

    code, title = "forbidden", "Not allowed"


class TooLarge(CallerError):
    """The body is larger than this call takes."""

    code, title = "too_large", "The request is too large"


class RateLimited(CallerError):
    """Too many requests in a short time."""

    code, title = "rate_limited", "Too many requests"


class Unavailable(OperatorError):
    """Safelight itself cannot do it at this moment; the same request may succeed later."""

    code, title = "unavailable", "Not possible at the moment"


class InMaintenance(Unavailable):
    """The operator takes no new jobs for a while; those that were accepted go on."""

    code, title = "maintenance", "No new jobs at the moment"


class InternalError(OperatorError):
    """Safelight has a defect: it failed in a way that nobody foresaw."""

    code, title = "internal", "Safelight failed"


class NotMigrated(OperatorError):
    """The database's schema is older or newer than this program."""

    code, title = "not_migrated", "The database schema does not fit"


class WorkerTooOld(OperatorError):
    """The installation's operator wants workers of a later release."""

    code, title = "worker_too_old", "This version may not run jobs any more"


class BadSettings(OperatorError):
    """The configuration cannot be used as it is."""

    code, title = "bad_settings", "The settings cannot be used"


class BadCatalog(OperatorError):
    """The model catalog cannot be used as it is."""

    code, title = "bad_catalog", "The model catalog cannot be used"


class StorageFailed(OperatorError):
    """An asset could not be written to or read from storage."""

    code, title = "storage_failed", "Storage failed"


class BadBackup(OperatorError):
    """A backup cannot be used: it is damaged, cut short, or of another kind of database."""

    code, title = "bad_backup", "The backup cannot be used"
