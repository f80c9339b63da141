"""Submit a job, follow it, save the picture: `python examples/submit_and_watch.py "a lighthouse at dusk"`.

Start a server first (`safelight serve`). SAFELIGHT_URL names it if it is not at its usual address.
"""

import asyncio
import io
import os
import sys
from pathlib import Path

from safelight.client import Client, ClientError

URL = os.environ.get("SAFELIGHT_URL", "http://127.0.0.1:8000")


async def make_picture(prompt: str) -> bytes:
    """The bytes of the picture that the prompt gives."""
    async with Client.connect(URL) as client:
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
    words = " ".join(sys.argv[1:]) or "a lighthouse on a cliff at dusk"
    try:
        Path("submit_and_watch.png").write_bytes(asyncio.run(make_picture(words)))
    except ClientError as error:
        sys.exit(f"{error} {error.remedy}")
    print("saved submit_and_watch.png")
