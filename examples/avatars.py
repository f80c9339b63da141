"""An avatar in a project, asked for and waited for: `python examples/avatars.py "an engineer, smiling"`.

Start a server first (`safelight serve`). SAFELIGHT_URL names it if it is not at its usual address.
"""

import os
import sys
import time
from pathlib import Path

import httpx

URL = os.environ.get("SAFELIGHT_URL", "http://127.0.0.1:8000")

if __name__ == "__main__":
    prompt = " ".join(sys.argv[1:]) or "a keeper with a lamp"
    with httpx.Client(base_url=f"{URL}/api/avatar-creator", trust_env=False, timeout=30) as http:
        project = http.post("/projects", json={"name": "Faces"}).raise_for_status().json()
        asked = {"name": "Ada", "prompt": prompt, "width": 512, "height": 512}
        made = http.post(f"/projects/{project['id']}/generate", json=asked).raise_for_status().json()
        while made["status"] in ("pending", "processing"):
            waits = (made["queueInfo"] or {}).get("waiting_for")
            print(made["status"], f"(waits for: {waits})" if waits else "")
            time.sleep(0.5)
            made = http.get(f"/generations/{made['id']}").raise_for_status().json()
        if made["status"] == "failed":
            sys.exit(f"{made['errorMessage']} {made['credits']['released']} credit(s) went back.")
        avatar = http.get(f"/avatars/{made['avatarId']}").json()
        Path("avatar.webp").write_bytes(http.get(avatar["thumbnailUrl"]).content)
        print("saved avatar.webp")
