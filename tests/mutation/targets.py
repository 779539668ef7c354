"""Which modules are mutated, and which tests must notice: those of a group are loaded together."""

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
    "usecases/pricer.py": ("estimator", "named_offers"),
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
    "domain/price_rules.py": ("catalog", "prompt_price"),
    "mcp/tools.py": ("mcp",),
    "mcp/offers.py": ("mcp",),
    "mcp/listing.py": ("mcp",),
    "mcp/confirm.py": ("mcp_confirm",),
    "usecases/chat/limits.py": ("chat_limits",),
    "usecases/chat/llm_call.py": ("chat_limits",),
    "domain/chat_usage.py": ("chat_limits",),
    "providers/refusals.py": ("refused_words", "recorded"),
    "providers/openai_images.py": ("recorded",),
    "providers/compatible.py": ("recorded", "instances"),
    "providers/presets.py": ("recorded", "instances"),
    "providers/instance_rows.py": ("instances",),
    "providers/base_urls.py": ("instances",),
    "domain/permits.py": ("guard",),
}
"""By module: the files of tests that have its rules, without ``test_``. They run first. All other
modules have a file of their own name."""
PACKAGE: Final = "layers/shared/imagegen"
UNIT: Final = "tests/unit"
AWS: Final = "tests/adapters/aws"
PROVIDERS: Final = "tests/adapters/providers"
HANDLERS: Final = "tests/handlers"
RETRIES: Final = f"{AWS}/test_retries.py"


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


def _in(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}.py" for name in names)


