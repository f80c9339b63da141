"""Named places where a test may end, freeze or delay this process: around each commit, at each await of an attempt.

SAFELIGHT_TEST_CRASH arms them, such as `finish.before_commit=kill` or `claim.after_commit:2=stop,_keep.put=raise`
(`:2`: when it is reached for the second time), and is refused without SAFELIGHT_TEST_MODE=1. Unarmed, nothing is there
but a look at an empty dictionary.

    kill     the process ends as in a power cut         stop       it freezes until somebody sends SIGCONT
    raise    there is a bug at this place                pauseN     this thread waits N seconds
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterable, Mapping

from safelight.domain.errors import BadSettings, Remedy

SETTING, GUARD = "SAFELIGHT_TEST_CRASH", "SAFELIGHT_TEST_MODE"
_ACTION = r"kill|stop|raise|pause(?P<pause_s>\d+(?:\.\d+)?)"
_PLAN = re.compile(rf"(?P<name>[\w.]+)(?::(?P<nth>[1-9]\d*))?=(?P<action>{_ACTION})")


class CrashPointReached(Exception):
    """What a point armed with `raise` raises: a bug, for all that the code around it knows."""


class Plan:
    """What is to happen at one point, once, when it is reached for the nth time."""

    def __init__(self, name: str, nth: int, action: str, pause_s: float) -> None:
        self.name, self.action = name, action
        self._left, self._pause_s = nth, pause_s
        self._counting = threading.Lock()

    def reach(self) -> None:
        with self._counting:
            self._left -= 1
            now = self._left == 0
        if now:
            self._act()

    def _act(self) -> None:
        line = json.dumps({"event": "crash_point", "point": self.name, "action": self.action, "at": time.time()})
        os.write(2, f"{line}\n".encode())  # past every buffer: the next thing may be the end
        match self.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "raise":
                raise CrashPointReached(self.name)
            case _:
                time.sleep(self._pause_s)


def read_plans(environ: Mapping[str, str]) -> dict[str, Plan]:
    """The armed points by name; empty in every process that is not under test. Raises BadSettings."""
    text = environ.get(SETTING, "")
    if not text:
        return {}
    if environ.get(GUARD) != "1":
        raise BadSettings(
            f"{SETTING} ends or freezes this process on purpose, and {GUARD} is not 1.",
            remedy=Remedy(f"Unset {SETTING}: it is for Safelight's own tests."),
        )
    return {plan.name: plan for plan in map(_read, text.split(","))}


def reach(name: str) -> None:
    """This place was reached. Does nothing unless it is armed."""
    if plan := PLANS.get(name):
        plan.reach()


def reach_all(use_cases: Iterable[str], moment: str) -> None:
    """As `reach`, for the use cases of one transaction, methods without their class.

    `moment` is `before_commit` or `after_commit`.
    """
    for name in dict.fromkeys(use_cases):
        reach(f"{name.rpartition('.')[2]}.{moment}")


def _read(text: str) -> Plan:
    match = _PLAN.fullmatch(text.strip())
    if match is None:
        raise BadSettings(
            f"{SETTING} has {text!r}, which names no point and action.",
            remedy=Remedy("Write POINT=kill, POINT:2=stop, POINT=raise or POINT=pause1.5."),
        )
    return Plan(match["name"], int(match["nth"] or 1), match["action"], float(match["pause_s"] or 0))


PLANS = read_plans(os.environ)
