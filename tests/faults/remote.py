"""Calls under way: what a provider does with what it has accepted, from its own queue to the files it hands over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from safelight.testing.mishaps import ESTIMATED_S, Mishap
from safelight.testing.serving import served
from safelight.testing.stand_in_huggingface import StandInHuggingFace
from tests.faults.fault import Injected, fault
from tests.faults.system import PAID_MODEL, System

COLD_MODEL = "black-forest-labs/FLUX.1-schnell"
HF_KEY = "hf_test_not_a_key_of_anybody"


@fault("PROVIDER_QUEUE", "it waits there for a machine to start", ask="explain")
def starting(patient: System) -> Injected:
    patient.paid()
    patient.working()
    job = patient.submit_paid("one mishap=loading seconds=10")
    _until_stage(patient, job, "provider_queue")
    return Injected(job, {"provider": "replicate", "remote_id": bool, "for_s": lambda s: 0 <= s < 20})


@fault("PROVIDER_COLD_START", "it refuses until the model is loaded", ask="explain")
def cold(patient: System) -> Injected:
    provider = patient.stack.enter_context(served(StandInHuggingFace(key=HF_KEY)))
    patient.made.give({"HF_TOKEN": HF_KEY, "SAFELIGHT_HUGGINGFACE_BASE_URL": provider.url})
    patient.working()
    provider.misbehave(Mishap.LOADING)
    job = patient.submit(model=COLD_MODEL)
    patient.until(lambda: patient.rows("SELECT 1 FROM events WHERE type = 'job.requeued'"), "it is put back")
    return Injected(job, {"code": "cold_start", "due_at": _in_so_many_s(ESTIMATED_S)})


@fault("UPLOADING", "its provider hands over the files slowly", ask="explain")
def fetching(patient: System) -> Injected:
    patient.paid()
    patient.working()
    job = patient.submit_paid("one fetch=8")
    _until_stage(patient, job, "downloading")
    return Injected(job, {"stage": "downloading", "for_s": lambda s: 0 <= s < 20})


@fault("PROVIDER_ERROR", "it says that it did it, and the files are gone", ask="explain", goes=False)
def gone(patient: System) -> Injected:
    patient.paid()
    patient.working()
    job = patient.submit_paid("one mishap=expired")
    patient.until_status(job, "failed")
    return Injected(job, {"provider": "replicate", "provider_code": "expired", "attempt": 1}, ends=())


@fault("PROVIDER_ERROR", "it answers with a status that nobody knows", ask="explain", goes=False)
def contemplating(patient: System) -> Injected:
    patient.paid()
    patient.working()
    job = patient.submit_paid("one mishap=new_status")
    patient.until_status(job, "failed")
    return Injected(job, {"provider": "replicate", "provider_code": "unknown_status"}, ends=())


@fault("RETRIES_EXHAUSTED", "it failed in seconds each time, and was no time-out of ours", ask="explain", goes=False)
def gave_up(patient: System) -> Injected:
    patient.paid()
    patient.working()
    job = patient.submit_paid("one mishap=times_out times=9")

    def over() -> bool:
        patient.change("UPDATE jobs SET due_at = 1 WHERE due_at > 1")
        return patient.status(job) == "failed"

    patient.until(over, "all tries are used up")
    return Injected(job, {"attempt": 3, "provider_code": "E6716", "ran_s": lambda s: s < 40}, ends=())


@fault("MODEL_RETIRED", "its provider no longer knows it", ask="explain", goes=False)
def unknown_model(patient: System) -> Injected:
    patient.paid()
    patient.working()
    job = patient.submit_paid("one mishap=retired")
    patient.until_status(job, "failed")
    return Injected(job, {"code": "model_retired", "provider": "replicate"}, ends=())


@fault("MODEL_RETIRED", "it was shut down while the job waited", ask="explain", goes=False)
def shut_down(patient: System) -> Injected:
    return Injected(_stranded(patient), {"model": PAID_MODEL}, ends=("canceled",))


@fault("MODEL_RETIRES", "its provider shut it down, and jobs still wait for it")
def stranded(patient: System) -> Injected:
    job = _stranded(patient)

    def a_minute_later() -> None:
        patient.change("UPDATE recoveries SET effective_at = effective_at - 60")
        patient.until_status(job, "canceled")
        (patient.folder / "catalog.toml").unlink()

    return Injected(job, {"days": -2}, a_minute_later, ends=("canceled",), affects=(1, 4))


def _stranded(patient: System) -> str:
    """A job whose model was shut down before anybody made it."""
    patient.paid()
    server = patient.serve()
    job = patient.submit_paid()
    server.drain()
    on = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    catalog = patient.folder / "catalog.toml"
    catalog.write_text(
        f'[[models]]\nid = "{PAID_MODEL}"\n'
        f'routes = [{{ provider = "replicate", model = "{PAID_MODEL}", cost_usd = 0.04, shutdown_date = {on} }}]\n'
    )
    patient.made.set(catalog=catalog)
    patient.working()
    return job


def _until_stage(patient: System, job: str, stage: str) -> None:
    query = f"SELECT 1 FROM jobs WHERE id = '{job}' AND stage = '{stage}'"  # noqa: S608 - our own
    patient.until(lambda: patient.rows(query), f"its stage is {stage}")


def _in_so_many_s(at_most_s: float) -> Callable[[object], bool]:
    def is_so(due_at: object) -> bool:
        left_s = (datetime.fromisoformat(str(due_at)) - datetime.now(UTC)).total_seconds()
        return -5 < left_s <= at_most_s

    return is_so
