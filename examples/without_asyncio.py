"""The same without asyncio, several at once: `python examples/without_asyncio.py "a lighthouse" "a boat"`.

Start a server first (`safelight serve`). SAFELIGHT_URL names it if it is not at its usual address.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from safelight.client import BlockingClient, ClientError

URL = os.environ.get("SAFELIGHT_URL", "http://127.0.0.1:8000")


def make_picture(client: BlockingClient, number: int, prompt: str) -> str:
    """Make one picture, save it, and say where."""
    job = client.submit("image", prompt, params={"width": 512, "height": 512})
    job = client.wait(job["id"], timeout_s=120)
    if job["status"] != "completed":
        return f"{prompt}: {job['status']}, {job['error']['message']}"
    path = Path(f"picture-{number}.png")
    with path.open("wb") as file:
        client.download(job["assets"][0]["url"], file)
    return f"{prompt}: {path}, {job['credits']['captured']} credit(s)"


if __name__ == "__main__":
    prompts = sys.argv[1:] or ["a lighthouse at dusk", "a boat in the fog"]
    try:
        with BlockingClient.connect(URL, os.environ.get("SAFELIGHT_API_KEY")) as shared, ThreadPoolExecutor(4) as pool:
            for line in pool.map(lambda given: make_picture(shared, *given), enumerate(prompts, 1)):
                print(line)
    except ClientError as error:
        sys.exit(f"{error} {error.remedy}")
