"""What a server says when it is ready: its address and, on a first start, the way of a sample job to its picture."""

from __future__ import annotations

from safelight.cli.ending import say_ended
from safelight.cli.out import err
from safelight.cli.watching import watch
from safelight.client import Client

SAMPLE = "a lighthouse on a cliff at dusk, warm light over a calm sea"
SAMPLE_LIMIT_S = 60.0


async def greet(url: str, *, with_sample: bool) -> None:
    """Tell the address; with `with_sample`, make one picture if there is no job yet, and tell its address too."""
    console = err()
    console.print(f"Safelight is at {url} (Ctrl-C stops it)", style="bold", soft_wrap=True)
    if not with_sample:
        return
    async with Client.connect(url) as client:
        if (await client.session())["mode"] == "keyed" or (await client.jobs(limit=1)).jobs:
            return
        console.print(f"A first picture: {SAMPLE}", style="dim", soft_wrap=True)
        job = await client.submit("image", SAMPLE, labels={"sample": "first"})
        ended = await watch(client, job["id"], SAMPLE_LIMIT_S, alone=False)
        if ended is None:
            console.print(f"It is not ready yet. Look at it: safelight jobs show {job['id']}", soft_wrap=True)
            return
        say_ended(ended)
        for asset in ended["assets"]:
            print(asset["url"], flush=True)
    console.print(f"\nThe studio: {url}   (Ctrl-C stops the server)\n", style="bold", soft_wrap=True)
