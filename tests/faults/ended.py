"""Jobs that ended: each says why, with the numbers of its own story; what is printed beside it can be run."""

from __future__ import annotations

import shutil

from safelight.testing.mishaps import Mishap
from tests.faults.fault import Injected, fault
from tests.faults.system import System


@fault("DELIVERED", "nothing is wrong with it", ask="explain", goes=False)
def delivered(patient: System) -> Injected:
    patient.working()
    job = patient.submit()
    patient.until_status(job, "completed")
    return Injected(job, {"captured": 1, "attempt": 1})


@fault("CANCELED_BY", "its user did not want it any more", ask="explain", goes=False)
def canceled(patient: System) -> Injected:
    patient.serve()
    job = patient.submit()
    assert patient.made.request("POST", f"/api/jobs/{job}/cancel").status_code == 200
    return Injected(job, {"by": "user"}, ends=("canceled",))


@fault("DEADLINE_EXCEEDED", "nobody made it in time", ask="explain", goes=False, max_wait_seconds=2)
def deadline(patient: System) -> Injected:
    patient.serve()
    job = patient.submit()
    patient.until_status(job, "failed")
    return Injected(job, {"code": "deadline_exceeded", "ran_s": None, "waited_s": lambda s: s >= 2}, ends=("failed",))


@fault("DEADLINE_EXCEEDED", "its provider took too long", ask="explain", goes=False, deadline_image_seconds=3)
def too_long(patient: System) -> Injected:
    patient.paid()
    patient.working()
    job = patient.submit_paid("one seconds=60")
    patient.until_status(job, "failed")
    return Injected(job, {"code": "deadline_exceeded", "ran_s": lambda s: 2 <= s < 20}, ends=("failed",))


@fault("RETRIES_EXHAUSTED", "three tries failed, one after the other", ask="explain", goes=False)
def exhausted(patient: System) -> Injected:
    provider = patient.paid()
    patient.working()
    provider.misbehave(Mishap.OVERLOADED, times=3)
    job = patient.submit_paid()
    for _ in range(2):
        patient.until(
            lambda: patient.rows("SELECT 1 FROM jobs WHERE due_at IS NOT NULL OR status = 'failed'"), "it waits"
        )
        patient.change("UPDATE jobs SET due_at = 1 WHERE due_at IS NOT NULL")
    patient.until(
        lambda: not patient.change("UPDATE jobs SET due_at = 1 WHERE due_at > 1") and patient.status(job) == "failed",
        "over",
    )
    return Injected(job, {"attempt": 3, "provider": "replicate"}, ends=("failed",))


@fault("STORAGE_WRITE_FAILED", "the folder of the files is a file", ask="explain", goes=False, deadline_image_seconds=8)
def storage(patient: System) -> Injected:
    patient.working()
    patient.until_status(patient.submit("before"), "completed")
    assets = patient.folder / "data" / "assets"
    shutil.rmtree(assets)
    assets.write_bytes(b"")
    patient.stack.callback(assets.unlink)
    job = patient.submit("one")
    patient.until_status(job, "failed", within_s=60)
    return Injected(job, {"attempt": lambda n: n >= 1}, ends=("failed",))


@fault("ITEMS_FAILED", "some of a batch were refused", ask="explain", goes=False)
def items(patient: System) -> Injected:
    patient.paid()
    patient.working()
    body = {"kind": "batch", "prompts": ["fine", "one mishap=invalid"], "models": ["black-forest-labs/flux-1.1-pro"]}
    job = str(patient.made.request("POST", "/api/jobs", json=body).json()["id"])
    patient.until_status(job, "partial")
    return Injected(job, {"by_status": {"completed": 1, "failed": 1}}, ends=("partial",))
