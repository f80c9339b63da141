"""The older bodies of typed job routes, and the health page beside them: `python examples/typed_jobs.py`.

Start a server first (`safelight serve`). SAFELIGHT_URL names it if it is not at its usual address.
"""

import os
import time

import httpx

URL = os.environ.get("SAFELIGHT_URL", "http://127.0.0.1:8000")


def wait(http: httpx.Client, job_id: str) -> dict:
    """Ask until it has ended: 202 until then, and 304 while nothing changes."""
    etag = ""
    while True:
        answer = http.get(f"/api/jobs/{job_id}", headers={"If-None-Match": etag} if etag else {})
        if answer.status_code == 200:
            return answer.json()
        etag = answer.headers["ETag"]
        time.sleep(min(1.0, float(answer.headers.get("Retry-After", "1"))))


if __name__ == "__main__":
    with httpx.Client(base_url=URL, trust_env=False, timeout=30) as client:
        body = {"prompt": "a lighthouse", "options": {"width": 512, "height": 512}}
        image = client.post("/api/jobs/image-generation", json=body).raise_for_status().json()
        text = (
            client.post("/api/jobs/text-generation", json={"prompt": "A limerick about fog"}).raise_for_status().json()
        )
        batch = {"prompts": ["a pier", "a boat"], "batchSize": 1, "options": {"width": 256, "height": 256}}
        many = client.post("/api/jobs/batch-generation", json=batch).raise_for_status().json()
        for made in (image, text, many):
            ended = wait(client, made["jobId"])
            print(ended["kind"], ended["status"], f"{ended['credits']['captured']} credit(s)")
        for name, queue in client.get("/api/health/queues").json()["queues"].items():
            print(f"{name}: {queue['completed']} completed, {queue['waiting']} waiting, {queue['workers']} worker(s)")
