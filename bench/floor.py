"""The floor under `bench/http.py`: a bare ASGI callable that runs the service's own statements and sends its bytes.

It reads what `bench/http.py` recorded: for every address the statements with their arguments, and the answer's body.
"""

import os
import pickle
from pathlib import Path
from typing import Any

import asyncpg
from starlette.types import Receive, Scope, Send

_pool: asyncpg.Pool | None = None
_recorded: dict[str, tuple[list[tuple[str, tuple[Any, ...]]], bytes]] = pickle.loads(
    Path(os.environ["FLOOR_RECORDED"]).read_bytes()
)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the recorded bytes, once the recorded statements have run and their rows have arrived."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    statements, body = _recorded[f"{scope['path']}?{scope['query_string'].decode()}"]
    assert _pool is not None
    for statement, arguments in statements:
        await _pool.fetch(statement, *arguments)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    global _pool  # noqa: PLW0603  one pool, made when uvicorn starts the callable
    await receive()
    _pool = await asyncpg.create_pool(
        os.environ["FLOOR_URL"],
        min_size=16,
        max_size=16,
        server_settings={"jit": "off", "plan_cache_mode": "force_custom_plan", "enable_seqscan": "off"},
    )
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _pool.close()
    await send({"type": "lifespan.shutdown.complete"})
