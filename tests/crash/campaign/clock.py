"""The wall clock of all processes of a house, and of its database: right at first, and set while they work.

Local spans are measured by another clock, which nobody can set; a process that is stopped is what moves that one.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

import psycopg

SET_CLOCK = """
import mmap, os, struct, time
_file = os.environ.get("SAFELIGHT_TEST_CLOCK")
if _file:
    with open(_file, "rb") as _opened:
        _offset = mmap.mmap(_opened.fileno(), 8, access=mmap.ACCESS_READ)
    _real = time.time
    time.time = lambda: _real() + struct.unpack("d", _offset[:8])[0]
"""
"""`sitecustomize.py` of every process of such a house: wall-clock time is off by what a shared file says."""

OFF_BY = """
CREATE SCHEMA IF NOT EXISTS jumping;
CREATE TABLE IF NOT EXISTS jumping.off_by (seconds double precision NOT NULL);
INSERT INTO jumping.off_by VALUES (0);
CREATE OR REPLACE FUNCTION jumping.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
  'SELECT pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM jumping.off_by))';
"""
"""Postgres' clock, as statements find it that name no schema: `search_path` puts this one before the server's own."""
BEFORE_THE_SERVERS_OWN = "?options=-csearch_path%3Djumping,pg_catalog,public"


class Clock:
    """What it is off by stands in a file that all processes have mapped and, for Postgres, in a table."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "clock"
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "sitecustomize.py").write_text(SET_CLOCK)
        self._off_by = self._folder / "off_by"
        self._off_by.write_bytes(struct.pack("d", 0.0))
        self._url: str | None = None
        self.off_by_s = 0.0

    def added_to(self, environ: dict[str, str]) -> dict[str, str]:
        """The environment in which processes go by this clock."""
        path = os.pathsep.join([str(self._folder), environ["PYTHONPATH"]])
        return {**environ, "SAFELIGHT_TEST_CLOCK": str(self._off_by), "PYTHONPATH": path}

    def in_front_of(self, url: str) -> str:
        """The URL under which that Postgres database goes by this clock."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(OFF_BY.encode())
        self._url = url
        return url + BEFORE_THE_SERVERS_OWN

    def jump(self, by_s: float) -> None:
        """Now it is so much later, or earlier."""
        with self._off_by.open("r+b") as opened, mmap.mmap(opened.fileno(), 8) as shared:
            self.off_by_s += by_s
            shared[:8] = struct.pack("d", self.off_by_s)
        if self._url:
            with psycopg.connect(self._url, autocommit=True) as connection:
                connection.execute("UPDATE jumping.off_by SET seconds = %s", [self.off_by_s])
