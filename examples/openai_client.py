"""The official client of OpenAI, talking to Safelight: only its address and its key are other ones.

    pip install openai
    python examples/openai_client.py [http://127.0.0.1:8000/v1]

It makes a picture, saves it beside you, and has a text written. The key is that of `safelight keys create`; while there
is none, any word will do.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from pathlib import Path

from openai import OpenAI

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/v1"


def main() -> None:
    client = OpenAI(base_url=ADDRESS, api_key=os.environ.get("SAFELIGHT_API_KEY", "none-needed"))
    print("Models:", ", ".join(model.id for model in client.models.list()))

    made = client.images.generate(model="procedural", prompt="a lighthouse at dusk", size="512x512")
    for picture in made.data or []:
        path = Path(tempfile.mkdtemp()) / "lighthouse.png"
        path.write_bytes(base64.b64decode(picture.b64_json or ""))
        print("Saved", path, "which is also at", picture.url)

    words = client.chat.completions.create(
        model="procedural-text", messages=[{"role": "user", "content": "a haiku about a darkroom"}], stream=True
    )
    for chunk in words:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
