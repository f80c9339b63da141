"""`safelight worker` whose built-in pictures and texts take seconds, in many steps: a program for tests of watchers."""

from __future__ import annotations

import asyncio
from random import Random

from safelight.cli.main import main
from safelight.domain.outcomes import Done, ErrorClass, ProviderError, Rejected, RemoteState
from safelight.providers.procedural.provider import ProceduralProvider
from safelight.providers.procedural.text_provider import ProceduralTextProvider
from safelight.providers.protocol import Generation, Preview, Report
from safelight.testing.providers import done

STOPPED = Rejected(ProviderError(ErrorClass.UNAVAILABLE, "stopped"))
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "läzy", "dog", "and", "sleeps", "under", "🦊")


async def draw(_: object, generation: Generation, call_id: str, report: Report) -> RemoteState:
    """Some steps with previews, then a tiny picture."""
    dice = Random(call_id)  # noqa: S311 - not a secret
    steps = dice.randint(4, 12)
    for step in range(1, steps):
        await asyncio.sleep(dice.uniform(0.1, 0.7))
        preview = Preview(b"RIFF0000WEBP", "image/webp") if dice.random() < 0.3 else None
        if not await report(step / steps, preview=preview):
            return STOPPED
    return done()


async def write(_: object, generation: Generation, call_id: str, report: Report) -> RemoteState:
    """A text, word by word."""
    dice, text = Random(call_id), ""  # noqa: S311 - not a secret
    for _step in range(dice.randint(5, 15)):
        await asyncio.sleep(dice.uniform(0.1, 0.6))
        text += f"{dice.choice(WORDS)} "
        if not await report(0.5, text=text):
            return STOPPED
    return Done(text=f"{text}.", usage={"input_tokens": 1, "output_tokens": 1})


if __name__ == "__main__":
    ProceduralProvider.start = draw  # type: ignore[method-assign, assignment]
    ProceduralTextProvider.start = write  # type: ignore[method-assign, assignment]
    main()
