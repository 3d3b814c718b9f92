"""Answers as the documentation shows them."""

from typing import Any

USER: dict[str, Any] = {
    "id": "0b0f6a0e-8c55-4b63-9f0e-2f7a4f6b1c11",
    "email": "pat@example.org",
    "role": "partner",
    "state": "active",
    "has_password": True,
    "password_expires_at": None,
    "created_at": "2026-11-01T12:00:00Z",
    "updated_at": "2026-11-02T09:30:00Z",
}
RESET_LINK: dict[str, Any] = {
    "token": "v4vp_4Q8zWb0vXkq1mT7cJ2nLr9sYd5hPf3gKx6uEaBoCiDp",
    "expires_at": "2026-11-02T09:45:00Z",
    "link": "https://staff.example.org/reset#token=v4vp_4Q8zWb0vXkq1mT7cJ2nLr9sYd5hPf3gKx6uEaBoCiDp",
}
KEY: dict[str, Any] = {
    "id": "5d3c2b1a-8c55-4b63-9f0e-2f7a4f6b1c11",
    "user_id": USER["id"],
    "name": "nightly feed",
    "prefix": "v4v_4Q8zWb0vXkq1",
    "scopes": ["proposals:read", "proposals:write"],
    "created_at": "2026-11-01T12:00:00Z",
    "expires_at": "2027-11-01T12:00:00Z",
    "last_used_at": "2026-11-02T03:00:00Z",
    "revoked_at": None,
}
NEW_KEY: dict[str, Any] = {
    **KEY,
    "last_used_at": None,
    "key": "v4v_4Q8zWb0vXkq1_mT7cJ2nLr9sYd5hPf3gKx6uEaBoCiDpvWtHyZjNRMlSGOA1b2c3d",
}
EVENT: dict[str, Any] = {
    "sequence": 4711,
    "at": "2026-11-02T09:30:00Z",
    "actor_kind": "user",
    "actor_id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
    "action": "user.change_role",
    "target_kind": "user",
    "target_id": USER["id"],
    "before_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "after_hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "request_id": "5f0c9a52c9d84d1f8a7f3f0e6d3c2b1a",
    "details": {},
}


def _page(item: dict[str, Any]) -> dict[str, Any]:
    return {"items": [item], "total": 1, "total_is_exact": True, "next_cursor": None}


USERS, KEYS, EVENTS = _page(USER), _page(KEY), _page(EVENT)
_FIELD: dict[str, Any] = {
    "field": "phone",
    "before": "+16145550123",
    "after": "+16145550199",
    "current": "+16145550123",
    "conflicts": False,
}
CLAIM: dict[str, Any] = {"user_id": USER["id"], "claimed_until": "2026-11-02T09:45:00Z"}
REVIEW: dict[str, Any] = {
    "id": "9d0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f22",
    "version": 1,
    "kind": "change",
    "origin": "public",
    "state": "open",
    "risk": "high",
    "resource_id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
    "changes": [_FIELD],
    "conflicting": False,
    "feedback": None,
    "note": "New line since Monday.",
    "base_version": 2,
    "submissions": 2,
    "reason": None,
    "created_at": "2026-10-30T12:00:00Z",
    "decided_at": None,
    "claim": CLAIM,
}
REVIEWS: dict[str, Any] = {"items": [REVIEW], "total": 1, "total_is_exact": True, "next_cursor": None}
REVIEW_DETAIL: dict[str, Any] = {
    **REVIEW,
    "resource": None,
    "history": [],
    "duplicates": [{"id": "1c9d4a0e-6c0e-4f5a-8a62-3b7e0d1f6a90", "title": "Food pantry", "similarity": 0.71}],
    "contacts": [{"name": "Pat", "email": "pat@example.org", "phone": None}],
    "decision": None,
}
BULK_RESULT: dict[str, Any] = {
    "outcomes": [
        {"id": REVIEW["id"], "state": "approved", "problem": None},
        {"id": "1c9d4a0e-6c0e-4f5a-8a62-3b7e0d1f6a90", "state": None, "problem": "proposal-decided"},
    ]
}
STATS: dict[str, Any] = {
    "queue": {
        "open": 3,
        "by_kind": {"change": 3},
        "by_risk": {"high": 1, "low": 2},
        "oldest_at": "2026-10-30T12:00:00Z",
    },
    "decisions": [{"day": "2026-11-01", "approved": 12, "rejected": 2}],
    "verification": {"never": 1100, "oldest_at": "2026-01-05T10:00:00Z"},
    "coverage": {"category": {"housing": 344}, "state": {"OH": 41}},
    "coverage_by_state": {"OH": {"housing": 12, "food": 29}},
}
WORKLIST: dict[str, Any] = {
    "items": [
        {
            "id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
            "version": 3,
            "etag": '"3"',
            "title": "Supportive Services for Veteran Families",
            "phone": "+18774243838",
            "states": ["OH"],
            "source": "va_facilities",
            "verified_at": None,
            "priority": 12.25,
            "reasons": [
                "Never verified; its source's facts are as of 2023-05-01",
                "A national program with a telephone number",
                "3 open reports say that something is wrong",
                "120 views in 30 days",
            ],
        }
    ],
    "total": 1,
    "total_is_exact": True,
    "next_cursor": None,
}
DUPLICATES: dict[str, Any] = {"items": [], "total": 0, "total_is_exact": True, "next_cursor": None}
MERGE: dict[str, Any] = {
    "id": "3f7d2b1a-8c55-4b63-9f0e-2f7a4f6b1c33",
    "kept_id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
    "merged_id": "1c9d4a0e-6c0e-4f5a-8a62-3b7e0d1f6a90",
    "changes": [{"field": "website", "before": None, "after": "https://www.example.org/"}],
    "moved_proposals": 1,
    "created_at": "2026-11-02T09:30:00Z",
}
LEXICON_ENTRY: dict[str, Any] = {
    "id": "5e1c2b1a-8c55-4b63-9f0e-2f7a4f6b1c44",
    "version": 2,
    "phrase": "ebt card",
    "kind": "need",
    "language": "en",
    "codes": {"food-assistance": 1.0},
    "official_words": "food stamps",
    "origin": "admin",
    "created_at": "2026-11-01T12:00:00Z",
    "updated_at": "2026-11-02T09:30:00Z",
}
LEXICON: dict[str, Any] = _page(LEXICON_ENTRY)
SEARCHES: dict[str, Any] = _page(
    {"text": "ebt", "searches": 41, "zero_results": 0, "fallbacks": 38, "last_day": "2026-11-20"}
)
