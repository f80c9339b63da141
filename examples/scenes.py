"""The scenes of a chapter, drawn side by side and polled cheaply: `python examples/scenes.py`.

Start a server first (`safelight serve`). SAFELIGHT_URL names it if it is not at its usual address.
"""

import os
import time

import httpx

URL = os.environ.get("SAFELIGHT_URL", "http://127.0.0.1:8000")
SCENES = ["A lighthouse in a storm", "The keeper lights the lamp", "A boat comes home"]


def until_done(http: httpx.Client, path: str) -> dict:
    """Every three seconds in a page; quicker here. An unchanged answer is a 304 without a body."""
    etag, asked, unchanged = "", 0, 0
    while True:
        answer = http.get(path, headers={"If-None-Match": etag} if etag else {})
        asked, unchanged = asked + 1, unchanged + (answer.status_code == 304)
        etag = answer.headers["ETag"]
        if answer.status_code == 200 and answer.json()["status"] in ("completed", "failed"):
            return answer.json() | {"asked": asked, "unchanged": unchanged}
        time.sleep(0.3)


if __name__ == "__main__":
    chapter = f"chapter-{os.getpid()}"
    with httpx.Client(base_url=f"{URL}/api/v1/chapters/{chapter}", trust_env=False, timeout=30) as client:
        for n, description in enumerate(SCENES, 1):
            asked_for = {"scene_description": description, "style": "watercolour", "script_id": "script-1"}
            queued = client.post(f"/images/scenes/{n}", json=asked_for).raise_for_status().json()
            print(f"scene {n}: {queued['status']}, about {queued['estimated_time_seconds']} s")
        for n in range(1, len(SCENES) + 1):
            scene = until_done(client, f"/images/scenes/{n}/status")
            print(f"scene {n}: {scene['status']} ({scene['asked']} looks, {scene['unchanged']} of them 304)")
        print(client.get("/images").json()["total_count"], "pictures in the chapter")
