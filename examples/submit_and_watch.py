"""Submit a job, follow it, save the picture. Start a server first: `safelight serve`."""

import asyncio
import io
import sys
from pathlib import Path

from safelight.client import Client


async def make_picture(prompt: str, url: str = "http://127.0.0.1:8000") -> bytes:
    """The bytes of the picture that the prompt gives."""
    async with Client.connect(url) as client:
        job = await client.submit("image", prompt, params={"width": 512, "height": 512})
        async for event in client.events(job["id"]):
            print(event.type, f"{event.payload.get('progress', 0):.0%}")
        job = await client.job(job["id"])
        if job["status"] != "completed":
            sys.exit(f"The job is {job['status']}: {job['error']}")
        picture = io.BytesIO()
        await client.download(job["assets"][0]["url"], picture)
        return picture.getvalue()


if __name__ == "__main__":
    words = sys.argv[1:] or ["a lighthouse on a cliff at dusk"]
    Path("picture.png").write_bytes(asyncio.run(make_picture(*words)))
    print("saved picture.png")
