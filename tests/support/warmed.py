"""What processes of Safelight load, loaded once: `tests.support.launch` forks them from the process that did."""

import gc
from importlib import import_module

from PIL import Image

for name in (
    "alembic.command",
    "jsonschema",
    "psycopg",
    "rich.table",
    "safelight.api.application",
    "safelight.api.server",
    "safelight.cli.greeting",
    "safelight.cli.load",
    "safelight.client",
    "safelight.providers.lanczos.provider",
    "safelight.providers.procedural.provider",
    "safelight.providers.procedural.text_provider",
    "safelight.providers.procedural.video_provider",
    "safelight.providers.realesrgan.provider",
    "uvloop",
):
    import_module(name)
Image.init()
gc.collect()
gc.freeze()
