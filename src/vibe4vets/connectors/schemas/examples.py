"""What the API's description shows."""

from typing import Any, Final

_RUN_ID: Final = "6e1f0b52-3c35-4f0c-9f9c-0d6c1a7f2f44"
_NO_COUNTS: Final = dict.fromkeys(
    ["created", "updated", "published", "unchanged", "proposed", "withheld", "vanished", "retired", "quarantined"], 0
)
RUN_SUMMARY: Final[dict[str, Any]] = {
    "id": _RUN_ID,
    "connector": "va_facilities",
    "subject": "api.va.gov",
    "state": "held",
    "stage": "plan",
    "policy": "review",
    "trigger": "schedule",
    "dry_run": False,
    "attempt": 1,
    "done": 2397,
    "total": 2397,
    "counts": {**_NO_COUNTS, "updated": 12, "unchanged": 2080, "retired": 304, "quarantined": 1},
    "held_because": "It would retire 304 of 2,397 records.",
    "cancel_requested": False,
    "error": None,
    "advice": None,
    "created_at": "2026-11-21T03:00:00Z",
    "started_at": "2026-11-21T03:00:01Z",
    "finished_at": None,
}
RUN: Final[dict[str, Any]] = {
    **RUN_SUMMARY,
    "plan": {"counts": {"updated": 12, "retired": 304}, "fields": {"phone": 3, "hours": 9}},
    "warnings": [],
    "quarantine": f"/api/v1/connectors/runs/{_RUN_ID}/quarantine",
}
QUEUED: Final[dict[str, Any]] = {
    **RUN,
    "state": "queued",
    "stage": None,
    "trigger": "request",
    "attempt": 0,
    "done": 0,
    "total": None,
    "counts": _NO_COUNTS,
    "held_because": None,
    "started_at": None,
    "plan": None,
    "quarantine": None,
}
UPLOADED: Final[dict[str, Any]] = {
    **QUEUED,
    "connector": "county_franklin",
    "subject": "resources.csv",
    "trigger": "upload",
    "warnings": [],
}
CANCELLED: Final[dict[str, Any]] = {**RUN, "state": "cancelled", "finished_at": "2026-11-21T03:05:00Z"}
CONFIRMED: Final[dict[str, Any]] = {**RUN, "state": "queued", "held_because": None}
RUNS: Final[dict[str, Any]] = {"items": [RUN_SUMMARY], "total": 1, "total_is_exact": True, "next_cursor": None}
QUARANTINE: Final[dict[str, Any]] = {
    "items": [
        {
            "line": 17,
            "reason": "phone: give ten digits, or a short code such as 988",
            "source": "county_franklin",
            "source_record_id": None,
            "content": '["Help House", "614-55", "Columbus"]',
        }
    ],
    "total": 1,
    "total_is_exact": True,
    "next_cursor": None,
}
CONNECTOR: Final[dict[str, Any]] = {
    "name": "va_facilities",
    "source": {
        "name": "VA Lighthouse Facilities",
        "publisher": "U.S. Department of Veterans Affairs",
        "tier": 1,
        "licence": "public domain",
        "url": "https://developer.va.gov",
    },
    "enabled": True,
    "obstacle": None,
    "schedule": "P1D",
    "health": "ok",
    "reason": "Its last run succeeded.",
    "last_run": RUN_SUMMARY,
    "last_success_at": "2026-11-20T03:02:11Z",
    "due_at": "2026-11-22T03:00:00Z",
}
CONNECTORS: Final[dict[str, Any]] = {"items": [CONNECTOR], "total": 1, "total_is_exact": True, "next_cursor": None}
MAPPING: Final[dict[str, Any]] = {
    "source": "county_franklin",
    "columns": [
        {"header": "Agency", "suggested": "organization", "saved": "title"},
        {"header": "Phone #", "suggested": "phone", "saved": None},
    ],
    "fields": ["phone", "title"],
}
