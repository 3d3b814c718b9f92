"""What the README and the docs say is true: links, commands, settings, example answers."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
import typer.main
from pydantic import BaseModel

from vibe4vets.cli import app
from vibe4vets.connectors.base import Record
from vibe4vets.connectors.service import prepare
from vibe4vets.connectors.service.preparing import Prepared
from vibe4vets.connectors.sources.records import RecordFile
from vibe4vets.core.config import Settings

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]
COMPOSE = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
NOT_FOR_OPERATORS = {"embedded"}  # the command line sets it
CALL = re.compile(r"^\$ curl -s 'http://127\.0\.0\.1:8000(?P<path>\S+)'\n(?P<shown>.*?)^```", re.MULTILINE | re.DOTALL)
CALLS = [(match["path"], match["shown"]) for match in CALL.finditer(README)]
FACT = re.compile(r'"(?P<key>[a-z_]+)": (?P<value>"(?:[^"\\]|\\.)*"|[0-9.]+|null|true|false|\[(?:"[^"]*"(?:, )?)*\])')
OF_THE_DAY = {"id", "created_at", "updated_at", "freshness", "score"}  # differ by installation or by the day


def settings_of(model: type[BaseModel] | BaseModel, prefix: str = "VIBE4VETS_") -> Iterator[tuple[str, str | None]]:
    """Every variable with its default as text; None where there is none to write down."""
    for name, field in (model if isinstance(model, type) else type(model)).model_fields.items():
        default = None if field.default_factory else field.default
        variable = str(field.validation_alias or f"{prefix}{name.upper()}")
        if name in NOT_FOR_OPERATORS:
            continue
        if isinstance(default, BaseModel):
            yield from settings_of(default, f"{prefix}{name.upper()}__")
        else:
            yield variable, _written(default)


def _written(default: Any) -> str | None:
    if isinstance(default, timedelta):
        if default.days:
            return f"P{default.days}D"
        whole, fraction = divmod(default.total_seconds(), 1)
        return str(timedelta(seconds=whole)).zfill(8) + (f"{fraction:.1f}"[1:] if fraction else "")
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or None
    return str(default).lower() if isinstance(default, bool) else None if default is None else str(default)


def test_readme_lists_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_0-9]+)` \| (?:`(.*?)`)? ?\|", README, re.MULTILINE)
    assert {name: default or None for name, default in rows} == dict(settings_of(Settings))


def test_env_example_shows_every_setting_with_its_default() -> None:
    lines = re.findall(r"^#([A-Z_0-9]+)=(.*)$", (PROJECT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    shown, known = dict(lines), dict(settings_of(Settings))
    of_compose = set(re.findall(r"(?<!\$)\$\{([A-Z_0-9]+)", COMPOSE))
    assert shown.keys() == known.keys() | of_compose
    assert {name: shown[name] for name, default in known.items() if default is not None} == {
        name: default for name, default in known.items() if default is not None
    }


def test_env_example_is_read_as_it_stands(tmp_path: Path) -> None:
    text = (PROJECT / ".env.example").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(re.sub(r"^#([A-Z_0-9]+=.)", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    read, default = Settings(_env_file=tmp_path / ".env"), Settings(_env_file=None)
    assert read.database_url is not None
    assert (read.database, read.http, read.limits, read.docs, read.env) == (
        default.database,
        default.http,
        default.limits,
        default.docs,
        default.env,
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    broken = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert broken == []


def test_readme_names_every_page_of_the_docs() -> None:
    linked = {(PROJECT / target).resolve() for target in re.findall(r"\]\((docs/[^)#]*)", README)}
    pages = {page for page in PAGES if page.parent == PROJECT / "docs"}
    assert pages <= linked


def test_commands_exist_with_their_options() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group) or hasattr(group, "commands")
    known = {name: _flags(command) for name, command in group.commands.items()}
    table = set(re.findall(r"^\| `vibe4vets (\w+)[^`]*` \|", README, re.MULTILINE))
    assert table == known.keys()
    for page in PAGES:
        for name, rest in re.findall(r"vibe4vets ([a-z]+)\b([^\n`|)]*)", _commands(page)):
            assert name in known, f"{page.name}: vibe4vets {name}"
            assert set(re.findall(r"--[a-z-]+", rest)) <= known[name] | {"--help"}, f"{page.name}: {name} {rest}"


def _flags(command: Any) -> set[str]:
    """Every option of a command, and of the commands below it."""
    below = getattr(command, "commands", {}).values()
    return {flag for p in command.params for flag in p.opts}.union(*map(_flags, below))


def _commands(page: Path) -> str:
    """What stands as code: the spans, and the lines of shell blocks that run the command line."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`(vibe4vets [^`]+)`", text)
    runs = (line for block in blocks for line in block.splitlines())
    return "\n".join([*spans, *(line for line in runs if re.search(r"(run|api) .*vibe4vets [a-z]", line))])


def test_readme_shows_five_calls() -> None:
    assert len(CALLS) == 5


@pytest.mark.parametrize(("path", "shown"), CALLS, ids=[path for path, _ in CALLS])
async def test_example_call_answers_what_the_readme_shows(reader: httpx.AsyncClient, path: str, shown: str) -> None:
    answer = await reader.get(path)
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == _top_level_keys(shown)
    true = {(key, json.dumps(value)) for key, value in _pairs(body)}
    facts = [(found["key"], found["value"]) for found in FACT.finditer(shown)]
    facts = [(key, value) for key, value in facts if key not in OF_THE_DAY and "..." not in value]
    assert facts
    assert [fact for fact in facts if (fact[0], json.dumps(json.loads(fact[1]))) not in true] == []


def _top_level_keys(shown: str) -> list[str]:
    """The keys of the outermost object, in an answer that `...` may shorten anywhere."""
    keys, depth = [], 0
    for token in re.finditer(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[\[\]{}]', shown):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[2] and depth == 1:
            keys.append(token[1])
    return keys


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    if isinstance(value, dict):
        yield from value.items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _pairs(inner)


async def test_addresses_of_the_readme_exist(reader: httpx.AsyncClient) -> None:
    known = {*(await reader.get("/openapi.json")).json()["paths"], "/docs", "/redoc", "/openapi.json"}
    rows = re.findall(r"^\| (`/.*?) \|", README, re.MULTILINE)
    assert {address for row in rows for address in re.findall(r"`([^`]+)`", row)} == {
        re.sub(r"\{(resource|session|user|key|proposal|merge|entry)_id\}", "{id}", address) for address in known
    }


async def test_the_example_of_the_record_file_is_a_good_record(tmp_path: Path) -> None:
    page = (PROJECT / "docs/record-file.md").read_text(encoding="utf-8")
    example = re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "records.ndjson").write_text(example, encoding="utf-8")
    file = RecordFile(tmp_path / "records.ndjson")
    (record,) = [item async for page in file.pages() for item in page.items]
    assert isinstance(record, Record)
    assert isinstance(prepare(record), Prepared)
    assert file.warnings() == []


def test_the_record_file_page_names_every_key() -> None:
    page = (PROJECT / "docs/record-file.md").read_text(encoding="utf-8")
    starter = (PROJECT / "src/vibe4vets/connectors/starter/directory.ndjson").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+?) \| [^|]* \|", page, re.MULTILINE)
    named = {key for row in rows for key in re.findall(r"`([a-z_]+)`", row)}
    assert named == {key for line in starter.splitlines() for key in json.loads(line)}
