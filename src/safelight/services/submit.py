"""Submit: one transaction that holds the price, inserts the job and says so. After its commit nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from safelight.domain.errors import IdempotencyMismatch, InsufficientCredits, InvalidParams, RateLimited
from safelight.ledger.entries import hold
from safelight.services import keys, new_jobs, rates, repeats, shares
from safelight.services.credits import Books, open_accounts
from safelight.services.submission import Answer, Replayed, Submission, Submitted
from safelight.services.uploads import lock_uploads, upload_is_gone
from safelight.store.calls import batch
from safelight.store.tx import Tx

_REFUSALS = (InsufficientCredits, InvalidParams, RateLimited)


@batch
def submit(tx: Tx, submissions: Sequence[Submission]) -> list[Answer]:
    """Make each job durable with its credits held, or answer why not, in input order.

    Running it twice with the same public ids (a commit whose outcome was lost) gives the same jobs.
    """
    answers: dict[str, Answer] = {name: Submitted(name) for name in new_jobs.existing(tx, submissions)}
    answers |= keys.take(tx, [s for s in submissions if s.id not in answers])
    answers |= _refused_for_inputs(tx, [s for s in submissions if s.id not in answers])
    fresh = [s for s in submissions if s.id not in answers]
    accounts = open_accounts(tx, (s.user_id for s in fresh))
    vstarts = shares.take(tx, fresh)
    books = Books.of_accounts(tx, accounts.values())
    fresh = _without_repeats(tx, fresh, answers)
    affordable = _hold_in_memory(books, accounts, fresh, answers)
    answers |= rates.take(tx, affordable)
    affordable = [s for s in affordable if s.id not in answers]
    numbers = new_jobs.insert(tx, affordable, accounts, vstarts)
    for s in affordable:
        books.post(accounts[s.user_id], hold(s.price, job=numbers[s.id]))
        answers[s.id] = Submitted(s.id)
    books.close()
    _forget(tx, [s for s in fresh if isinstance(answers[s.id], InsufficientCredits | RateLimited)])
    new_jobs.announce(tx, affordable, numbers)
    _answer_again(tx, submissions, answers)
    return [answers[s.id] for s in submissions]


def _without_repeats(tx: Tx, submissions: list[Submission], answers: dict[str, Answer]) -> list[Submission]:
    """Those that are really new; the others are answered here, and take no turn. Their accounts are locked."""
    joined = repeats.join(tx, submissions)
    if not joined:
        return submissions
    answers.update(joined)
    shares.give_back(tx, [s for s in submissions if s.id in joined])
    return [s for s in submissions if s.id not in joined]


def _hold_in_memory(
    books: Books, accounts: Mapping[str, int], submissions: Sequence[Submission], answers: dict[str, Answer]
) -> list[Submission]:
    """Those that their account covers, first come first served; the others are answered here."""
    spoken_for: dict[int, int] = {}
    affordable = []
    for s in submissions:
        account = accounts[s.user_id]
        taken = spoken_for.get(account, 0)
        if books.covers(account, taken + s.price):
            spoken_for[account] = taken + s.price
            affordable.append(s)
        else:
            available = books.balance(account).available - taken
            answers[s.id] = InsufficientCredits(account=s.user_id, price=s.price, available=available)
    return affordable


def _refused_for_inputs(tx: Tx, submissions: Sequence[Submission]) -> dict[str, Answer]:
    """Those that name an upload which went meanwhile. The others' stay locked until they are named by their job."""
    there = lock_uploads(tx, [upload for s in submissions for upload in s.uploads])
    refused = [s for s in submissions if not there.issuperset(s.uploads)]
    keys.give_back(tx, refused)
    return {s.id: upload_is_gone() for s in refused}


def _forget(tx: Tx, refused: Sequence[Submission]) -> None:
    """A refusal must leave no trace: the same request may be affordable later, and its user took no turn."""
    keys.give_back(tx, refused)
    shares.give_back(tx, refused)


def _answer_again(tx: Tx, submissions: Sequence[Submission], answers: dict[str, Answer]) -> None:
    """Those who came second to a key whose holder was then refused: their answer named a job that does not exist.

    Each round decides at least one of them, so this ends.
    """
    refused = {name for name, answer in answers.items() if isinstance(answer, _REFUSALS)}
    misled = [s for s in submissions if _names(answers[s.id]) in refused]
    if misled:
        answers.update(zip((s.id for s in misled), submit(tx, misled), strict=True))


def _names(answer: Answer) -> str | None:
    """The job that an answer to a second request names."""
    match answer:
        case Replayed(job_id):
            return job_id
        case IdempotencyMismatch():
            return str(answer.evidence["job_id"])
        case _:
            return None
