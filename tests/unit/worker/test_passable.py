"""What a worker makes of the gates it has looked at: which models wait for which, and who is let in."""

from __future__ import annotations

from datetime import date

from safelight.catalog.model import Model, Price, Route
from safelight.domain.gates import Cause, Gate, Shut, Toll
from safelight.services.gate_look import Seen, Standing
from safelight.services.gate_parking import ShutGate
from safelight.services.parking import Group
from safelight.worker.gate_view import GateView
from safelight.worker.passable import UNLIMITED, open_route, openings, shut_gates

TODAY = date(2026, 11, 26)


def model(name: str, *providers: str, cost_usd: float = 0.1) -> Model:
    routes = tuple(Route(provider=provider, model="m", cost_usd=cost_usd) for provider in providers)
    price = Price(per="image", credits=1)
    return Model(id=name, title=name, kind="image", queue="image", routes=routes, price=price, typical_s=1.0)


def shut(provider: str, until: float | None = 100.0, cause: Cause = Cause.BREAKER) -> Shut:
    return Shut(provider, cause, until, "why")


def view(*shuts: Shut, elsewhere: tuple[str, ...] = ()) -> GateView:
    found = GateView()
    found.shut, found.elsewhere = {each.provider: each for each in shuts}, frozenset(elsewhere)
    return found


def seen(*groups: str, **rooms: int) -> Seen:
    standings = tuple(
        Standing(Gate(name, name, ""), Toll(name, ""), 0, None, room) for name, room in sorted(rooms.items())
    )
    return Seen(0.0, standings, tuple(Group(f"gate:{name}", "image") for name in groups), frozenset())


ONLY_A, BOTH, ONLY_B = model("only-a", "a"), model("both", "a", "b"), model("only-b", "b")
MODELS = (ONLY_A, BOTH, ONLY_B)
HERE = ("a", "b", "local")


def let_in(at: Seen, known: GateView, *, thorough: bool = False) -> list[tuple[str, str, tuple[str, ...], int]]:
    found = openings(at, MODELS, HERE, TODAY, known, thorough=thorough)
    return sorted((o.group.waiting_for, o.provider, o.models, o.at_most) for o in found)


def test_a_model_takes_the_first_of_its_routes_that_is_open() -> None:
    assert getattr(open_route(BOTH, HERE, TODAY, view()), "provider", None) == "a"
    assert getattr(open_route(BOTH, HERE, TODAY, view(shut("a"))), "provider", None) == "b"
    assert open_route(BOTH, HERE, TODAY, view(shut("a"), shut("b"))) is None


def test_what_is_free_passes_a_gate_that_is_shut_for_money() -> None:
    known = view(shut("a", cause=Cause.SPEND_CEILING))
    assert open_route(model("free", "a", cost_usd=0.0), HERE, TODAY, known) is not None
    assert open_route(ONLY_A, HERE, TODAY, known) is None


def test_only_models_without_another_way_wait_for_a_gate() -> None:
    assert shut_gates(MODELS, HERE, TODAY, view(shut("a"))) == (ShutGate("a", ("only-a",)),)


def test_a_model_waits_for_the_gate_that_opens_first() -> None:
    found = shut_gates(MODELS, HERE, TODAY, view(shut("a", 200.0), shut("b", 100.0)))
    assert found == (ShutGate("a", ("only-a",)), ShutGate("b", ("both", "only-b")))


def test_a_model_that_another_worker_has_a_way_for_is_left_alone() -> None:
    known = view(shut("a"), elsewhere=("b",))
    assert shut_gates(MODELS, ("a",), TODAY, known) == (ShutGate("a", ("only-a",)),)


def test_at_an_open_gate_as_many_are_let_in_as_may_pass_and_nobody_looks_for_what_cannot_wait_there() -> None:
    assert let_in(seen("a", a=3, b=5), view()) == [("gate:a", "a", ("only-a", "both"), 3)]


def test_at_a_gate_without_room_nobody_is_let_in() -> None:
    assert let_in(seen("a", a=0, b=5), view(shut("a"))) == []


def test_a_thorough_look_finds_those_who_have_got_another_way() -> None:
    assert let_in(seen("a", a=0, b=5), view(shut("a")), thorough=True) == [("gate:a", "b", ("both",), 5)]


def test_at_the_gate_of_a_provider_that_is_not_here_any_more_all_who_have_a_way_are_let_in() -> None:
    assert let_in(seen("gone", a=1), view()) == []
    assert let_in(seen("gone", a=1), view(), thorough=True) == [
        ("gate:gone", "a", ("only-a", "both"), 1),
        ("gate:gone", "b", ("only-b",), UNLIMITED),
    ]
