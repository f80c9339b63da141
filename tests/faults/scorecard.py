"""The table at the end: by code how many faults, how many named first, and what else was right."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.play import Outcome


def scorecard(faults: Sequence[Outcome], healthy: Sequence[Outcome]) -> str:
    """Text of 80 columns."""
    lines = [f"{'code':34}{'faults':>8}{'named first':>13}{'all right':>11}"]
    for code in sorted({each.code for each in faults}):
        mine = [each for each in faults if each.code == code]
        named, fine = sum(each.named for each in mine), sum(each.fine for each in mine)
        lines.append(f"{code:34}{len(mine):>8}{named:>13}{fine:>11}")
    named, fine = sum(each.named for each in faults), sum(each.fine for each in faults)
    lines.append(f"{'in all':34}{len(faults):>8}{named:>13}{fine:>11}")
    if faults:
        lines.append(f"The right cause came first in {100 * named / len(faults):.1f} %.")
    if healthy:
        quiet = sum(each.fine for each in healthy)
        lines.append(f"Of {len(healthy)} healthy but unusual systems {quiet} raised no alarm.")
    return "\n".join(lines)
