"""What the API's documents show as answers; a test holds each against its schema."""

from pydantic.config import JsonDict, JsonValue

_OFFICE_DAY: JsonValue = [["08:00", "16:30"]]
_OFFICE_WEEK: list[JsonValue] = [*[_OFFICE_DAY] * 5, [], []]
RESOURCE: JsonDict = {
    "id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
    "version": 3,
    "title": "Supportive Services for Veteran Families - Community Action of Franklin County",
    "summary": None,
    "description": "Help with rent, utilities and a new lease for Veteran families who may lose their home.",
    "eligibility": ["Veterans", "Low income"],
    "how_to_apply": None,
    "organization": {
        "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "name": "Community Action of Franklin County",
        "website": None,
    },
    "categories": ["housing"],
    "tags": ["ssvf", "rent-assistance"],
    "scope": "local",
    "states": ["OH"],
    "phone": "+16145550123",
    "phone_extension": None,
    "email": None,
    "website": "https://www.example.org/veterans",
    "hours": {
        "text": "Mon-Fri 8:00AM-4:30PM; Sat-Sun Closed",
        "weekly": _OFFICE_WEEK,
    },
    "languages": ["en"],
    "cost": None,
    "locations": [
        {
            "id": "1c9d4a0e-6c0e-4f5a-8a62-3b7e0d1f6a90",
            "name": None,
            "street": None,
            "city": "Columbus",
            "county": "Franklin",
            "state": "OH",
            "postal_code": "43215",
            "latitude": 39.96,
            "longitude": -83.0,
            "time_zone": "America/New_York",
        }
    ],
    "source": {
        "slug": "va_ssvf",
        "name": "VA Supportive Services for Veteran Families grantees",
        "tier": 1,
        "record_id": "20-OH-001",
        "url": None,
        "licence": "US Government work",
        "attribution": None,
    },
    "trust": {"score": 0.92, "reliability": 1.0, "freshness": 0.92, "verified_at": "2026-11-01T00:00:00Z"},
    "status": "published",
    "created_at": "2026-10-01T09:30:00Z",
    "updated_at": "2026-11-01T00:00:00Z",
}
_ORGANIZATION: dict[str, JsonValue] = {
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "name": "Community Action of Franklin County",
    "website": None,
    "resource_count": 1,
}
_NEXT = "LOR-YAIJM7RbMC41NDA3LCJmZTJiZGY1NC03ZjEwLTQ1MzktYTNmMy00NDkwMTUzN2IyMjkiLDJd"


def _page(*items: JsonValue, total: int, next_cursor: str | None = None) -> JsonDict:
    return {"items": [*items], "total": total, "total_is_exact": True, "next_cursor": next_cursor}


def _term(value: str, name: str, count: int) -> JsonDict:
    return {"value": value, "name": name, "count": count}


