"""Every rule finds what it is for, names it by its code, and says what mends it; on systems that are well none does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from safelight.diagnosis.doctor import judged
from safelight.diagnosis.facts import (
    ErrorCount,
    Facts,
    Group,
    ModelEnd,
    ModelWait,
    ProviderFacts,
    Receiver,
    SlowModel,
    SocketFacts,
    Spending,
    StorageFacts,
    Trouble,
)
from safelight.diagnosis.finding import Affected, Finding, Remedy, Severity, status_of
from safelight.diagnosis.rules import RULES, findings
from safelight.domain.clock import as_rfc3339
from safelight.domain.gates import Cause, Shut
from safelight.domain.outcomes import ErrorClass
from safelight.providers.protocol import ProbeResult
from safelight.services.departures import Departure
from safelight.settings import Problem
from tests.support.commands import assert_exists
from tests.support.facts import (
    GB,
    NOW,
    gone,
    healthy,
    provider,
    queue,
    standing,
    tripped,
    with_database,
    with_rows,
    with_settings,
    worker,
)

TROUBLE = Trouble("It does not answer.", Remedy("Start it."))
SOME = Group(3)
WAITING = queue(ready=3, waiting_since=NOW - 300, credits_held=30)
BUSY = {"ready": 400, "waiting_since": NOW - 900.0, "running": 4}


def with_provider(*given: object, **more: object) -> Facts:
    return replace(healthy(), providers=(provider(*given, **more),))  # type: ignore[arg-type]


def with_storage(**changes: object) -> Facts:
    return replace(healthy(), storage=replace(StorageFacts("file:///x", free_bytes=50 * GB), **changes))  # type: ignore[arg-type]


def at_limit(cause: Cause) -> Facts:
    return with_provider(standing(shut=Shut("fake", cause, NOW + 60, "reasons")), waiting=2)


BROKEN: Mapping[str, Facts] = {
    "UNKNOWN_SETTING": with_settings(problems=(Problem("unknown", "SAFELIGHT_PRT is not a setting; did you mean X?"),)),
    "CONTRADICTORY_SETTINGS": with_settings(problems=(Problem("contradiction", "A and B are both set; keep one."),)),
    "INVALID_SETTING": with_settings(problems=(Problem("invalid", "SAFELIGHT_PORT is 'x'; it takes a number."),)),
    "BAD_CATALOG": with_settings(catalog_trouble=TROUBLE),
    "DEFAULT_SECRET": with_settings(weak_secrets=("SAFELIGHT_SECRET",), host="0.0.0.0"),  # noqa: S104
    "LOOPBACK_CALLBACK_URL": with_settings(public_url="http://localhost:8000", host="0.0.0.0"),  # noqa: S104
    "NEVER_STARTED": with_database(exists=False),
    "DATABASE_UNREACHABLE": with_database(trouble=TROUBLE),
    "NOT_MIGRATED": with_database(schema="0003"),
    "DATABASE_BUSY": with_database(writer_pid=7, writer_since_s=40.0),
    "CLOCK_SKEW": with_database(clock_ahead_s=-90.0),
    "DISK_LOW": with_storage(free_bytes=GB // 8),
    "STORAGE_DENIED": with_storage(trouble=TROUBLE._replace(kind="denied")),
    "STORAGE_FULL": with_storage(trouble=TROUBLE._replace(kind="full")),
    "STORAGE_UNREACHABLE": with_storage(trouble=TROUBLE),
    "NO_WORKER_FOR_QUEUE": with_rows(queues=(WAITING,), workers=(), live_jobs=SOME),
    "WORKER_MISSING": replace(healthy(), configuration=with_settings(expected_workers={"image": 2}).configuration),
    "WORKER_TOO_OLD": with_rows(required_version="2.0"),
    "SWEEPER_DEAD": with_rows(workers=(worker(swept_at=NOW - 900),), live_jobs=SOME),
    "WORKER_RESTARTS": with_rows(workers=(worker(), *(gone(f"g{n}") for n in range(3)))),
    "MEMORY_HIGH": with_rows(workers=(worker(rss_bytes=7 * GB),)),
    "LOOP_LAG": with_rows(workers=(worker(loop_lag_ms=4_000.0),)),
    "QUEUE_PAUSED": with_rows(queues=(queue(paused_at=NOW - 60, ready=3),)),
    "PROVIDER_NOT_CONFIGURED": with_rows(
        queues=(WAITING,), workers=(worker(providers=["other"]),), waits=(ModelWait("image", "m", None, 3, 30),)
    ),
    "JOBS_PAST_DEADLINE": with_rows(past_deadline=Group(2, 20, 90.0)),
    "BACKLOG": with_rows(queues=(queue(**BUSY),)),
    "ERROR_RATE": with_rows(
        ended=(ErrorCount("failed", "timeout", "fake", 5, 50), ErrorCount("completed", None, None, 20, 200))
    ),
    "SLOW": with_rows(slow=(SlowModel("m", 1, 100.0, 10.0),)),
    "PROVIDER_UNAUTHORIZED": with_provider(tripped(ErrorClass.UNAUTHORIZED)),
    "PROVIDER_OUT_OF_CREDIT": with_provider(tripped(ErrorClass.OUT_OF_CREDIT)),
    "PROVIDER_UNREACHABLE": with_provider(probe=ProbeResult(reachable=False, message="refused")),
    "PROVIDER_ERRORS": with_provider(tripped(ErrorClass.UNAVAILABLE)),
    "PROVIDER_COOLDOWN": at_limit(Cause.COOLDOWN),
    "PROVIDER_LIMIT": at_limit(Cause.CONCURRENCY),
    "SPEND_CEILING": at_limit(Cause.SPEND_CEILING),
    "MODEL_RETIRES": replace(healthy(), models_ending=(ModelEnd("m", "fake", "2027-02-01", 12, "n", True),)),
    "SOCKET_URL_MISMATCH": replace(
        healthy(), socket=SocketFacts("ws://localhost:9/api/ws", True, "refused", "http://127.0.0.1:8000")
    ),
    "LIVE_UPDATES_BROKEN": replace(healthy(), socket=SocketFacts("ws://a.example/api/ws", True, "refused", None)),
    "WEBHOOKS_FAILING": with_rows(receivers=(Receiver("a.example", 2, 1, 0, "HTTP status 410"),)),
    "LEDGER_MISMATCH": with_rows(held_by_accounts=30, held_by_jobs=20),
    "CREDIT_SPIKE": with_rows(spending=Spending(900, 100.0, 168, "ann", 800)),
}
"""Of each code: facts in which this one thing is wrong."""

LEFT = Departure("image", "worker", "atelier", 4711, "1.9", NOW - 300, "stopped")


def test_of_a_worker_that_was_stopped_it_says_when_and_where() -> None:
    facts = with_rows(queues=(WAITING,), workers=(gone(beat_at=NOW - 900),), departed={"image": LEFT})
    first = judged(facts)[0]
    assert first.cause == "The last one known: worker 4711 on atelier was stopped 5 min ago."
    assert first.evidence["last_seen"] == as_rfc3339(NOW - 300)


def test_a_worker_that_was_turned_away_as_too_old_is_the_cause_and_the_unserved_queue_follows() -> None:
    left = LEFT._replace(reason="too_old")
    facts = with_rows(queues=(WAITING,), workers=(), departed={"image": left}, required_version="2.0")
    first, second = judged(facts)[:2]
    assert (first.code, second.code, second.because_of) == ("WORKER_TOO_OLD", "NO_WORKER_FOR_QUEUE", "WORKER_TOO_OLD")


UNUSUAL: Mapping[str, Facts] = {
    "idle": healthy(),
    "never started": replace(with_database(exists=False), storage=StorageFacts("file:///x", exists=False)),
    "just started": with_rows(workers=(worker(started_at=NOW - 1, swept_at=None, sweeps_n=0),), live_jobs=SOME),
    "everything stopped in good order": with_rows(workers=()),
    "draining, and nothing waits": with_rows(workers=(worker(draining=True),)),
    "draining before a restart": with_rows(queues=(WAITING,), workers=(worker(draining=True),), live_jobs=SOME),
    "a burst that is worked off": with_rows(queues=(queue(**BUSY, per_minute=90.0),)),
    "a burst of short jobs after a pause": with_rows(queues=(queue(**BUSY, per_minute=2.0, usual_s=1.5),)),
    "many jobs that came just now": with_rows(queues=(queue(ready=900, waiting_since=NOW - 20),)),
    "paused on purpose, without a worker": with_rows(
        queues=(queue(paused_at=NOW - 60, ready=3),), workers=(), live_jobs=Group()
    ),
    "one of two workers restarted once": with_rows(workers=(gone(), worker("w2"))),
    "a clock that is two seconds off": with_database(clock_ahead_s=2.0),
    "prompts that were refused": with_rows(ended=(ErrorCount("failed", "content_rejected", "fake", 30, 0),)),
    "a busy hour": with_rows(spending=Spending(290, 100.0, 168, "ann", 100)),
    "the first customers of a small installation": with_rows(spending=Spending(90, 0.5, 168, "ann", 90)),
    "a few failures of many": with_rows(
        ended=(ErrorCount("failed", "timeout", "fake", 3, 0), ErrorCount("completed", None, None, 500, 0))
    ),
    "jobs scheduled for tomorrow": with_rows(queues=(queue(delayed=500),), live_jobs=Group(500)),
    "a provider that asked for a pause": at_limit(Cause.COOLDOWN),
    "a provider at the operator's limit": at_limit(Cause.CONCURRENCY),
    "a provider nobody set up": replace(
        healthy(), providers=(provider(), ProviderFacts("openai", missing="no OPENAI_API_KEY"))
    ),
    "a webhook that is tried again": with_rows(receivers=(Receiver("a.example", 0, 1, 9, "HTTP status 503"),)),
    "a model that ends, and that nobody uses": replace(
        healthy(), models_ending=(ModelEnd("m", "fake", "2027-02-01", 12, "n", False),)
    ),
    "a secret for this machine only": with_settings(weak_secrets=("SAFELIGHT_SECRET",)),
    "a public URL for this machine only": with_settings(public_url="http://localhost:8000"),
    "a short write": with_database(writer_pid=7, writer_since_s=0.2),
}
CODES = sorted({code for rule in RULES for code in rule.codes})


@pytest.mark.parametrize("code", CODES)
def test_what_is_wrong_is_found_first_and_by_its_code(code: str) -> None:
    found = judged(BROKEN[code])
    assert found[0].code == code
    assert found[0].because_of is None
    assert found[0].cause
    assert found[0].remedy.text


@pytest.mark.parametrize("code", CODES)
def test_nothing_else_is_found_but_what_follows_from_it(code: str) -> None:
    others = [finding for finding in judged(BROKEN[code])[1:] if finding.severity is not Severity.INFO]
    assert [finding.because_of for finding in others] == [code] * len(others)


@pytest.mark.parametrize("unusual", UNUSUAL)
def test_an_unusual_system_that_is_well_gets_no_finding_above_info(unusual: str) -> None:
    found = judged(UNUSUAL[unusual])
    assert [finding.code for finding in found if finding.severity is not Severity.INFO] == []
    assert status_of(found) == "healthy"


def test_each_rule_gives_only_the_codes_it_names_and_says_what_it_is_for() -> None:
    for rule in RULES:
        assert rule.about.endswith(".")
        given = {finding.code for facts in (*BROKEN.values(), *UNUSUAL.values()) for finding in rule.look(facts)}
        assert given <= set(rule.codes)
    named = [code for rule in RULES for code in rule.codes]
    assert len(named) == len(set(named))


def _all_found() -> Iterator[Finding]:
    for facts in (*BROKEN.values(), *UNUSUAL.values()):
        yield from findings(facts)


def test_every_command_that_a_remedy_names_exists() -> None:
    commands = {finding.remedy.command for finding in _all_found() if finding.remedy.command}
    ours = [command for command in commands if command.startswith("safelight ")]
    assert len(ours) > 5
    for command in ours:
        assert_exists(command)


def test_a_finding_is_shown_in_the_one_shape() -> None:
    (finding,) = judged(BROKEN["NO_WORKER_FOR_QUEUE"])[:1]
    body = finding.body()
    assert list(body) == [
        "code", "severity", "subject", "symptom", "evidence", "cause", "remedy", "because_of", "affects",
    ]  # fmt: skip
    assert body["remedy"] == {"text": "Start a worker for it.", "command": "safelight worker --queue image"}
    assert body["affects"] == {"jobs": 3, "credits": 30}
    assert body["evidence"]["waiting"] == 3


def test_the_last_worker_of_a_queue_is_named_with_how_it_ended() -> None:
    (finding, *_) = judged(with_rows(queues=(WAITING,), workers=(gone(),), live_jobs=SOME))
    assert finding.cause == "The last one known: worker 4711 on here was lost, its last beat was 5 min ago."


def test_a_key_that_is_valid_again_behind_a_shut_gate_asks_for_a_try() -> None:
    facts = with_provider(tripped(ErrorClass.UNAUTHORIZED), probe=ProbeResult(True, key_valid=True))
    (finding,) = judged(facts)
    assert (finding.code, finding.severity) == ("PROVIDER_UNAUTHORIZED", Severity.WARNING)
    assert finding.remedy.command == "safelight providers open fake"


def test_a_folder_of_files_that_is_gone_is_no_trouble_before_anything_was_made_there() -> None:
    gone_folder = StorageFacts("file:///data/assets", exists=False)
    assert [f.code for f in judged(replace(healthy(), storage=gone_folder))] == ["STORAGE_DENIED"]
    unreadable = replace(with_database(trouble=TROUBLE), storage=gone_folder)
    assert [f.code for f in judged(unreadable)] == ["DATABASE_UNREACHABLE"]


def test_models_that_nobody_uses_and_that_end_are_one_note() -> None:
    ends = tuple(ModelEnd(name, "fake", "2027-02-01", 12, None, False) for name in ("a", "b"))
    (note,) = judged(replace(healthy(), models_ending=ends))
    assert (note.severity, note.evidence["models"]) == (Severity.INFO, ["a", "b"])


def test_jobs_that_wait_for_a_model_which_nobody_serves_any_more_are_counted_and_canceled() -> None:
    over = ModelEnd("m", "fake", "2026-11-25", -2, None, True)
    waits = (ModelWait("image", "m", None, 3, 30), ModelWait("image", "other", None, 1, 1))
    found = [
        each
        for each in judged(replace(with_rows(waits=waits), models_ending=(over,), routes={"m": (), "other": ("fake",)}))
        if each.code == "MODEL_RETIRES"
    ]
    assert [each.affects for each in found] == [Affected(3, 30)]
    assert found[0].severity is Severity.ERROR
    assert "--cancel" in str(found[0].remedy.command)
