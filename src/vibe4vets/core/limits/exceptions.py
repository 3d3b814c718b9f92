"""What a limit answers."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError
from vibe4vets.core.quotas import Spent


class TooManyRequests(AppError):
    status, type, title = HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "Too many requests; wait, then try again."
    headers = {"Retry-After": "60"}

    def __init__(self, spent: Spent) -> None:
        """`Retry-After` is when the limit begins anew: whoever waits so long is served."""
        limit = spent.limit
        super().__init__(
            f"At most {limit.quota} in {limit.seconds} seconds; try again in {spent.seconds} seconds.",
            headers={"Retry-After": str(spent.seconds)},
        )
