"""The routes for who runs it: `/health` and `/ready` (see `ui.health`), `/metrics` for Prometheus."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ui.health import Readiness

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ui.metrics import Metrics

NO_METRICS = "The package prometheus_client is missing. Install it with: pip install 'feud[metrics]'"


def counted() -> "Metrics | None":
    """What counts for Prometheus, None where its package is not installed."""
    try:
        from ui.metrics import Metrics
    except ModuleNotFoundError:
        return None
    return Metrics()


def add_routes(app: "FastAPI", ready: Readiness, metrics: "Metrics | None") -> None:
    """Let `app` say how it is."""

    async def health(request: Request) -> Response:
        return _line("alive")

    async def readiness(request: Request) -> Response:
        lacking = await ready.lacking(request.query_params.get("without", ""))
        return _line(f"not ready: {lacking}", 503) if lacking else _line("ready")

    async def measured(request: Request) -> Response:
        if metrics is None:
            return _line(NO_METRICS, 404)
        from ui.metrics import CONTENT_TYPE

        return Response(metrics.text(), media_type=CONTENT_TYPE)

    app.add_route("/health", health, methods=["GET"])
    app.add_route("/ready", readiness, methods=["GET"])
    app.add_route("/metrics", measured, methods=["GET"])


def _line(words: str, status: int = 200) -> Response:
    return PlainTextResponse(f"{words}\n", status, {"cache-control": "no-store"})
