"""Submit, hear of it over the socket, fetch: `python examples/image_queue.py "a boat in the fog"`.

Start a server first (`safelight serve`). SAFELIGHT_URL names it if it is not at its usual address.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

URL = os.environ.get("SAFELIGHT_URL", "http://127.0.0.1:8000")


async def make_picture(prompt: str) -> bytes:
    """The socket is open before the job is there, so nothing is missed."""
    async with httpx.AsyncClient(base_url=URL, trust_env=False) as http:
        async with connect(f"ws{URL.removeprefix('http')}/api/ws", proxy=None) as socket:
            await socket.send(json.dumps({"subscribe": "user"}))
            body = {"kind": "image", "prompt": prompt, "params": {"width": 512, "height": 512}}
            job = (await http.post("/api/jobs", json=body, headers={"Idempotency-Key": f"order-{os.getpid()}"})).json()
            async for text in socket:
                event = json.loads(text)
                if event.get("job_id") == job["id"]:
                    print(event["type"])
                    if event["type"] in ("job.completed", "job.failed", "job.canceled"):
                        break
        job = event["payload"]
        if job["status"] != "completed":
            sys.exit(f"The job is {job['status']}: {job['error']['message']}")
        return (await http.get(job["assets"][0]["url"])).content


if __name__ == "__main__":
    Path("image_queue.png").write_bytes(asyncio.run(make_picture(" ".join(sys.argv[1:]) or "a boat in the fog")))
    print("saved image_queue.png")
