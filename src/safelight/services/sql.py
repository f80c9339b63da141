"""Small words for writing statements: named arguments with their types, JSON as text."""

from __future__ import annotations

import json
from typing import Any, Final

import sqlalchemy as sa

from safelight.store.tables import TIME

TEXT: Final = sa.Text()
INTEGER: Final = sa.BigInteger()
REAL: Final = sa.Float(53)
FLAG: Final = sa.Boolean()


def arg(name: str, kind: Any = TEXT) -> sa.BindParameter[Any]:
    """A value given at run time. Names must differ from the table's columns (SQLAlchemy reserves those)."""
    return sa.bindparam(name, type_=kind)


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
NOW: Final = arg("at_now", TIME)


def as_json(value: Any) -> str:
    """JSON as it is stored: compact, readable letters, no NaN."""
    return _ENCODER.encode(value)
