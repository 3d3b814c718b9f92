"""The project's own taxonomy and lexicon, brought into the tables; what administrators wrote stays theirs."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import text

from vibe4vets.core.database import Session
from vibe4vets.resources.folding import fold
from vibe4vets.resources.terms import taxonomy

_FOLDER: Final = files("vibe4vets.resources") / "lexicon"
_TERMS = text("""
insert into taxonomy_terms (code, parent, category, name, description)
select code, parent, category, name, description
from jsonb_to_recordset(cast(:rows as jsonb)) as r(code text, parent text, category text, name text, description text)
on conflict (code) do update set
  parent = excluded.parent, category = excluded.category, name = excluded.name, description = excluded.description
""")
_ENTRIES = text("""
with given as (
  select * from jsonb_to_recordset(cast(:rows as jsonb))
    as r(phrase text, kind text, language text, codes jsonb, official_words text)
), gone as (
  delete from lexicon_entries e
  where origin = 'project' and not exists (select from given g where g.phrase = e.phrase)
)
insert into lexicon_entries as known (phrase, kind, language, codes, official_words, origin, is_retired, version)
select phrase, kind, language, codes, official_words, 'project', false, 1 from given order by phrase
on conflict (phrase) do update set
  kind = excluded.kind, language = excluded.language, codes = excluded.codes,
  official_words = excluded.official_words, version = known.version + 1, updated_at = now()
  where known.origin = 'project' and (known.kind, known.language, known.codes, known.official_words)
    is distinct from (excluded.kind, excluded.language, excluded.codes, excluded.official_words)
""")


async def seed_lexicon(session: Session) -> None:
    """Bring the taxonomy and the lexicon of this version into the database; doing it again changes nothing."""
    await session.execute(_TERMS, {"rows": json.dumps([*taxonomy().values()])})
    await session.execute(_ENTRIES, {"rows": json.dumps(entries())})


@cache
def entries() -> list[dict[str, Any]]:
    """The entries of `lexicon/phrases.tsv`, one for each of a line's phrases, which share their meaning."""
    return [
        {"phrase": folded, "kind": kind, "language": language, "codes": parse_codes(codes),
         "official_words": fold(official)}
        for kind, language, codes, official, phrases in _lines("phrases.tsv")
        for phrase in phrases.split(";")
        if (folded := fold(phrase))
    ]  # fmt: skip


def parse_codes(text_of_codes: str) -> dict[str, float]:
    """Codes as the file writes them: `ssvf,homeless-services^.3`; without a weight a code is what is meant."""
    parts = (part.partition("^") for part in text_of_codes.split(",") if part)
    return {code: float(weight or 1) for code, _, weight in parts}


def _lines(name: str) -> Iterator[list[str]]:
    text_of_file = (_FOLDER / name).read_text(encoding="utf-8")
    return (line.split("\t") for line in text_of_file.splitlines() if line and not line.startswith("#"))
