"""`If-Match` as a dependency."""

from typing import Annotated

from fastapi import Depends, Header

from vibe4vets.core.preconditions import IfMatch, PreconditionRequired


async def read_if_match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` of the version that you have read: 428 without, 412 when it has changed since.",
            examples=['"mQ3n0vTtY0u1Y2r9tXkq4w"'],
        ),
    ] = None,
) -> IfMatch:
    """The tags of `If-Match`; raises PreconditionRequired without the header."""
    tags = frozenset(tag for tag in (part.strip() for part in (if_match or "").split(",")) if tag)
    if not tags:
        raise PreconditionRequired
    return IfMatch(tags)


IfMatchDep = Annotated[IfMatch, Depends(read_if_match)]
