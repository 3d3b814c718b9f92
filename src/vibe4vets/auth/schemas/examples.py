"""Answers as the documentation shows them."""

RECEIVED = {"status": "received"}
TOKENS = {
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiI3YjBiMmY1ZSJ9.c2lnbmF0dXJl",
    "token_type": "bearer",
    "expires_in": 900,
    "refresh_token": "v4vr_4Q8zWb0vXkq1mT7cJ2nLr9sYd5hPf3gKx6uEaBoCiDp",
}
ME = {
    "id": "0b0f6a0e-8c55-4b63-9f0e-2f7a4f6b1c11",
    "email": "pat@example.org",
    "role": "reviewer",
    "created_at": "2026-11-01T12:00:00Z",
    "password_expires_at": None,
    "api_key": None,
}
SESSIONS = {
    "items": [
        {
            "id": "4f9d2c1e-6a1b-4a53-9a76-0c8b1f0d7e55",
            "created_at": "2026-11-01T12:00:00Z",
            "last_used_at": "2026-11-03T08:30:00Z",
            "expires_at": "2026-12-01T12:00:00Z",
            "is_current": True,
        }
    ],
    "total": 1,
    "total_is_exact": True,
    "next_cursor": None,
}
