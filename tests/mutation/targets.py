"""A group of modules that are mutated together, and which tests have the rules of a module."""

from dataclasses import dataclass
from typing import Final

OWN: Final = {
    "usecases/generate/generator.py": ("generator", "forgotten"),
    "usecases/generate/holds.py": ("forgotten", "generator"),
    "usecases/generate/storage.py": ("storage", "forgotten"),
    "usecases/generate/replay.py": ("replays", "forgotten", "charged"),
    "usecases/generate/reconciler.py": ("forgotten", "crashes"),
    "usecases/generate/run.py": ("attempts", "generator"),
    "usecases/generate/moderation.py": ("generator",),
    "openai_api/retries.py": ("buyer",),
    "openai_api/earlier_images.py": ("buyer",),
    "openai_api/offers.py": ("named_offers",),
    "openai_api/sets.py": ("image_sets",),
    "openai_api/set_calls.py": ("image_sets",),
    "openai_api/models.py": ("model_names", "compatible"),
    "openai_api/images.py": ("compatible",),
    "domain/ids.py": ("ids", "pseudonyms"),
    "edge/tokens.py": ("auth", "token_keys"),
    "edge/media_types.py": ("http",),
    "domain/pricing.py": ("actual_cost", "prompt_price", "delivery", "abilities", "catalog"),
    "mcp/tools.py": ("mcp",),
    "mcp/offers.py": ("mcp",),
    "mcp/listing.py": ("mcp",),
    "mcp/confirm.py": ("mcp_confirm",),
    "usecases/chat/limits.py": ("chat_limits",),
    "usecases/chat/llm_call.py": ("chat_limits",),
    "domain/chat_usage.py": ("chat_limits",),
    "providers/refusals.py": ("refused_words", "recorded"),
    "domain/permits.py": ("guard",),
    "domain/candidates.py": ("selection", "named_offers"),
    "domain/criteria.py": ("choices", "abilities", "formats"),
    "domain/sizes.py": ("selection", "catalog"),
    "domain/wishes.py": ("formats", "abilities"),
    "domain/fleet.py": ("estimator", "reading"),
    "domain/outcomes.py": ("breaker", "refusals"),
    "domain/price_rules.py": ("catalog", "prompt_price"),
    "domain/abilities.py": ("abilities", "catalog_abilities"),
    "domain/ports.py": ("text", "chatter"),
    "domain/errors.py": ("errors", "error_drift"),
    "domain/jpeg.py": ("holes", "delivery", "pixels"),
    "domain/jpeg_scan.py": ("holes", "delivery", "pixels"),
    "domain/jpeg_segments.py": ("metadata", "input_files"),
    "domain/webp.py": ("holes", "delivery", "pixels"),
    "domain/png.py": ("delivery", "pixels"),
    "domain/png_chunks.py": ("pixels", "metadata", "input_files"),
    "domain/png_encoding.py": ("orientation", "masks"),
    "domain/png_filters.py": ("png_planes", "delivery"),
    "domain/png_rows.py": ("png_planes", "transparency", "masks"),
    "domain/uploads.py": ("inputs",),
    "usecases/sent_pictures.py": ("inputs", "edits"),
    "usecases/uploads.py": ("inputs",),
    "usecases/requests.py": ("estimator", "text"),
    "usecases/availability.py": ("reading", "estimator"),
    "usecases/status.py": ("reading", "ledger_status"),
    "usecases/usage.py": ("ledger_status", "reading"),
    "usecases/health.py": ("key_checks", "provider_names"),
    "usecases/generate/sets.py": ("confirmed_sets",),
    "usecases/generate/frames.py": ("previews",),
    "usecases/generate/presenter.py": ("gallery", "charged"),
    "usecases/chat/answer_text.py": ("chatter",),
    "openai_api/answer_models.py": ("compatible", "openapi"),
    "openai_api/edit_models.py": ("edits",),
    "openai_api/unfinished.py": ("compatible",),
    "edge/openai_problems.py": ("compatible",),
    "edge/problems.py": ("errors", "error_drift", "charged"),
    "edge/api.py": ("http", "edges"),
    "edge/events.py": ("requests", "edges"),
    "edge/token_hints.py": ("auth", "token_keys"),
    "wire/estimates.py": ("estimator", "values"),
    "wire/images.py": ("values", "text"),
    "wire/inputs.py": ("inputs", "values"),
    "wire/sets.py": ("confirmed_sets",),
    "wire/edge_model.py": ("values", "text"),
    "wire/handles.py": ("chat_pictures",),
    "wire/history.py": ("conversation", "text"),
    "wire/messages.py": ("chat_tool", "chat_pictures"),
    "wire/reports.py": ("catalog_abilities", "reading"),
    "llm/stream_reader.py": ("llm_reading", "llm"),
    "llm/event_stream.py": ("llm_reading",),
    "llm/thinking.py": ("llm_reading",),
    "llm/unknown_fields.py": ("llm_reading",),
    "llm/dialect.py": ("llm_dialect", "llm_endpoints"),
    "llm/refusal_words.py": ("llm_dialect", "llm_endpoints"),
    "llm/messages.py": ("llm_messages", "conversation"),
    "llm/tool_calls.py": ("llm",),
    "llm/llm_faults.py": ("llm_faults", "llm_reading", "llm_over_http"),
    "llm/openai_chat.py": ("llm_over_http", "llm"),
    "chat/results.py": ("chat_tool", "confirmed_sets"),
    "chat/tool.py": ("chat_tool",),
    "chat/aisdk.py": ("chat_aisdk",),
    "chat/sse.py": ("chatter",),
    "providers/packing.py": ("forms",),
    "providers/pictures.py": ("forms", "recorded"),
    "providers/image_stream.py": ("previews",),
    "providers/input_files.py": ("inputs",),
    "providers/replicate_files.py": ("inputs", "replicate"),
    "providers/gemini_parts.py": ("inputs", "recorded"),
    "providers/classification.py": ("blame", "edge"),
    "providers/faults.py": ("blame", "edge", "transport"),
    "providers/bounds.py": ("transport", "edge"),
    "providers/http.py": ("transport", "edge"),
    "providers/sdk.py": ("transport", "forms"),
    "providers/addresses.py": ("download",),
    "providers/openai.py": ("recorded", "inputs", "requests"),
    "providers/gemini.py": ("recorded", "inputs", "requests"),
    "providers/together.py": ("recorded", "inputs", "requests"),
    "aws/parameters.py": ("keys_and_flags", "rotation"),
    "aws/clients.py": ("regions",),
    "aws/record_store.py": ("image_contract", "record_life"),
    "aws/image_store.py": ("image_contract", "object_keys"),
    "aws/s3_errors.py": ("image_contract",),
    "domain/standing.py": ("standing", "confirmed_sets", "ledger_status"),
    "domain/days.py": ("days", "ledger", "quote_is_over"),
    "domain/records.py": ("storage", "record_size"),
    "domain/stores.py": ("storage",),
    "domain/quality_context.py": ("quality",),
    "domain/quality_reading.py": ("quality",),
    "domain/quality_words.py": ("quality",),
    "usecases/conversions.py": ("inputs", "formats"),
    "wire/headers.py": ("route_drift", "charged"),
    "mcp/protocol.py": ("mcp",),
    "mcp/server.py": ("mcp",),
    "mcp/app.py": ("mcp_confirm",),
    "mcp/authorization.py": ("mcp",),
    "mcp/results.py": ("mcp",),
    "aws/circuit_store.py": ("circuit_contract", "old_views"),
    "aws/ledger_store.py": ("ledger_contract", "equivalence"),
    "aws/ledger_updates.py": ("ledger_contract", "equivalence"),
    "aws/ledger_items.py": ("stored_form", "old_views"),
    "aws/prompt_store.py": ("prompt_contract",),
    "aws/preview_store.py": ("preview_contract",),
    "aws/upload_store.py": ("upload_contract",),
    "aws/items.py": ("prompt_contract", "record_life"),
    "aws/chat_usage_store.py": ("chat_usage_contract",),
}
"""By module: the files of tests that have its rules, without ``test_``. They run first. All other
modules have a file of their own name."""
PACKAGE: Final = "layers/shared/imagegen"


@dataclass(frozen=True, slots=True)
class Group:
    """Modules, and the tests of their rules."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    on_aws: bool = False
    """Whether the tests run on the emulator, and the expressions of DynamoDB are changed, too."""

    @property
    def options(self) -> tuple[str, ...]:
        """Options of pytest for these tests."""
        return ("-k", "not memory") if self.on_aws else ()


def own_tests(module: str) -> tuple[str, ...]:
    """Return what the paths of the files with a module's rules contain."""
    names = OWN.get(module, (module.rpartition("/")[2].removesuffix(".py"),))
    return tuple(f"test_{name}" for name in names)
