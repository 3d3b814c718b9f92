"""Ways a run can fail, and what can be wrong with a request about one."""

from http import HTTPStatus
from uuid import UUID

from vibe4vets.core.errors import AppError


class RunUnderWay(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "run-under-way",
        "Another run of this connector is under way; wait until it has ended.",
    )

    def __init__(self, run_id: UUID) -> None:
        super().__init__(f"It is run {run_id}: wait until it has ended, confirm it if it is held, or cancel it.")
        self.run_id = run_id

    def __str__(self) -> str:
        return f"{self.title} {self.detail}"


class RunNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "run-not-found", "There is no such run."
    advice = "GET /api/v1/connectors/{name}/runs lists the runs of a connector."


class RunEnded(AppError):
    status, type, title = HTTPStatus.CONFLICT, "run-ended", "This run has ended; it can no longer be cancelled."


class RunNotHeld(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "run-not-held",
        "This run does not wait for a confirmation; look at its state.",
    )


class RunTaken(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "run-taken",
        "This run was cancelled, or was silent for so long that it was given up; what it had applied is kept.",
    )


class ConnectorNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "connector-not-found", "There is no such connector."
    advice = "GET /api/v1/connectors lists every connector."


class ConnectorOff(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "connector-off",
        "This connector cannot run now; the detail says what is in the way.",
    )


class UnusableFile(AppError):
    status, type, title = (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unusable-file",
        "The file cannot be imported as it is; the detail says where and what to do.",
    )
    about = "/body/file"


class OtherKind(AppError):
    status, type, title = (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "other-kind",
        "The file is of a kind that is not read; the detail says how to save it.",
    )
