"""Many workers and many jobs: each job is done once, whoever is killed; and how soon the jobs of the killed go on."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.crash.campaign.house import House
from tests.crash.campaign.played import CannotBePlayed, Played, finish, lose
from tests.support.server import Running

WORKERS, SLOTS, JOBS, KILLS = 4, 8, 2_000, 12
IN_FLIGHT = 40
ELSEWHERE = ("unshare", "--pid", "--fork", "--kill-child")
"""A world of process ids of its own: as a process on another machine, it cannot be seen to be gone."""


def crowd(house: House, dice: Random) -> Played:
    """Four workers and 2,000 jobs; every now and then one is killed and another started."""
    with ThreadPoolExecutor(4) as pool:
        words = [f"a face, number {n} answer=now seconds=0.02" for n in range(JOBS)]
        played = Played(list(pool.map(house.submit_one, words)), all_complete=True)
    workers = [house.begin_worker(worker_concurrency=SLOTS) for _ in range(WORKERS)]
    for n in range(1, KILLS + 1):
        house.until(lambda n=n: house.ended(played.ids) >= n * JOBS // (KILLS + 2), 120)
        doomed = workers.pop(dice.randrange(WORKERS))
        time.sleep(dice.uniform(0, 0.5))
        lose(doomed, played)
        workers.append(house.begin_worker(worker_concurrency=SLOTS))
    return finish(house, played, *workers, within_s=300)


def lost_here(house: House, dice: Random) -> Played:
    """A worker with 40 accepted calls is killed beside another one of the same machine, under the default lease."""
    return _lost(house, dice, house.begin_worker(worker_concurrency=IN_FLIGHT))


def lost_elsewhere(house: House, dice: Random) -> Played:
    """The same, where nobody can look whether it is gone: its counter has to stand still for a whole lease."""
    tried = subprocess.run([*ELSEWHERE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise CannotBePlayed(f"no process ids of one's own can be had here: {tried.stderr.strip()}")
    return _lost(house, dice, house.begin_worker(before=ELSEWHERE, worker_concurrency=IN_FLIGHT))


def _lost(house: House, dice: Random, doomed: Running) -> Played:
    words = [f"a crowd, number {n} answer=later seconds=75" for n in range(IN_FLIGHT)]
    played = Played(house.submit(words), all_complete=True)
    house.until(lambda: house.accepted(played.ids) == IN_FLIGHT, 60)
    heir = house.worker(worker_concurrency=IN_FLIGHT)
    time.sleep(dice.uniform(0, 5))  # at any moment between two beats and two looks
    lose(doomed, played)
    return finish(house, played, heir, within_s=120)
