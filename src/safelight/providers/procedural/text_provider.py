"""The built-in `procedural-text` provider: lines composed from the words of the prompt. No model, and it says so."""

from __future__ import annotations

from safelight.children.errands import out_of_bounds, refused, whole
from safelight.domain.outcomes import Done, ErrorClass, ProviderError, Rejected, RemoteState
from safelight.providers.procedural.prose import LABEL, compose_text
from safelight.providers.procedural.tokens import cut, tokens
from safelight.providers.protocol import Generation, ProbeResult, Report

DEFAULT_TOKENS, MOST_TOKENS = 512, 4096


class ProceduralTextProvider:
    """Composing takes a millisecond, so it happens here; watchers get it line by line all the same.

    The label is not counted as written: no limit cuts it.
    """

    name = "procedural-text"
    repeatable = True
    idempotent = False
    fingerprint = ""

    async def warm_up(self) -> None:
        """There is nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        params = generation.params
        seed, limit = whole(params, "seed", 0), whole(params, "max_tokens", DEFAULT_TOKENS)
        if generation.kind != "text":
            return Rejected(refused(f"It writes text, not kind {generation.kind!r}."))
        if seed is None:
            return Rejected(refused(f"seed is {params['seed']!r}; it must be a whole number."))
        if limit is None or not 1 <= limit <= MOST_TOKENS:
            return Rejected(out_of_bounds(params, "max_tokens", 1, MOST_TOKENS))
        whole_text = compose_text(generation.prompt, seed)
        text = LABEL + cut(whole_text.removeprefix(LABEL), limit)
        if not await _told(text, report):
            return Rejected(ProviderError(ErrorClass.UNAVAILABLE, "stopped"))
        usage = {
            "input_tokens": len(tokens(generation.prompt)),
            "output_tokens": len(tokens(text.removeprefix(LABEL))),
            "finish_reason": "stop" if text == whole_text else "length",
        }
        return Done(text=text, usage=usage, cut_short=text != whole_text)

    async def poll(self, remote_id: str) -> RemoteState:
        message = f"Provider {self.name!r} answers at once; there is nothing to poll."
        return Rejected(ProviderError(ErrorClass.PROTOCOL, message))

    async def cancel(self, remote_id: str) -> None:
        """Nothing runs elsewhere."""

    async def probe(self) -> ProbeResult:
        return ProbeResult(reachable=True, message="built in; needs no key")

    async def close(self) -> None:
        """There is nothing to let go of."""


async def _told(text: str, report: Report) -> bool:
    """Hand the text over line by line; False as soon as nobody wants it."""
    so_far = ""
    for line in text.splitlines(keepends=True):
        so_far += line
        if not await report(len(so_far) / len(text), text=so_far):
            return False
    return True
