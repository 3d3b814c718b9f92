"""The one statement of a search: candidates, score, page, total and facets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from vibe4vets.core.pagination import EXACT_UP_TO
from vibe4vets.resources.schemas import FacetName
from vibe4vets.resources.service.places import PlaceKind
from vibe4vets.resources.service.search import weights
from vibe4vets.resources.service.search.candidates import Candidates, code_query
from vibe4vets.resources.service.search.knowledge import Knowledge
from vibe4vets.resources.service.search.lexicon import SURE_WEIGHT
from vibe4vets.resources.service.search.narrowing import Narrowing
from vibe4vets.resources.service.search.scoring import Arguments, Scoring
from vibe4vets.resources.service.search.tsquery import all_of, any_of, lexeme
from vibe4vets.resources.service.search.understanding import Understanding

FACET_VALUES: Final = 50
_FACETS: Final = {
    FacetName.CATEGORY: "s.categories",
    FacetName.STATE: "s.states",
    FacetName.TAG: "s.tags",
    FacetName.SCOPE: "array[s.scope]",
}
KEYS: Final = 2
"""A page goes by score and id."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the ranking is read: after the last key of the page before, or past `skip` rows."""

    size: int
    skip: int = 0
    after: tuple[Any, Any] | None = None


class SearchStatement:
    """Builds the text and the arguments. Its shape depends on what was asked, its values never stand in the text."""

    def __init__(self, knowledge: Knowledge, understanding: Understanding, narrowing: Narrowing) -> None:
        self._understanding, self._narrowing = understanding, narrowing
        self._arguments = Arguments()
        self._scoring = Scoring(knowledge, understanding, self._arguments)

    def build(
        self, candidates: Candidates, page: Page, facets: Sequence[FacetName], *, explain: bool
    ) -> tuple[str, list[Any]]:
        """The statement and the values of $1, $2 ..."""
        scored, columns = self._scored(), self._answer(explain=explain)
        text = (
            f"with chosen as materialized ({self._chosen(candidates)}),\n"
            f"scored as ({scored}),\n"
            f"ranked as materialized ({self._ranked()}),\n"
            f"page as ({self._page(page)}),\n"
            f"matching as materialized ({self._matching(candidates.matching, facets)})\n"
            f"select {', '.join(['total.*', *columns])}\n"
            f"from (select {', '.join(self._totals(facets))}) total\n"
            "left join (\n"
            f"  page join lateral ({self._with_facts('s.id = page.id')}) s on true\n"
            "  join published_resources d on d.id = page.id\n) on true\n"
            "order by page.score desc, page.id desc"
        )
        return text, self._arguments.values

    # -- candidates and ranking

    def _chosen(self, candidates: Candidates) -> str:
        filters = self._narrowing.by_facet.values()
        return "\nunion ".join(
            f"(select s.ctid {self._from(all_of([branch.query, *filters]))} limit {branch.limit})"
            for branch in candidates.branches
        )

    def _from(self, query: str) -> str:
        conditions = self._narrowing.conditions
        join = "join published_resources on published_resources.id = s.id" if conditions else ""
        where = [f"s.words @@ {self._arguments.query(query)}", *map(self._with_values, conditions)]
        return f"from search_rows s {join} where {' and '.join(where)}"

    def _with_values(self, condition: str) -> str:
        """The condition with the placeholders of its values."""
        values = self._narrowing.values
        names = {name: self._arguments.bare(values[name]) for name in values if f"%({name})s" in condition}
        return condition % names

    def _scored(self) -> str:
        scoring = self._scoring
        score = f"({scoring.relevance()} * s.place + {scoring.completeness()})::float8"
        place = scoring.place()
        rows = self._with_facts("s.ctid = any(array(select ctid from chosen))")
        return (
            f"select s.id, s.title, s.place, {score} as base\n"
            f"from (select s.*, {place} as place from ({rows} offset 0) s offset 0) s\n"
            f"order by base desc, id desc limit {weights.RANKED}"
        )

    def _with_facts(self, condition: str) -> str:
        """The rows with all that the score stands on, each found out once."""
        return f"select {', '.join(['s.*', *self._scoring.facts()])} from search_rows s where {condition}"

    def _ranked(self) -> str:
        """Titles are compared for the best only: it costs more than all the rest."""
        return (
            f"select s.id, s.base + case when number <= {weights.COMPARED} then s.place * {self._scoring.likeness()}"
            " else 0 end as score\n"
            "from (select *, row_number() over (order by base desc, id desc) as number from scored) s"
        )

    def _page(self, page: Page) -> str:
        where = ""
        if page.after is not None:
            score, row_id = page.after
            where = f"where (score, id) < ({self._arguments.number(score)}, {self._arguments.add(row_id, 'uuid')})"
        size, skip = self._arguments.add(page.size, "int"), self._arguments.add(page.skip, "int")
        return f"select id, score from ranked {where} order by score desc, id desc limit {size} offset {skip}"

    # -- what the answer tells

    def _answer(self, *, explain: bool) -> list[str]:
        """The columns of a hit."""
        reading = self._understanding.reading
        has_point = reading is not None and reading.place.kind is not PlaceKind.STATE
        miles = self._scoring.exact_miles(reading) if reading is not None and has_point else "null::float8"
        columns = [
            "page.score as key_0", "page.id as key_1", "page.score", "d.document", f"{miles} as miles",
            f"array[{', '.join(self._matched())}]::boolean[] as matched",
        ]  # fmt: skip
        if explain:
            matches = ", ".join(match for _, match in self._scoring.matches)
            columns += [f"array[{matches}]::float8[] as shares", f"({self._scoring.place()})::float8 as nearness"]
        return columns

    def _matched(self) -> list[str]:
        """Whether words or codes of the query are in: title, organization, tags, description, location."""
        names = [e.lexeme for c in self._understanding.concepts if not c.is_filler for e in c.lexemes]
        found = [code_query(e.lexeme) for c in self._understanding.concepts for e in c.codes if e.weight >= SURE_WEIGHT]
        fields = {field: any_of(lexeme(name, field) for name in names) for field in "ACD"}
        query = self._arguments.query
        words = any_of(map(lexeme, names))
        organization = f"to_tsvector('vibe4vets', s.organization) @@ {query(words)}" if words else "false"
        return [
            f"s.words @@ {query(fields['A'])}" if names else "false",
            organization,
            f"s.words @@ {query(any_of(found))}" if found else "false",
            f"s.words @@ {query(fields['C'])}" if names else "false",
            f"({self._scoring.place()}) >= {self._arguments.number(weights.STATE_WIDE)}"
            if self._understanding.reading is not None
            else "false",
        ]

    def _totals(self, facets: Sequence[FacetName]) -> list[str]:
        passes = " and ".join(f"passes_{name.value}" for name in self._asked(facets)) or "true"
        return [
            f"(select count(*) from matching where {passes}) as matches",
            "(select lexicon from search_state) as lexicon",
            "(select vocabulary from search_state) as vocabulary",
            *(self._facet(name, facets) for name in facets),
        ]

    def _asked(self, facets: Sequence[FacetName]) -> list[FacetName]:
        """The filters that facets ignore one by one."""
        return list(self._narrowing.by_facet) if facets else []

    def _matching(self, query: str, facets: Sequence[FacetName]) -> str:
        """Everything found, up to one more than a page counts exactly."""
        filters = [] if facets else self._narrowing.by_facet.values()
        passes = [
            f"s.words @@ {self._arguments.query(self._narrowing.by_facet[name])} as passes_{name.value}"
            for name in self._asked(facets)
        ]
        columns = ", ".join([*passes, *(f"{_FACETS[name]} as {name.value}" for name in facets)])
        return f"select {columns} {self._from(all_of([query, *filters]))} limit {EXACT_UP_TO + 1}"

    def _facet(self, name: FacetName, facets: Sequence[FacetName]) -> str:
        others = [f"passes_{other.value}" for other in self._asked(facets) if other is not name]
        where = f"where {' and '.join(others)}" if others else ""
        return (
            "(select json_agg(json_build_array(value, uses) order by uses desc, value)::text from (\n"
            f"  select value, count(*) as uses from matching cross join lateral unnest({name.value}) as each(value)\n"
            f"  {where} group by value order by uses desc, value limit {FACET_VALUES}) counted) as facet_{name.value}"
        )