RESOURCES: JsonDict = _page(RESOURCE, total=57, next_cursor=_NEXT)
CATEGORIES: JsonDict = _page(_term("housing", "Housing", 214), _term("legal", "Legal help", 131), total=2)
TAGS: JsonDict = _page(_term("rent-assistance", "Rent assistance", 96), _term("ssvf", "SSVF", 88), total=2)
STATES: JsonDict = _page(_term("CA", "California", 98), _term("OH", "Ohio", 41), total=2)
ORGANIZATIONS: JsonDict = _page(_ORGANIZATION, total=1)
ORGANIZATION: JsonDict = {**_ORGANIZATION, "resources": [RESOURCE]}
_HIT: JsonDict = {
    "resource": RESOURCE,
    "score": 0.607927,
    "distance_miles": 1.2,
    "matched": ["tags", "description", "location"],
    "highlights": {"description": [[10, 14]]},
    "explanation": [
        {"reason": "is about Rent help", "value": 0.81},
        {"reason": "is 1 miles from Columbus, OH", "value": 1.0},
    ],
}
SEARCH: JsonDict = {
    **_page(_HIT, total=1),
    "facets": {"category": [_term("housing", "Housing", 1)], "state": [_term("OH", "Ohio", 1)]},
    "interpretation": {
        "query": "rent help in columbus oh",
        "corrected": None,
        "place": {"name": "Columbus, OH", "latitude": 39.98, "longitude": -83.0},
        "other_places": [],
        "relaxed": [],
        "fallback": False,
    },
    "crisis": None,
}
_CHANGE: JsonDict = {"field": "phone", "before": "+16145550123", "after": "+16145550199"}
REVISIONS: JsonDict = _page(
    {
        "number": 3,
        "change": "updated",
        "actor": {"kind": "user", "id": "4f9d2c1e-6a1b-4a53-9a76-0c8b1f0d7e55"},
        "reason": "they moved offices",
        "created_at": "2026-11-01T00:00:00Z",
    },
    total=3,
)
PROVENANCE: JsonDict = {
    "resource_id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
    "version": 3,
    "fields": [
        {
            "field": "title",
            "version": 1,
            "change": "imported",
            "actor": {"kind": "system", "id": "3f7d2b1a-8c55-4b63-9f0e-2f7a4f6b1c33"},
            "reason": None,
            "at": "2026-10-01T00:00:00Z",
            "source": {"slug": "va_facilities", "record_id": "vha_757"},
        },
        {
            "field": "phone",
            "version": 3,
            "change": "updated",
            "actor": {"kind": "user", "id": "4f9d2c1e-6a1b-4a53-9a76-0c8b1f0d7e55"},
            "reason": "they moved offices",
            "at": "2026-11-01T00:00:00Z",
            "source": None,
        },
    ],
}
DIFF: JsonDict = {"before": 2, "after": 3, "changes": [_CHANGE]}
RECEIPT: JsonDict = {"token": "sug_3kPq0aZr7WmN5xT1cVbY8dEfGhJlKoQsUuXwZy2A4B6", "state": "open"}
SUGGESTION: JsonDict = {
    "state": "approved",
    "reason": "Thank you: we called, and the new number is right.",
    "submitted_at": "2026-10-30T12:00:00Z",
    "decided_at": "2026-11-01T00:00:00Z",
    "resource_id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
}
PROPOSAL: JsonDict = {
    "id": "9d0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f22",
    "kind": "change",
    "state": "open",
    "resource_id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
    "changes": [_CHANGE],
    "note": "New line since Monday.",
    "reason": None,
    "created_at": "2026-10-30T12:00:00Z",
    "decided_at": None,
}
PROPOSALS: JsonDict = _page(PROPOSAL, total=1)
SUGGESTIONS: JsonDict = {
    "items": [
        {
            "kind": "resource",
            "text": "Columbus Vet Center",
            "resource": {
                "id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
                "title": "Columbus Vet Center",
                "organization": "U.S. Department of Veterans Affairs",
                "city": "Columbus",
                "state": "OH",
                "source": {"slug": "va_facilities", "record_id": "vc_0411V"},
            },
            "organization_id": None,
            "tag": None,
            "place": None,
        },
        {
            "kind": "place",
            "text": "Columbus, OH",
            "resource": None,
            "organization_id": None,
            "tag": None,
            "place": {"name": "Columbus, OH", "latitude": 39.98, "longitude": -82.98},
        },
    ]
}
CHANGES: JsonDict = {
    "items": [
        {
            "kind": "updated",
            "id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11",
            "changed_at": "2026-11-20T20:06:23.203845Z",
            "successor": None,
            "resource": RESOURCE,
        }
    ],
    "next_cursor": _NEXT,
    "is_current": True,
}

LINES = '{"id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11", "title": "Rent help for Veterans"}\n'
TABLE = (
    "id,title,phone,location_city,location_latitude,location_longitude\r\n"
    "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11,Rent help for Veterans,'+16145550123,Columbus,39.96, -83.0\r\n"
)
FEATURES: JsonDict = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "1c9d4a0e-6c0e-4f5a-8a62-3b7e0d1f6a90",
            "geometry": {"type": "Point", "coordinates": [-83.0, 39.96]},
            "properties": {"id": "7b0b2f5e-3c35-4f0c-9f9c-0d6c1a7f2f11", "title": "Rent help for Veterans"},
        }
    ],
}
