# syntax=docker/dockerfile:1
# The service without the private PostgreSQL and the development tools. Everything it holds is named in a COPY below.

FROM python:3.11-slim AS build
RUN pip install --no-cache-dir --disable-pip-version-check "uv>=0.13,<0.14"
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --no-install-project
COPY README.md LICENSE alembic.ini ./
COPY alembic ./alembic
COPY src ./src
RUN uv sync --frozen --no-default-groups

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/vibe4vets --create-home vibe4vets
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    VIBE4VETS_ENV=production VIBE4VETS_DATA_DIR=/var/lib/vibe4vets
USER 10001
# Quarantined records of an import; with DATABASE_URL and VIBE4VETS_SECRET_KEY nothing else is written.
VOLUME /var/lib/vibe4vets
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD ["vibe4vets", "serve", "--host", "0.0.0.0"]
