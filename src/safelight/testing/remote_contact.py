"""Of the suite for remote providers: lost calls and how they are found, the probe, and keys."""
# ruff: noqa: S101 - a suite of tests states what it expects

from __future__ import annotations

import dataclasses
import logging

import pytest
import structlog

from safelight.providers.protocol import Finds, Hears
from safelight.testing import remote_stage
from safelight.testing.mishaps import Mishap, Where
from safelight.testing.provider_conformance import Stage
from safelight.testing.remote_stage import CALL_ID, CALLBACK, RemoteStage

NONSENSE: tuple[object, ...] = ({}, [], "text", None, 7, {"id": None}, {"status": "succeeded"})


class LostAnswers(RemoteStage):
    """Its list, and what it announces."""

    def test_a_call_whose_answer_was_lost_is_found_by_our_id(self, stage: Stage) -> None:
        provider = stage.provider
        assert isinstance(provider, Finds) is self.support.finds
        self._skip_unless(self.support.finds, "it cannot be asked")
        self.stand_in.misbehave(Mishap.CUT_AFTER)
        generation = dataclasses.replace(self.generation(), callback_url=CALLBACK)
        stage.run(self._raised(provider, generation=generation), self.patience_s)
        assert isinstance(provider, Finds)
        assert stage.run(provider.find(CALL_ID), self.patience_s) in self.stand_in.works
        assert stage.run(provider.find(CALL_ID.replace("0", "f")), self.patience_s) is None

    def test_it_is_asked_to_announce_only_where_there_is_an_address_and_what_it_says_is_read(
        self, stage: Stage
    ) -> None:
        provider = stage.provider
        assert isinstance(provider, Hears) is self.support.hears
        self._skip_unless(self.support.hears, "it announces nothing")
        assert isinstance(provider, Hears)
        stage.run(self._end_of(provider), self.patience_s)
        assert CALLBACK.encode() not in self.stand_in.posts[-1].content
        generation = dataclasses.replace(self.generation(), callback_url=CALLBACK)
        begun = stage.run(self._begun(provider, generation), self.patience_s)
        assert CALLBACK.encode() in self.stand_in.posts[-1].content
        announced = self.stand_in.announcement(next(reversed(self.stand_in.works)))
        assert provider.read_callback(announced) == begun.remote_id
        for nonsense in NONSENSE:
            assert provider.read_callback(nonsense) is None


class Probes(RemoteStage):
    """A cheap, read-only look."""

    def test_the_probe_says_that_all_is_well_and_pays_nothing(self, stage: Stage) -> None:
        posts_before = len(self.stand_in.posts)
        found = stage.run(stage.provider.probe(), self.probe_s)
        assert (found.reachable, found.key_valid) == (True, True)
        assert len(self.stand_in.posts) == posts_before

    def test_the_probe_says_that_the_key_is_wrong(self, stage: Stage) -> None:
        self.stand_in.misbehave(Mishap.BAD_KEY, where=Where.PROBE)
        found = stage.run(stage.provider.probe(), self.probe_s)
        assert (found.reachable, found.key_valid) == (True, False)

    def test_the_probe_says_that_there_is_no_money(self, stage: Stage) -> None:
        self._skip_unless(self.support.knows_money, "it tells nobody how much money is left")
        self.stand_in.misbehave(Mishap.NO_MONEY, where=Where.PROBE)
        assert stage.run(stage.provider.probe(), self.probe_s).has_money is False

    @pytest.mark.parametrize("mishap", [Mishap.CUT_BEFORE, Mishap.HANG, Mishap.GARBAGE, Mishap.SERVER_ERROR], ids=str)
    def test_a_probe_without_an_answer_says_so_and_raises_nothing(self, stage: Stage, mishap: Mishap) -> None:
        self.stand_in.misbehave(mishap, where=Where.PROBE)
        found = stage.run(stage.provider.probe(), self.probe_s)
        assert found.reachable is (mishap in (Mishap.GARBAGE, Mishap.SERVER_ERROR))
        assert found.key_valid is None
        assert found.message


class Keys(RemoteStage):
    """They are told apart, and shown to nobody."""

    @pytest.mark.parametrize("mishap", [None, *Mishap], ids=str)
    def test_the_key_is_in_no_answer_error_log_or_representation(
        self, stage: Stage, mishap: Mishap | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as lines:
            if mishap is not None:
                self.stand_in.misbehave(mishap)
                self.stand_in.misbehave(mishap, where=Where.PROBE)
            said = [repr(stage.run(self._end_of(stage.provider), self.patience_s))]
            said.append(repr(stage.run(stage.provider.probe(), self.probe_s)))
        said += [caplog.text, repr(lines), repr(stage.provider), stage.provider.fingerprint]
        assert [text for text in said if remote_stage.KEY in text] == []

    def test_another_key_has_another_fingerprint(self) -> None:
        keys = {
            self.make_remote(key, self.stand_in.url, 1.0).fingerprint
            for key in (remote_stage.KEY, remote_stage.KEY + "2")
        }
        assert len(keys) == 2