def _tests(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/test_{name}.py" for name in names)


GENERATE: Final = Group(
    "generate",
    (
        *_in("usecases/generate", "generator", "holds", "attempts", "run", "storage"),
        *_in("usecases/generate", "moderation", "delivery", "presenter", "sets"),
        *_in("usecases/generate", "same_look", "frames"),
        *_in("usecases/generate", "replay", "reconciler"),
    ),
    (
        *_tests(UNIT, "generator", "attempts", "crashes", "delivery", "forgotten", "storage"),
        *_tests(UNIT, "quote_is_over", "one_story", "reading", "record_size", "replays", "buyer"),
        *_tests(HANDLERS, "charged"),
    ),
)
OFFERS: Final = Group(
    "offers",
    (
        *_in(
            "domain",
            "selection",
            "candidates",
            "sizes",
            "criteria",
            "choices",
            "standing",
            "wishes",
            "pricing",
        ),
        *_in("domain", "price_rules", "input_tokens", "fleet", "quote", "days", "formats"),
        *_in("domain", "catalog"),
        *_in(
            "usecases", "estimator", "pricer", "requests", "availability", "conversions", "gallery"
        ),
    ),
    (
        *_tests(
            UNIT,
            "abilities",
            "choices",
            "selection",
            "prompt_price",
            "actual_cost",
            "catalog",
            "quote",
        ),
        *_tests(UNIT, "quote_format", "estimator", "named_offers", "delivery", "formats"),
        *_tests(UNIT, "promised_figures", "quote_is_over", "key_checks", "reading"),
    ),
)
LEDGER: Final = Group(
    "ledger",
    (
        "guard.py",
        *_in("domain", "money", "ledger", "breaker", "records", "ids", "outcomes"),
        *_in("domain", "trials", "permits"),
        *_in("usecases", "status", "usage"),
    ),
    (
        *_tests(UNIT, "money", "ledger", "ledger_status", "refusals", "breaker", "guard", "keys"),
        *_tests(UNIT, "circuit_reading", "promised_figures", "ids", "pseudonyms", "reading"),
        *_tests(UNIT, "record_size", "storage", "trials"),
    ),
)
OPENAI_API: Final = Group(
    "openai_api",
    (
        *_in("openai_api", "buyer", "retries", "offers", "earlier_images", "sets", "set_calls"),
        *_in("openai_api", "models", "model_names", "images", "unfinished"),
        "domain/image_sets.py",
        "edge/openai_problems.py",
    ),
    (
        *_tests(UNIT, "buyer", "image_sets", "same_look", "model_names", "named_offers"),
        *_tests(UNIT, "one_story", "money"),
        *_tests(UNIT, "quote_is_over", "provider_names"),
        *_tests(HANDLERS, "compatible", "charged"),
    ),
)
EDGE: Final = Group(
    "edge",
    (
        *_in("edge", "tokens", "token_keys", "token_hints", "requests", "events", "problems"),
        *_in("edge", "api", "media_types"),
        *_in("domain", "text"),
    ),
    (
        *_tests(UNIT, "auth", "token_keys", "requests", "errors", "error_drift", "pseudonyms"),
        *_tests(UNIT, "text"),
        *_tests(HANDLERS, "edges", "http", "charged", "compatible", "events"),
    ),
)
OUTCOMES: Final = Group(
    "outcomes",
    (
        *_in("providers", "refusals", "classification", "packing", "pictures", "faults"),
        *_in("providers", "gemini", "openai", "replicate", "together", "moderation", "keys"),
        *_in("providers", "http", "bounds", "sdk", "download", "addresses", "__init__"),
        *_in("providers", "openai_images", "compatible", "presets"),
        *_in("providers", "instances", "instance_rows", "base_urls"),
        *_in("usecases", "key_checks", "health"),
    ),
    (
        *_tests(UNIT, "refused_words", "actual_cost", "keys", "provider_names", "key_checks"),
        *_tests(UNIT, "catalog", "keys_and_flags", "instances", "instance_registry"),
        PROVIDERS,
        "tests/adapters/compatible",
        "tests/adapters/test_simulated_faults.py",
    ),
)
MCP: Final = Group(
    "mcp",
    (
        *_in("mcp", "tools", "offers", "listing", "confirm", "protocol", "server", "app"),
        *_in("mcp", "authorization"),
        *_in("chat", "results", "tool", "aisdk", "sse"),
    ),
    (
        *_tests(HANDLERS, "mcp", "mcp_confirm"),
        *_tests(UNIT, "chat_tool", "chat_aisdk", "provider_names"),
    ),
)
CHAT: Final = Group(
    "chat",
    (
        *_in("usecases/chat", "chatter", "limits", "llm_call", "answer_text"),
        "domain/chat_usage.py",
        *_in("llm", "dialect", "stream_reader", "tool_calls", "unknown_fields", "llm_faults"),
        *_in("llm", "refusal_words", "event_stream", "messages", "openai_chat", "thinking"),
        "domain/conversation.py",
    ),
    (
        *_tests(
            UNIT,
            "chatter",
            "conversation",
            "chat_limits",
            "chat_bootstrap",
            "llm_dialect",
            "llm_reading",
        ),
        *_tests("tests/adapters", "llm", "llm_endpoints", "llm_over_http"),
        *_tests(HANDLERS, "chat"),
    ),
)
QUALITY: Final = Group(
    "quality",
    _in("domain", "quality", "quality_context", "quality_reading", "quality_words"),
    _tests(UNIT, "quality"),
)
STORES: Final = Group(
    "stores",
    _in("aws", "circuit_store", "ledger_store", "ledger_updates", "ledger_items"),
    (
        *_tests(AWS, "ledger_contract", "circuit_contract", "stored_form", "old_views"),
        f"{RETRIES}::test_a_hold_sent_twice_holds_once",
        f"{RETRIES}::test_a_settle_sent_twice_charges_once",
        f"{RETRIES}::test_a_release_sent_twice_gives_back_once",
        f"{RETRIES}::test_a_failure_sent_twice_counts_once_and_a_move_sent_twice_is_won",
        *_tests(AWS, "equivalence"),
    ),
    on_aws=True,
)
GROUPS: Final = (GENERATE, OPENAI_API, OFFERS, LEDGER, EDGE, OUTCOMES, MCP, CHAT, QUALITY, STORES)
