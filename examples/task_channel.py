"""What the Swift client does, in Python: create a task, join its channel, ask over it, save the picture.

`python examples/task_channel.py "Medieval monk"`. Start a server first (`safelight serve`). SAFELIGHT_URL names it if
it is not at its usual address, SAFELIGHT_API_KEY opens it if it asks for a key.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

URL = os.environ.get("SAFELIGHT_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SAFELIGHT_API_KEY", "")
HEADERS = {"Authorization": f"Bearer {KEY}"} if KEY else {}
SOCKET = f"ws{URL.removeprefix('http')}/socket/websocket?vsn=2.0.0"
HEARTBEAT_S = 30


async def make_picture(prompt: str) -> bytes:
    """The bytes of the picture that the prompt gives."""
    async with httpx.AsyncClient(base_url=URL, headers=HEADERS, trust_env=False) as http:
        answer = await http.post("/api/tasks", json={"input_data": {"type": "image", "prompt": prompt}})
        created = answer.json()
        if not created["success"]:
            sys.exit(f"{created['error']['code']}: {created['error']['message']}")
        task_id = created["data"]["task_id"]
        print("created", task_id)
        async with connect(SOCKET, additional_headers=HEADERS, proxy=None) as socket:
            result = await follow(socket, f"task:{task_id}", prompt)
        return (await http.get(result["image_url"])).raise_for_status().content


async def follow(socket: ClientConnection, topic: str, prompt: str) -> dict[str, Any]:
    """Join, ask for the same picture again as the app does, and listen until it is there."""
    await send(socket, "1", topic, "phx_join", {})
    await send(socket, "2", topic, "image_generate", {"prompt": prompt, "request_id": "first"})
    beating = asyncio.create_task(beat(socket))
    try:
        async for frame in socket:
            _, _, _, event, payload = json.loads(frame)
            if event == "phx_reply" and payload["status"] == "error":
                sys.exit(f"refused: {payload['response']}")
            if event in ("status", "progress"):
                print(event, payload["status"], f"{payload['progress']:.0%}")
            if event == "image_response":
                print("image_response", payload["task_id"], "(the same task: nothing is made or paid twice)")
            if event == "progress" and "error_data" in payload:
                sys.exit(f"{payload['error_data']['error']} {payload['error_data']['remedy']}")
            if event == "progress" and "result_data" in payload:
                result: dict[str, Any] = payload["result_data"]
                return result
    finally:
        beating.cancel()
    sys.exit("The server has closed the socket: start this again.")


async def beat(socket: ClientConnection) -> None:
    """Say that we are here, as every Phoenix client does."""
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        await socket.send(json.dumps([None, "beat", "phoenix", "heartbeat", {}]))


async def send(socket: ClientConnection, ref: str, topic: str, event: str, payload: dict[str, Any]) -> None:
    await socket.send(json.dumps(["1", ref, topic, event, payload]))


if __name__ == "__main__":
    words = " ".join(sys.argv[1:]) or "Medieval monk"
    Path("task_channel.png").write_bytes(asyncio.run(make_picture(words)))
    print("saved task_channel.png")
