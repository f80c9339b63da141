"""Faults of paid providers: keys, money, limits, outages, models that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from safelight.testing.mishaps import Mishap
from tests.faults.fault import Injected, fault
from tests.faults.system import KEY, PAID_MODEL, System
from tests.support.server import Running


@fault("PROVIDER_UNAUTHORIZED", "the key was revoked before anybody noticed")
def revoked(patient: System) -> Injected:
    patient.paid()
    patient.working()
    patient.made.give({"REPLICATE_API_TOKEN": "r8_test_revoked"})
    return Injected(evidence={"key_valid": False}, by_hand=lambda: patient.made.give({"REPLICATE_API_TOKEN": KEY}))


@fault("PROVIDER_UNAUTHORIZED", "a call was refused, and jobs wait", ask="explain")
def refused(patient: System) -> Injected:
    provider = patient.paid()
    patient.made.give({"REPLICATE_API_TOKEN": "r8_test_revoked"})
    server, worker = patient.working()
    first = patient.submit_paid("one")
    patient.until_status(first, "failed", "pending")
    patient.until(lambda: patient.rows("SELECT 1 FROM gates WHERE tripped_at IS NOT NULL"), "the gate is shut")
    job = patient.submit_paid("two")
    assert not provider.billed

    def right_key() -> None:
        patient.made.give({"REPLICATE_API_TOKEN": KEY})
        worker.drain()
        server.drain()
        patient.working()

    return Injected(job, by_hand=right_key)


@fault("PROVIDER_OUT_OF_CREDIT", "the account is used up, and jobs wait")
def out_of_credit(patient: System) -> Injected:
    provider = patient.paid()
    patient.working()
    provider.misbehave(Mishap.NO_MONEY, times=1)
    first = patient.submit_paid("one")
    patient.until(lambda: patient.rows("SELECT 1 FROM gates WHERE tripped_at IS NOT NULL"), "the gate is shut")
    job = patient.submit_paid("two")
    assert first
    return Injected(job)


@fault("PROVIDER_UNREACHABLE", "its address leads nowhere")
def nowhere(patient: System) -> Injected:
    provider = patient.paid()
    right = provider.url
    patient.made.give({"SAFELIGHT_REPLICATE_BASE_URL": "http://127.0.0.1:9"})
    patient.working()
    return Injected(by_hand=lambda: patient.made.give({"SAFELIGHT_REPLICATE_BASE_URL": right}))


@fault("PROVIDER_ERRORS", "it fails every call")
def errors(patient: System) -> Injected:
    provider = patient.paid()
    patient.working()
    provider.misbehave(Mishap.OVERLOADED, times=5)
    jobs = [patient.submit_paid(f"number {n}") for n in range(5)]
    patient.until(lambda: patient.rows("SELECT 1 FROM gates WHERE tripped_at IS NOT NULL"), "the gate is shut")
    return Injected(jobs[0])


@fault("PROVIDER_NOT_CONFIGURED", "the key is set for the server alone")
def not_configured(patient: System) -> Injected:
    patient.paid()
    patient.serve()
    worker = patient.worker(replicate_api_token="")
    patient.made.give({"REPLICATE_API_TOKEN": ""})
    without = patient.worker()
    worker.drain()
    patient.made.give({"REPLICATE_API_TOKEN": KEY})
    job = patient.submit_paid()

    def give_the_key() -> None:
        without.drain()
        patient.worker()

    return Injected(job, {"jobs": 1, "wanted": ["replicate"]}, give_the_key)


@fault("PROVIDER_COOLDOWN", "it asks for a pause of some seconds", ask="explain")
def cooldown(patient: System) -> Injected:
    provider = patient.paid()
    patient.working()
    provider.misbehave(Mishap.BUSY)
    patient.submit_paid("one")
    patient.until(lambda: patient.rows("SELECT 1 FROM gates WHERE cooldown_until IS NOT NULL"), "it cools down")
    return Injected(patient.submit_paid("two"))


@fault("PROVIDER_LIMIT", "one at a time, and one runs", ask="explain")
def limit(patient: System) -> Injected:
    patient.paid()
    catalog = patient.folder / "catalog.toml"
    catalog.write_text("[providers.replicate]\nconcurrency = 1\n")
    patient.made.set(catalog=catalog)
    patient.working()
    first = patient.submit_paid("one seconds=6")
    patient.until(lambda: patient.rows("SELECT 1 FROM calls WHERE state = 'accepted'"), "it runs there")
    job = patient.submit_paid("two")
    patient.until(lambda: patient.rows("SELECT 1 FROM jobs WHERE waiting_for IS NOT NULL"), "it waits")
    assert first
    return Injected(job, {"limit": 1})


@fault("SPEND_CEILING", "the daily ceiling is reached", daily_spend_usd=0.041)
def ceiling(patient: System) -> Injected:
    patient.paid()
    server, worker = patient.working()
    patient.until_status(patient.submit_paid("one"), "completed")
    job = patient.submit_paid("two")
    patient.until(lambda: patient.rows("SELECT 1 FROM jobs WHERE waiting_for IS NOT NULL"), "it waits")
    return _raised(patient, server, worker, job)


@fault("SPEND_CEILING", "cheaper ones would still fit", ask="explain", daily_spend_usd=0.05)
def too_dear_today(patient: System) -> Injected:
    patient.paid()
    server, worker = patient.working()
    patient.until_status(patient.submit_paid("one"), "completed")
    job = patient.submit_paid("two")
    patient.until(lambda: patient.rows("SELECT 1 FROM events WHERE type = 'job.requeued'"), "it is put back")
    return _raised(patient, server, worker, job)


def _raised(patient: System, server: Running, worker: Running, job: str) -> Injected:
    def raise_it() -> None:
        patient.made.set(daily_spend_usd=5)
        worker.drain()
        server.drain()
        patient.working()

    return Injected(job, by_hand=raise_it, within_s=80)  # it is tried every minute


@fault("MODEL_RETIRES", "its provider shuts it down next week")
def retires(patient: System) -> Injected:
    patient.paid()
    patient.working()
    patient.change(f"INSERT INTO durations (model, jobs, p50_s, p95_s) VALUES ('{PAID_MODEL}', 9, 1, 2)")  # noqa: S608
    on = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    catalog = patient.folder / "catalog.toml"
    catalog.write_text(
        f'[[models]]\nid = "{PAID_MODEL}"\n'
        f'routes = [{{ provider = "replicate", model = "{PAID_MODEL}", cost_usd = 0.04, shutdown_date = {on} }}]\n'
    )
    patient.made.set(catalog=catalog)
    return Injected(evidence={"days": lambda n: n in (6, 7)}, by_hand=catalog.unlink)


@fault("CONTENT_REJECTED", "its provider does not allow it", ask="explain", goes=False)
def rejected(patient: System) -> Injected:
    return _ends(patient, "mishap=content_rejected")


@fault("INVALID_PARAMS", "its provider cannot take it", ask="explain", goes=False)
def invalid(patient: System) -> Injected:
    return _ends(patient, "mishap=invalid")


@fault("OUT_OF_MEMORY", "it was too large for its provider's machine", ask="explain", goes=False)
def own_words(patient: System) -> Injected:
    return _ends(patient, "mishap=fails times=9")


def _ends(patient: System, wish: str) -> Injected:
    patient.paid()
    patient.working()
    job = patient.submit_paid(f"one {wish}")
    patient.until_status(job, "failed")
    return Injected(job, {"provider": "replicate"}, ends=())
