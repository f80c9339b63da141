"""A server for the commands, and the way to run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
