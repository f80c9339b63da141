"""Any interleaving of what users, workers, sweeps, providers and clocks do, beside a model in memory.

Every answer is checked against the model (`lives/world.py`). After every step nothing left a terminal state, fences and
sequences only grew, no job has two open calls, what ended was settled and told once, the books balance. At the end of
every example time runs on without any worker, and every job ends. SAFELIGHT_TEST_EXAMPLES=2000 looks longer.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from safelight.store.connect import open_database
from tests.integration.services.lives.keepers import Keepers


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 25), ("postgres", 8)])
def test_no_interleaving_breaks_a_job_its_calls_or_the_books(
    kind: str, examples: int, request: pytest.FixtureRequest
) -> None:
    database = open_database(request.getfixturevalue(f"shared_{kind}_url"))
    pace = settings(
        max_examples=int(os.environ.get("SAFELIGHT_TEST_EXAMPLES", examples)),
        stateful_step_count=50,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(lambda: Keepers(database), settings=pace)
    finally:
        database.close()
