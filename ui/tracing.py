"""Traces by OpenTelemetry, by the extra `feud[tracing]`: spans of each question and its steps, without a word.

The standard's own variables say where to (`OTEL_EXPORTER_OTLP_ENDPOINT`) and how many (`OTEL_TRACES_SAMPLER`):
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from corpus import FeudError
from ui.observed import Account, Observer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

WANTED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Either asks for traces."""


def traces(environ: Mapping[str, str]) -> list[Observer]:
    """Return what sends traces where the environment asks for it, else nothing. Raises `FeudError`."""
    if not any(environ.get(name) for name in WANTED):
        return []
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise FeudError(
            "The packages for traces are missing. Install them with: pip install 'feud[tracing]'"
        ) from error
    named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(resource=Resource.create({} if named else {"service.name": "feud"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return [sent_to(provider)]


def sent_to(provider: "TracerProvider") -> Observer:
    """Return what gives a provider the spans of each question."""
    from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

    tracer = provider.get_tracer("feud")

    def observe(account: Account) -> None:
        span = tracer.start_span(
            "question", kind=SpanKind.SERVER, attributes=_attributes(account), start_time=account.began
        )
        around = set_span_in_context(span)
        for step in account.steps:
            tracer.start_span(step.name, around, start_time=step.began).end(step.ended)
        if account.fault:
            span.set_status(Status(StatusCode.ERROR, account.fault))
        span.end(account.ended)

    return observe


def _attributes(account: Account) -> "dict[str, AttributeValue]":
    told: dict[str, AttributeValue] = {"feud.outcome": account.outcome, "feud.fault": account.fault}
    if answer := account.answer:
        told |= {
            "feud.language": answer.question.language,
            "feud.generation": answer.generation,
            "feud.passages": len(answer.hits),
            "feud.statements": len(answer.statements),
            "gen_ai.request.model": answer.llm,
            "gen_ai.usage.input_tokens": answer.timing.prompt_tokens,
            "gen_ai.usage.output_tokens": answer.timing.generated_tokens,
        }
    return told
