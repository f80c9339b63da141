"""Rules of this project that no linter knows. `python -m tools.check_rules` prints each violation and exits with 1.

Who may write: only `services/` writes job rows, only `services/credits.py` writes accounts and ledger. Domain and
ledger import nothing but Python. No file carries unfinished work, a package registry's address or one machine's paths.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.source_tree import text_files

PACKAGE = "src/safelight/"
MIGRATIONS = "src/safelight/store/migrations/"
JOBS_WRITERS = "src/safelight/services/"
MONEY_WRITER = "src/safelight/services/credits.py"
MONEY_TABLES = frozenset({"accounts", "ledger"})
PLAIN_PYTHON = {"src/safelight/domain/": ("domain",), "src/safelight/ledger/": ("ledger", "domain")}

_WRITES = frozenset({"insert", "update", "delete"})
_RAW_WRITE = re.compile(r"\b(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE(?=\s+\S+\s+SET\b))\s+\"?(\w+)", re.IGNORECASE)
_UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|NotImplemented" r"Error)\b")
_REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs|registry\.npm|registry\.yarnpkg|deb\.debian)\.(?:org|com)")
_MACHINE_PATH = re.compile(r"(?:^|[\s\"'`(=:])/(?:work|root|tmp|Users)/", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Violation:
    """One place that breaks a rule, and what to do instead."""

    path: str
    line: int
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.advice}"


def check(path: str, text: str) -> Iterator[Violation]:
    """All violations in one file. `path` is relative to the repository, with forward slashes."""
    yield from _places(path, text, _UNFINISHED, "unfinished work: finish it, or say it in the closing note")
    yield from _places(path, text, _REGISTRY, "names a package registry: leave that to the user's configuration")
    yield from _places(path, text, _MACHINE_PATH, "carries a path of one machine: derive it, or use a temporary folder")
    if path.startswith(PACKAGE) and path.endswith(".py"):
        yield from _check_code(path, text)


def _places(path: str, text: str, pattern: re.Pattern[str], advice: str) -> Iterator[Violation]:
    for match in pattern.finditer(text):
        yield Violation(path, text.count("\n", 0, match.end()) + 1, f"{advice}: {match[0].strip()!r}")


def _check_code(path: str, text: str) -> Iterator[Violation]:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield Violation(path, error.lineno or 1, f"is not Python: {error.msg}")
        return
    yield from _foreign_writes(path, tree)
    yield from _foreign_imports(path, tree)


def _foreign_writes(path: str, tree: ast.Module) -> Iterator[Violation]:
    if path.startswith(MIGRATIONS):
        return
    for line, table in _written_tables(tree):
        if table == "jobs" and not path.startswith(JOBS_WRITERS):
            yield Violation(path, line, "only services/ writes job rows: call a use case")
        if table in MONEY_TABLES and path != MONEY_WRITER:
            yield Violation(path, line, f"only services/credits.py writes {table}: call its functions")


def _written_tables(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and table of `update(jobs)`, `sa.update(tables.jobs)`, `jobs.update()` and SQL in text; docstrings aside."""
    real_names = _import_aliases(tree)
    docstrings = _docstrings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=verb), args=[target, *_]) if real_names.get(verb, verb) in _WRITES:
                yield node.lineno, _table_name(target, real_names)
            case ast.Call(func=ast.Attribute(attr=verb, value=owner), args=args) if verb in _WRITES:
                yield node.lineno, _table_name(owner, real_names)
                if args:
                    yield node.lineno, _table_name(args[0], real_names)
            case ast.Constant(value=str(sql)) if id(node) not in docstrings:
                for found in _RAW_WRITE.finditer(sql):
                    yield node.lineno, found[1].lower()


def _table_name(node: ast.expr, real_names: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return real_names.get(name, name)
        case ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _import_aliases(tree: ast.Module) -> dict[str, str]:
    return {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }


def _docstrings(tree: ast.Module) -> set[int]:
    """Ids of all string expressions that stand alone: docstrings, and the notes below constants."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _foreign_imports(path: str, tree: ast.Module) -> Iterator[Violation]:
    for folder, allowed in PLAIN_PYTHON.items():
        if not path.startswith(folder):
            continue
        for line, module in _imported_modules(tree):
            own = any(module == f"safelight.{name}" or module.startswith(f"safelight.{name}.") for name in allowed)
            if not own and module.split(".")[0] not in sys.stdlib_module_names:
                yield Violation(path, line, f"{folder} is plain Python and imports no {module}")


def _imported_modules(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield node.lineno, alias.name
            case ast.ImportFrom(module=str(module), names=names) if module == "safelight":
                for alias in names:
                    yield node.lineno, f"safelight.{alias.name}"
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module


def violations(files: Iterable[tuple[str, str]]) -> list[Violation]:
    return [violation for path, text in files for violation in check(path, text)]


def main() -> int:
    found = violations(text_files())
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
