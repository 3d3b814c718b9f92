"""Ways a request to the directory can fail."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError


class ResourceNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "resource-not-found", "There is no such resource."
    advice = "Look for it with GET /api/v1/search or GET /api/v1/resources."


class ResourceGone(AppError):
    status, type, title = (
        HTTPStatus.GONE,
        "resource-gone",
        "This resource is no longer published; `successor` names the one that replaces it, if any.",
    )
    advice = "Ask for the `successor`; without one, look for another with GET /api/v1/search."


class OrganizationNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "organization-not-found", "There is no such organization."
    advice = "GET /api/v1/organizations lists those that offer something."


class RevisionNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "revision-not-found", "This resource has no such version."
    advice = "GET /api/v1/admin/resources/{id}/revisions lists its versions."


class ResourceStateConflict(AppError):
    status, type, title = HTTPStatus.CONFLICT, "resource-state", "The resource is not in a state that allows this."
    advice = "Read the resource again: its `status` tells what may be done with it."


class SuggestionNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "suggestion-not-found", "There is no suggestion with this token."
    advice = "Copy the whole `token` of the receipt."


class ProposalNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "proposal-not-found", "There is no such proposal."
    advice = "List the proposals that you may see, and take an `id` from there."


class ProposalDecided(AppError):
    status, type, title = HTTPStatus.CONFLICT, "proposal-decided", "Somebody has decided this proposal already."
    advice = "Read it again: `state` and `reason` tell what was decided."


class ProposalConflicts(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "proposal-conflicts",
        "A field has changed since this was proposed: compare the values, then name the `fields` to apply.",
    )


class OwnProposal(AppError):
    status, type, title = HTTPStatus.FORBIDDEN, "own-proposal", "Nobody decides what they have proposed themselves."
    advice = "Leave it to another reviewer."


class MergeNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "merge-not-found", "There is no such pair or merge."
    advice = "GET /api/v1/admin/duplicates lists the pairs; a merge has told its `id` when it was made."


class MergeOutOfDate(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "merge-out-of-date",
        "The kept resource has changed since; roll it back by hand, then undo the merge.",
    )


class PlacesFileRefused(AppError):
    status, type, title = HTTPStatus.UNPROCESSABLE_ENTITY, "places-file-refused", "The file holds no places."
    advice = "Load a file of GeoNames or the Census gazetteer, or a CSV as the README tells."


class EntryNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "lexicon-entry-not-found", "There is no such entry; list them anew."


class PhraseTaken(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "lexicon-phrase-taken",
        "The lexicon has an entry for this phrase; change that one.",
    )
