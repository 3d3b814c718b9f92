"""Ways a request to the directory can fail."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError


class ResourceNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "resource-not-found", "There is no such resource."


class ResourceGone(AppError):
    status, type, title = (
        HTTPStatus.GONE,
        "resource-gone",
        "This resource is no longer published; `successor` names the one that replaces it, if any.",
    )


class OrganizationNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "organization-not-found", "There is no such organization."


class RevisionNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "revision-not-found", "This resource has no such version."


class ResourceStateConflict(AppError):
    status, type, title = HTTPStatus.CONFLICT, "resource-state", "The resource is not in a state that allows this."


class SuggestionNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "suggestion-not-found", "There is no suggestion with this token."


class ProposalNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "proposal-not-found", "There is no such proposal."


class ProposalDecided(AppError):
    status, type, title = HTTPStatus.CONFLICT, "proposal-decided", "Somebody has decided this proposal already."


class ProposalConflicts(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "proposal-conflicts",
        "A field has changed since this was proposed: compare the values, then name the `fields` to apply.",
    )


class OwnProposal(AppError):
    status, type, title = HTTPStatus.FORBIDDEN, "own-proposal", "Nobody decides what they have proposed themselves."


class MergeNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "merge-not-found", "There is no such pair or merge."


class MergeOutOfDate(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "merge-out-of-date",
        "The kept resource has changed since; roll it back by hand, then undo the merge.",
    )


class PlacesFileRefused(AppError):
    status, type, title = HTTPStatus.UNPROCESSABLE_ENTITY, "places-file-refused", "The file holds no places."


class EntryNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "lexicon-entry-not-found", "There is no such entry; list them anew."


class PhraseTaken(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "lexicon-phrase-taken",
        "The lexicon has an entry for this phrase; change that one.",
    )
