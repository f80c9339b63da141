"""Why a gate is shut, for whoever waits in front of it. The limits are the workers': here is only what its row says."""

from __future__ import annotations

from safelight.domain import gates as rules
from safelight.domain.gates import Cause, Gate, Shut, Toll
from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.services import gate_rows
from safelight.services.job_error import error_json
from safelight.store.tx import Tx

BUSY = "as many calls are open there, or were begun in this minute, as the operator allows"


def shut_gates(tx: Tx) -> dict[str, Shut]:
    """By provider, of those that their row alone shows to be shut. Of several keys the latest trouble counts."""
    gates = sorted(gate_rows.all_gates(tx), key=lambda gate: gate.failed_at or 0.0)
    return {gate.provider: shut for gate in gates if (shut := _by_its_row(gate, tx.now) or _half_open(gate))}


def words(provider: str, shut: Shut | None) -> str:
    """What a job waits for: `openai to take calls again: its key is refused: …`."""
    return f"{provider} to take calls again: {shut.why if shut else BUSY}"


def too_late(tx: Tx, provider: str) -> str:
    """The error of a job whose deadline came while it waited there."""
    shut = shut_gates(tx).get(provider)
    text = f"It waited until its deadline for {words(provider, shut)}."
    if shut is None:
        return error_json("deadline_exceeded", text, provider)
    error = ProviderError(ErrorClass.UNAVAILABLE, shut.why, provider_code=str(shut.cause))
    return error_json("deadline_exceeded", text, provider, error, remedy=REMEDIES[shut.cause])


REMEDIES = {
    Cause.SPEND_CEILING: "Retry it tomorrow, or ask the operator to raise the provider's daily ceiling.",
    Cause.BREAKER: "Ask the operator to look at `safelight providers list`, then retry it.",
    Cause.COOLDOWN: "Retry it later.",
}


def _half_open(gate: Gate) -> Shut | None:
    """One call may try now; the others wait for how that ends."""
    if gate.tripped_at is None:
        return None
    return Shut(gate.provider, Cause.BREAKER, None, f"the next call tries whether it works: {rules.trouble(gate)}")


def _by_its_row(gate: Gate, now: float) -> Shut | None:
    """Under whatever ceiling was in force when it was reached."""
    toll = Toll(gate.provider, gate.fingerprint, daily_usd=gate.spent_ceiling)
    return rules.hindrance(gate, toll, open_calls=0, costs=True, now=now)
