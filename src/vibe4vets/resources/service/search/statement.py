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
from vibe4vets.resources.service.search.tsquery import Query, all_of, any_of, lexeme
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
        self._knowledge, self._understanding, self._narrowing = knowledge, understanding, narrowing
        self._is_large = knowledge.versions.resources >= weights.SAMPLED_FROM
        self._arguments = Arguments()
        self._scoring = Scoring(knowledge, understanding, self._arguments)

    def build(
        self, candidates: Candidates, page: Page, facets: Sequence[FacetName], *, explain: bool
    ) -> tuple[str, list[Any]]:
        """The statement and the values of $1, $2 ..."""
        scored, columns = self._scored(), self._answer(explain=explain)
        text = (
            f"with {self._chosen(candidates)},\n"
            f"scored as ({scored}),\n"
            f"ranked as materialized ({self._ranked()}),\n"
            f"page as ({self._page(page)}),\n"
            f"{self._matching(candidates.found, facets)}\n"
            f"select {', '.join(['total.*', *columns])}\n"
            f"from (select {', '.join(self._totals(candidates.found, facets))}) total\n"
            "left join (\n"
            f"  page join lateral ({self._with_facts('s.id = page.id')}) s on true\n"
            "  join published_resources d on d.id = page.id\n) on true\n"
            "order by page.score desc, page.id desc"
        )
        return text, self._arguments.values

    # -- candidates and ranking

    def _chosen(self, candidates: Candidates) -> str:
        """The rows of all branches; in a large directory one by one, for a branch may make another needless."""
        filters = [*self._narrowing.by_facet.values()]
        queries = [all_of([branch.query, *filters]) for branch in candidates.branches]
        if not self._is_large:  # one plan for all of them: eight of their own take longer to plan than to run
            each = ", ".join(map(self._arguments.query, queries))
            rows = f"select s.ctid {self._rows('s.words @@ each.query')} limit {candidates.limit}"
            found = f"unnest(array[{each}]) each(query) cross join lateral ({rows}) found"
            return f"chosen as materialized (select distinct found.ctid from {found})"
        numbers = {branch.query: number for number, branch in enumerate(candidates.branches)}
        closer: list[list[int]] = []
        for number, branch in enumerate(candidates.branches):
            instead = numbers[branch.instead] if branch.instead else number
            # what is core and related at once stands before what is closer
            closer.append([*closer[instead], instead] if instead < number else [])
        most = max(candidates.limit, weights.BRANCH_OF_MANY)
        branches = [self._branch(number, query, most, closer[number]) for number, query in enumerate(queries)]
        titled = self._titled([all_of([query, *filters]) for query in candidates.found])
        chosen = "\nunion ".join([*(f"select ctid from branch_{number}" for number in numbers.values()), titled])
        return f"{''.join(branches)}chosen as materialized ({chosen})"

    def _titled(self, found: Sequence[Query]) -> str:
        """What has a title that begins with all the words: among thousands with them a cap could miss its name."""
        words = self._arguments.add(" ".join(self._understanding.words), "text")
        named = f"select id from published_names where title >= {words} and title < {words} || '~' order by title"
        rows = f"select ctid, * from search_rows where id = any(array({named} limit {weights.BRANCH})) offset 0"
        return f"select s.ctid {self._from(found, f'({rows})')}"

    def _branch(self, number: int, query: Query, most: int, closer: Sequence[int]) -> str:
        """The rows of one branch unless a closer one is full; of what is common the sample's, if they fill it."""
        wanted = "".join(f" and (select count(*) from branch_{other}) < {most}" for other in closer)
        if self._at_most(query) < weights.COMMON:
            return f"branch_{number} as materialized (select s.ctid {self._within(query)}{wanted} limit {most}),\n"
        sample, seen = f"sample_{number}", f"(select count(*) from sample_{number})"
        return (
            f"{sample} as materialized (select s.id {self._from([query], 'search_sample')}{wanted} limit {most}),\n"
            f"branch_{number} as materialized (\n"
            f"  select ctid from search_rows where id = any(array(select id from {sample})) and {seen} >= {most}\n"
            f"  union all (select s.ctid {self._within(query)} and {seen} < {most}{wanted} limit {most})),\n"
        )

    def _within(self, query: Query) -> str:
        """What the query finds; where it asks for a field, which only the rows can tell, among so many of its words."""
        anywhere = query.anywhere()
        if anywhere == query:
            return self._from([query])
        some = f"select ctid, * from search_rows where words @@ {self._arguments.query(anywhere)}"
        return self._from([query], f"({some} limit {weights.LOOKED_THROUGH})")

    def _from(self, found: Sequence[Query], rows: str = "search_rows") -> str:
        """What any of the queries finds: one after the other in the index, each row once."""
        return self._rows(" or ".join(f"s.words @@ {self._arguments.query(query)}" for query in found), rows)

    def _rows(self, match: str, rows: str = "search_rows") -> str:
        conditions = self._narrowing.conditions
        join = "join published_resources on published_resources.id = s.id" if conditions else ""
        return f"from {rows} s {join} where {' and '.join([f'({match})', *map(self._with_values, conditions)])}"

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

    def _totals(self, found: Sequence[Query], facets: Sequence[FacetName]) -> list[str]:
        counted = f"(select count(*) from matching where {self._passing(facets)})"
        told = [f"{counted} as matches"]
        if self._may_estimate(found):
            estimate = f"select case when is_estimate then estimate else {counted} end"
            told = [f"({estimate} from sampled) as matches", "(select is_estimate from sampled) as is_estimate"]
        return [
            *told,
            "(select lexicon from search_state) as lexicon",
            "(select vocabulary from search_state) as vocabulary",
            *(self._facet(name, found, facets) for name in facets),
        ]

    def _may_estimate(self, found: Sequence[Query]) -> bool:
        return self._is_large and sum(map(self._at_most, found)) > weights.COUNTED

    def _at_most(self, query: Query) -> int:
        return query.at_most(self._knowledge.resources)

    def _asked(self, facets: Sequence[FacetName]) -> list[FacetName]:
        """The filters that facets ignore one by one."""
        return list(self._narrowing.by_facet) if facets else []

    def _passing(self, facets: Sequence[FacetName]) -> str:
        return " and ".join(f"passes_{name.value}" for name in self._asked(facets)) or "true"

    def _matching(self, found: Sequence[Query], facets: Sequence[FacetName]) -> str:
        """Everything found, up to one more than a page counts exactly; of very many those in the sample."""
        filters = [] if facets else self._narrowing.by_facet.values()
        passes = [
            f"s.words @@ {self._arguments.query(self._narrowing.by_facet[name])} as passes_{name.value}"
            for name in self._asked(facets)
        ]
        columns = ", ".join([*passes, *(f"{_FACETS[name]} as {name.value}" for name in facets)]) or "true"
        queries, most = [all_of([query, *filters]) for query in found], EXACT_UP_TO + 1
        every = self._from(queries)
        if not self._may_estimate(found):
            return f"matching as materialized (select {columns} {every} limit {most})"
        sample, looked_at = self._from(queries, "search_sample"), most if facets else most // weights.SAMPLED + 1
        estimate = (
            f"count(*) >= {weights.TELLING_SAMPLE} as is_estimate, count(*) as passing,"
            f" least({weights.SAMPLED} * count(*), {most}) as estimate"
        )
        return (
            f"few as materialized (select {columns} {sample} limit {looked_at}),\n"
            f"sampled as materialized (select {estimate} from few where {self._passing(facets)}),\n"
            "matching as materialized (select * from few where (select is_estimate from sampled)\n"
            f"union all (select {columns} {every} and not (select is_estimate from sampled) limit {most}))"
        )

    def _facet(self, name: FacetName, found: Sequence[Query], facets: Sequence[FacetName]) -> str:
        others = [f"passes_{other.value}" for other in self._asked(facets) if other is not name]
        where = f"where {' and '.join(others)}" if others else ""
        uses = "count(*)"
        if self._may_estimate(found):  # shares of the total that is told
            share = f"least(estimate, {EXACT_UP_TO})::float8 / passing"
            uses += f" * (select case when is_estimate then {share} else 1 end from sampled)"
        return (
            "(select json_agg(json_build_array(value, round(uses)) order by uses desc, value)::text from (\n"
            f"  select value, {uses} as uses from matching cross join lateral unnest({name.value}) as each(value)\n"
            f"  {where} group by value order by uses desc, value limit {FACET_VALUES}) counted) as facet_{name.value}"
        )
