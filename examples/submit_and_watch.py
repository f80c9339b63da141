"""Submit a job, follow it, save the picture. Start a server first: `safelight serve`."""

import asyncio
import sys
from pathlib import Path

from safelight.client import Client


async def main(prompt: str, url: str = "http://127.0.0.1:8000") -> None:
    async with Client.connect(url) as client:
        job = await client.submit("image", prompt, params={"width": 512, "height": 512})
        async for event in client.events(job["id"]):
            print(event.type, f"{event.payload.get('progress', 0):.0%}")
        job = await client.job(job["id"])
        if job["status"] != "completed":
            sys.exit(f"The job {job['status']}: {job['error']}")
        for number, asset in enumerate(job["assets"], start=1):
            path = Path(f"picture-{number}.png")
            with path.open("wb") as file:
                await client.download(asset["url"], file)
            print("saved", path)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or ["a lighthouse on a cliff at dusk"]))
