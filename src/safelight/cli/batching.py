"""What `safelight batch` does: hand in, say so, watch all of it, print what it made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safelight.cli.door import Door, opened
from safelight.cli.edge import FINE, FOUND
from safelight.cli.ending import print_addresses, say_ended
from safelight.cli.inputs import Given, brought
from safelight.cli.out import err, plain_lines, print_json
from safelight.cli.submission import watched, will_be_run
from safelight.cli.tables import items_in_words
from safelight.cli.when import span
from safelight.cli.working import counted
from safelight.domain.jobs import Status


async def run(
    request: dict[str, Any], pictures: Sequence[Given], *, wait: bool | None, timeout_s: float, as_json: bool
) -> int:
    """The exit code. `wait=None`: wait if there is somebody who will run the jobs."""
    async with opened() as door:
        batch = await door.client.submit(**request, inputs=await brought(door.client, pictures) or None)
        err().print(f"Batch {batch['id']} ({counted(batch['items']['total'], 'job')})", style="dim", soft_wrap=True)
        if wait is False or not await _will_be_run(door, batch, wait):
            print_json(batch) if as_json else print(batch["id"])
            return FINE
        ended = await watched(door, batch["id"], timeout_s)
        if ended is None:
            again = f"safelight jobs watch {batch['id']}"
            err().print(f"Not ended after {span(timeout_s)}. Go on: {again}", soft_wrap=True)
            return FOUND
        await _deliver(door, ended, as_json)
        return FINE if ended["status"] == Status.COMPLETED else FOUND


async def _will_be_run(door: Door, batch: dict[str, Any], wait: bool | None) -> bool:
    """The first item stands for all: a batch has no queue of its own."""
    page = await door.client.items(batch["id"], limit=1)
    return await will_be_run(door, page.jobs[0], wait)


async def _deliver(door: Door, batch: dict[str, Any], as_json: bool) -> None:
    say_ended(batch)
    err().print(items_in_words(batch), soft_wrap=True)
    if as_json:
        print_json(batch)
        return
    items = [item async for item in door.client.all_items(batch["id"])]
    for item in items:
        if item.get("text"):
            print(f"{item['id']}\n{plain_lines(item['text']).rstrip()}\n")
    print_addresses(door, {"assets": [asset for item in items for asset in item["assets"]]})
