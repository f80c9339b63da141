"""Crash points: silent unless a test arms them, and then at exactly the place and time that was named."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys

import pytest

from safelight.domain.errors import BadSettings
from safelight.telemetry import crash_points
from safelight.telemetry.await_points import crashable, point_name
from safelight.telemetry.crash_points import CrashPointReached, reach, reach_all, read_plans
from safelight.testing.providers import ScriptedProvider, Waits
from safelight.worker.live_call import stopped_at_provider

TEST = {"SAFELIGHT_TEST_MODE": "1"}


def armed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(crash_points, "PLANS", read_plans({**TEST, "SAFELIGHT_TEST_CRASH": text}))


def test_nothing_is_armed_where_the_setting_is_missing() -> None:
    assert read_plans({}) == read_plans(TEST) == {}


def test_a_process_that_is_not_under_test_refuses_to_be_armed() -> None:
    with pytest.raises(BadSettings, match="SAFELIGHT_TEST_MODE is not 1"):
        read_plans({"SAFELIGHT_TEST_CRASH": "finish.before_commit=kill"})


@pytest.mark.parametrize("text", ["finish", "finish=explode", "finish:0=kill", "=kill", "finish=pause"])
def test_a_plan_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadSettings, match="names no point and action"):
        read_plans({**TEST, "SAFELIGHT_TEST_CRASH": text})


def test_a_point_acts_once_when_it_is_reached_for_the_nth_time(monkeypatch: pytest.MonkeyPatch) -> None:
    armed(monkeypatch, "finish.before_commit:2=raise")
    reach_all(["claim", "finish"], "before_commit")
    reach("finish.after_commit")
    with pytest.raises(CrashPointReached):
        reach_all(["finish", "finish"], "before_commit")
    reach_all(["finish"], "before_commit")


def test_a_killed_process_has_said_at_which_point_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "from safelight.telemetry.crash_points import reach; reach('here'); print('still alive')"
    environ = {**TEST, "SAFELIGHT_TEST_CRASH": "here=kill", "PYTHONPATH": ":".join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "")
    assert json.loads(ended.stderr)["point"] == "here"


def test_a_coroutine_is_handed_back_as_it_is_where_nothing_is_armed() -> None:
    work = asyncio.sleep(0)
    assert crashable(work) is work
    work.close()


def test_points_are_named_after_the_function_and_what_it_waits_for() -> None:
    assert point_name("LiveCall._begin", "await self._provider.start(generation, self.id)") == "LiveCall._begin.start"
    assert point_name("_answer_of", "await call") == "_answer_of.call"


def test_a_worker_that_waits_is_at_the_point_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    armed(monkeypatch, "stopped_at_provider.cancel=raise")
    provider = ScriptedProvider()
    provider.when_canceled = Waits()

    async def scenario() -> bool:
        async with asyncio.timeout(5):
            return await asyncio.create_task(crashable(stopped_at_provider(provider, "remote", within_s=60)))

    assert asyncio.run(scenario()) is False
    assert provider.canceled == ["remote"]


def test_a_watched_coroutine_returns_raises_and_is_cancelled_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    armed(monkeypatch, "never.reached=raise")

    async def ends(value: int) -> int:
        await asyncio.sleep(0)
        return 10 // value

    async def scenario() -> None:
        assert await asyncio.create_task(crashable(ends(5))) == 2
        with pytest.raises(ZeroDivisionError):
            await asyncio.create_task(crashable(ends(0)))
        task = asyncio.create_task(crashable(asyncio.sleep(60)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
