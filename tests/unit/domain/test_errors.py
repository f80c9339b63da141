"""Every error made on purpose says what happened, and one thing to do about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from safelight.domain import errors
from safelight.domain.errors import CallerError, OperatorError, Remedy, SafelightError

REMEDY = Remedy("Do that.", "safelight that")
MADE: dict[type[SafelightError], SafelightError] = {
    errors.InvalidRequest: errors.InvalidRequest("It is no JSON."),
    errors.InvalidParams: errors.InvalidParams("width is wrong", errors={"params.width": ["too small"]}),
    errors.ContentRejected: errors.ContentRejected({"prompt": ["it holds 'x', which is not allowed here"]}),
    errors.UnknownModel: errors.UnknownModel(model="flx", kind="image", supported=["flux"], did_you_mean="flux"),
    errors.ModelRetired: errors.ModelRetired(model="old", shutdown_date="2025-01-01", successor="new"),
    errors.ModelUnavailable: errors.ModelUnavailable(model="flux", reason="it has no key"),
    errors.InsufficientCredits: errors.InsufficientCredits(account="ann", price=5, available=3),
    errors.IdempotencyMismatch: errors.IdempotencyMismatch(key="k", job_id="j"),
    errors.NotFound: errors.NotFound("There is no job 'j'."),
}


def concrete(root: type[SafelightError]) -> Iterator[type[SafelightError]]:
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from [child] if "code" in vars(child) else []
            yield from concrete(child)


ALL = sorted(set(concrete(SafelightError)), key=lambda error: error.__name__)


@pytest.mark.parametrize("kind", ALL)
def test_every_error_has_a_code_a_title_and_a_remedy(kind: type[SafelightError]) -> None:
    error = MADE[kind] if kind in MADE else kind("It happened.", remedy=REMEDY)
    assert kind.code == kind.code.lower().replace(" ", "_")
    assert kind.title
    assert kind.title[0].isupper()
    assert not kind.title.endswith(".")
    assert error.what == str(error) != ""
    assert error.remedy.text.endswith(".")
    assert isinstance(error.evidence, dict)


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_either_the_callers_or_the_operators_to_mend(kind: type[SafelightError]) -> None:
    assert issubclass(kind, CallerError) != issubclass(kind, OperatorError)


def test_no_two_errors_share_a_code() -> None:
    assert len({kind.code for kind in ALL}) == len(ALL)


def test_evidence_carries_the_numbers() -> None:
    error = errors.InsufficientCredits(account="ann", price=5, available=3)
    assert error.evidence == {"account": "ann", "price": 5, "available": 3, "missing": 2}
    assert "5 credits" in error.what


@pytest.mark.parametrize(
    ("account", "command"),
    [("ann", "safelight credits grant ann 2"), ("ann & co", "safelight credits grant 'ann & co' 2")],
)
def test_who_lacks_credits_is_told_the_command_that_grants_them(account: str, command: str) -> None:
    assert errors.InsufficientCredits(account=account, price=5, available=3).remedy.command == command


def test_a_reference_used_for_another_entry_has_the_code_of_an_idempotency_key_and_says_what_it_stands_for() -> None:
    error = errors.ReferenceMismatch(reference="invoice 7", kind="grant", amount=50)
    assert error.code == errors.IdempotencyMismatch.code
    assert "grant of 50 credits" in error.what
    assert error.evidence == {"reference": "invoice 7", "kind": "grant", "amount": 50}


def test_an_unknown_model_names_the_nearest_one() -> None:
    assert "'flux'" in str(MADE[errors.UnknownModel].remedy)
    far = errors.UnknownModel(model="zzz", kind="image", supported=["flux"], did_you_mean=None)
    assert "supported" in str(far.remedy)


def test_a_remedy_reads_as_a_sentence_with_its_command() -> None:
    assert str(REMEDY) == "Do that. (safelight that)"
    assert str(Remedy("Wait.")) == "Wait."
