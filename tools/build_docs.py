"""Write the documentation that the program itself knows best; with `--check`, only say what is out of date.

Each document is a function from the text that stands there now to the text that should: whole files ignore it, the
README's table stands between two markers in a file people write.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tools.model_docs import models
from tools.source_tree import ROOT

NOTICE = "<!-- Written by `make docs`. Change the program instead. -->"


@dataclass(frozen=True, slots=True)
class Document:
    """One generated text: where it stands and how it is made."""

    path: str
    build: Callable[[str], str]


def settings_table(readme: str) -> str:
    """README.md with the table of settings between its markers."""
    from safelight.settings import settings_table_markdown

    return between_markers(readme, "settings", settings_table_markdown())


def command_line(_: str) -> str:
    """docs/cli.md: every command with its arguments and options."""
    from typer.main import get_command

    from safelight.cli.main import app

    sections = [_command_section(context) for context in _contexts(get_command(app), "safelight")]
    return "\n".join(["# Command line", "", NOTICE, "", *sections]).rstrip() + "\n"


def openapi(_: str) -> str:
    """docs/openapi.json: the public API as the server describes it. No request is made, so no installation is open."""
    from safelight.api.application import create_app

    described = create_app(cast(Any, None)).openapi()
    return json.dumps(described, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def supported(providers: str) -> str:
    """docs/providers.md with the table of what adapters support between its markers."""
    from tools.provider_table import local_table, table

    return between_markers(between_markers(providers, "support", table()), "local", local_table())


def finding_codes(diagnosis: str) -> str:
    """docs/diagnosis.md with the codes that rules give between its markers."""
    from safelight.diagnosis.rules import RULES

    rows = [f"| {', '.join(f'`{code}`' for code in rule.codes)} | {_cell(rule.about)} |" for rule in RULES]
    return between_markers(diagnosis, "codes", "\n".join(["| Code | When |", "|---|---|", *rows]))


DOCUMENTS = (
    Document("README.md", settings_table),
    Document("docs/cli.md", command_line),
    Document("docs/diagnosis.md", finding_codes),
    Document("docs/models.md", models),
    Document("docs/openapi.json", openapi),
    Document("docs/providers.md", supported),
)


def between_markers(text: str, name: str, content: str) -> str:
    """`text` with `content` between `<!-- name:begin -->` and `<!-- name:end -->`. Raises ValueError without them."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"the markers {begin} and {end} are missing")
    return f"{before}{begin}\n{content.strip()}\n{end}{after}"


def _contexts(command: Any, name: str, parent: Any = None) -> Iterator[Any]:
    """A context of the command and of every one below it, depth first, without hidden ones."""
    context = command.context_class(command, info_name=name, parent=parent, **command.context_settings)
    yield context
    for below_name, below in sorted(getattr(command, "commands", {}).items()):
        if not below.hidden:
            yield from _contexts(below, below_name, context)


def _command_section(context: Any) -> str:
    command = context.command
    records = [param.get_help_record(context) for param in command.get_params(context)]
    rows = [f"| `{_cell(name)}` | {_cell(text)} |" for name, text in filter(None, records)]
    about = (command.help or command.short_help or "").split("\f")[0].strip()
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    notes = [command.epilog, ""] if command.epilog else []
    return "\n".join(
        [f"## {context.command_path}", "", about, "", f"    {usage}", "", "| | |", "|---|---|", *rows, "", *notes]
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def out_of_date(documents: Iterable[Document], root: Path) -> Iterator[tuple[Path, str]]:
    """File and new text of every document that differs from what stands there."""
    for document in documents:
        path = root / document.path
        now = path.read_text(encoding="utf-8") if path.exists() else ""
        wanted = document.build(now)
        if wanted != now:
            yield path, wanted


def main(arguments: list[str]) -> int:
    only_check = "--check" in arguments
    stale = list(out_of_date(DOCUMENTS, ROOT))
    for path, wanted in stale:
        name = path.relative_to(ROOT)
        if only_check:
            print(f"{name} is out of date: run 'make docs'.")
        else:
            path.write_text(wanted, encoding="utf-8")
            print(f"Wrote {name}.")
    return 1 if stale and only_check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
