"""The campaign knows every crash point of the source, and no others."""

from __future__ import annotations

import pytest

from tests.crash.campaign import matrix, points

ADVICE = "name it in tests/crash/campaign/matrix.py, with the scenario that is to crash there"


@pytest.mark.parametrize("found", [points.commit_points, points.await_points])
def test_every_crash_point_of_the_source_is_in_the_matrix(found: object) -> None:
    missing = sorted(set(found()) - matrix.EVERYWHERE)  # type: ignore[operator]
    assert not missing, ADVICE


def test_the_matrix_names_no_point_that_is_not_there() -> None:
    there = {*points.commit_points(), *points.await_points()}
    assert sorted(matrix.EVERYWHERE - there) == []
