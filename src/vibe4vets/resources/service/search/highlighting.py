"""Where the words of a query stand in a hit, as ranges in code points."""

import re
from collections.abc import Mapping
from typing import Any, Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.understanding import ConceptKind, Understanding

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019\u02bc`][^\W_]+)*")
_FIELDS: Final = ("title", "summary", "description")


class Highlighter:
    """Marks every word that has a lexeme of the query, in whatever form: "shelters" for "shelter"."""

    def __init__(self, knowledge: Knowledge, understanding: Understanding) -> None:
        self._knowledge = knowledge
        self._lexemes = frozenset(
            evidence.lexeme
            for concept in understanding.concepts
            if concept.kind is not ConceptKind.PLACE and not concept.is_filler
            for evidence in (*concept.lexemes, *concept.synonyms)
        )

    def highlights(self, resource: Mapping[str, Any]) -> dict[str, list[list[int]]]:
        """By field, [start, end) of each word; fields without any are left out."""
        texts = {field: resource[field] for field in _FIELDS} | {"organization": resource["organization"]["name"]}
        found = {field: self._ranges(text) for field, text in texts.items() if text}
        return {field: ranges for field, ranges in found.items() if ranges}

    def _ranges(self, text: str) -> list[list[int]]:
        return [[word.start(), word.end()] for word in _WORD.finditer(text) if self._is_meant(word[0])]

    def _is_meant(self, word: str) -> bool:
        return any(self._knowledge.lexeme(part) in self._lexemes for part in fold(word).split())
