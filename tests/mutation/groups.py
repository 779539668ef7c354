"""Which modules are mutated, and which tests must notice; and which are left out, and why."""

from collections.abc import Mapping
from typing import Final

from tests.mutation.targets import Group, of_vendors

UNIT: Final = "tests/unit"
AWS: Final = "tests/adapters/aws"
PROVIDERS: Final = "tests/adapters/providers"
HANDLERS: Final = "tests/handlers"
RETRIES: Final = f"{AWS}/test_retries.py"
AT_ONCE: Final = f"{AWS}/test_budgets_at_once.py"
OF_HOSTS: Final = (
    "test_a_host_of_mcp_finds_where_to_sign_in",
    "test_a_host_of_mcp_is_told_the_scopes_that_it_must_ask_for",
    "test_the_challenge_of_mcp_names_the_metadata_in_header_and_body",
    "test_mcp_refuses_pages_of_foreign_origins",
)
NAMED_BESIDE: Final = "test_a_record_has_its_users_name_in_logs_beside_it_and_not_in_it"
LINKS: Final = "test_a_link_names_the_host_of_its_region_and_the_page_may_load_it"


def _in(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}.py" for name in names.split())


def _tests(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/test_{name}.py" for name in names.split())


GENERATE: Final = Group(
    "generate",
    (
        *_in("usecases/generate", "generator holds attempts run storage moderation delivery"),
        *_in("usecases/generate", "presenter sets same_look frames replay reconciler jobs"),
        "usecases/shared_inputs.py",
        "usecases/generate/shared_moderation.py",
        *_in("usecases/generate", "background set_presenter budgeted_ledgers budget_warnings"),
        *("domain/takeovers.py", "domain/jobs.py"),
        *_in("edge", "background"),
        *("wire/run_events.py", "aws/run_starter.py"),
    ),
    (
        *_tests(UNIT, "background background_requests jobs"),
        *_tests(UNIT, "generator attempts crashes delivery forgotten storage quote_is_over"),
        *_tests(UNIT, "one_story reading record_size replays buyer gallery confirmed_sets"),
        *_tests(UNIT, "same_look image_sets previews inputs shared_inputs shared_moderation"),
        *_tests(UNIT, "budgeted_ledgers budget_warnings team_sums deletion takeovers"),
        *_tests(UNIT, "operations losses"),
        *_tests(HANDLERS, "charged sets background"),
        *_tests(AWS, "run_starter"),
    ),
)
OFFERS: Final = Group(
    "offers",
    (
        *_in("domain", "selection candidates sizes criteria choices wishes pricing"),
        *_in("domain", "price_rules input_tokens fleet quote formats catalog abilities digests"),
        "domain/vendor_prices.py",
        *_in("domain", "operations replacements"),
        *_in("usecases", "estimator pricer requests availability conversions"),
    ),
    (
        *_tests(UNIT, "abilities catalog_abilities choices selection prompt_price actual_cost"),
        *_tests(UNIT, "catalog quote quote_format estimator named_offers delivery formats"),
        *_tests(UNIT, "input_tokens promised_figures quote_is_over key_checks reading text"),
        *_tests(UNIT, "inputs ledger_status circuit_reading operations model_names price_checks"),
        *_tests(UNIT, "image_facts confirmed_sets provenance price_rules catalog_rows"),
        *_tests(UNIT, "conversions criteria offer_requests"),
    ),
)
LEDGER: Final = Group(
    "ledger",
    (
        "guard.py",
        *_in(
            "domain",
            "money ledger breaker records ids outcomes trials permits stores days standing "
            "budgets budget_warnings pruning budget_amounts personal_limits",
        ),
        *_in("usecases", "status usage budgets"),
    ),
    (
        *_tests(UNIT, "budgets budgeted_ledgers budget_warnings budget_amounts personal_limits"),
        *_tests(UNIT, "money ledger ledger_status refusals breaker guard keys bad_probes"),
        *_tests(UNIT, "circuit_reading promised_figures ids pseudonyms reading record_size"),
        *_tests(UNIT, "records storage trials metrics quote_is_over days standing"),
        *_tests(UNIT, "confirmed_sets"),
    ),
)
OPENAI_API: Final = Group(
    "openai_api",
    (
        *_in("openai_api", "buyer retries offers other_attempts sets set_calls models images"),
        *_in("openai_api", "model_names unfinished edits edit_models answer_models"),
        *("domain/image_sets.py", "edge/openai_problems.py"),
    ),
    (
        *_tests(
            UNIT, "buyer same_call image_sets same_look model_names named_offers one_story money"
        ),
        *_tests(UNIT, "quote_is_over provider_names values deletion error_drift openapi"),
        *_tests(UNIT, "openai_answers openai_problems"),
        *_tests(HANDLERS, "compatible charged edits"),
    ),
)
EDGE: Final = Group(
    "edge",
    (
        *_in(
            "edge",
            "tokens token_claims token_keys token_hints requests events problems api media_types",
        ),
        *_in("edge", "streams"),
        *_in("runtime", "loop invocations runtime_api"),
        *("edge/forms.py", "domain/text.py", "domain/errors.py"),
        "domain/call_errors.py",
    ),
    (
        *_tests(UNIT, "auth token_keys requests front errors error_drift pseudonyms text forms"),
        *_tests(UNIT, "url_events openapi problems"),
        *_tests(HANDLERS, "edges http charged compatible events chat_streaming background teams"),
        *_tests(HANDLERS, "edits"),
        *_tests("tests/adapters", "runtime"),
    ),
)
WIRE: Final = Group(
    "wire",
    _in("wire", "estimates values images inputs gallery problems usage model_list health headers"),
    (
        *_tests(UNIT, "values estimator gallery money inputs confirmed_sets catalog_abilities"),
        *_tests(UNIT, "reading text route_drift described"),
        *_tests(HANDLERS, "charged sets gallery"),
    ),
)
OUTCOMES: Final = Group(
    "outcomes",
    (
        *of_vendors(),
        *_in("providers", "refusals classification packing pictures faults"),
        *_in("providers", "moderation keys http bounds sdk download"),
        *_in("providers", "addresses image_stream input_files json_body polling instance_file"),
        *("providers/__init__.py", "providers/builtin.py", "aws/parameters.py", "aws/clients.py"),
        *_in("usecases", "key_checks price_checks health"),
        *_in("providers", "price_statements"),
        *_in("providers", "compatible presets instances instance_rows base_urls"),
    ),
    (
        *_tests(UNIT, "refused_words actual_cost keys provider_names key_checks catalog"),
        *_tests(UNIT, "keys_and_flags rotation provenance moderators price_checks"),
        *_tests(UNIT, "instances instance_registry free_models clients"),
        f"{UNIT}/test_regions.py::{LINKS}",
        *(PROVIDERS, "tests/adapters/compatible"),
        *_tests("tests/adapters", "delivery probe_day"),
    ),
)
BYTES: Final = Group(
    "bytes",
    (
        *_in("domain", "input_files masks orientation metadata marks transparency pixels holes"),
        *_in("domain", "png png_chunks png_encoding png_filters png_planes png_rows"),
        *_in("domain", "jpeg jpeg_blocks jpeg_codes jpeg_progressive jpeg_scan"),
        *_in("domain", "jpeg_segments webp webp_data vp8 vp8_bits vp8_values vp8l vp8l_codes"),
    ),
    (
        *_tests(UNIT, "input_files masks orientation metadata marks transparency pixels holes"),
        *_tests(UNIT, "png_planes delivery jpeg_blocks jpeg_scan vp8 webp_data webp_bounds"),
    ),
)
KEYS: Final = Group(
    "keys",
    (
        *_in("domain", "keys program_limits callers"),
        *("edge/program_keys.py", "edge/credentials.py", "usecases/program_keys.py"),
    ),
    (
        *_tests(UNIT, "program_keys requests admin_keys"),
        *_tests(HANDLERS, "program_keys"),
    ),
)
PICTURES: Final = Group(
    "pictures",
    (
        *_in("domain", "inputs uploads gallery previews"),
        *_in("usecases", "inputs sent_pictures uploads gallery"),
    ),
    (
        *_tests(UNIT, "inputs gallery deletion previews estimator chat_pictures operations"),
        *_tests(UNIT, "team_sums"),
        *_tests(HANDLERS, "inputs gallery edits"),
    ),
)
MCP: Final = Group(
    "mcp",
    (
        *_in("mcp", "tools offers listing confirm protocol server app authorization results"),
        *_in("chat", "results tool aisdk sse"),
    ),
    (
        *_tests(HANDLERS, "mcp mcp_confirm inputs"),
        *(f"{HANDLERS}/test_http.py::{one}" for one in OF_HOSTS),
        *_tests(UNIT, "chat_tool chat_aisdk provider_names chat_pictures confirmed_sets"),
        *_tests(UNIT, "chatter chat_operations"),
    ),
)
CHAT: Final = Group(
    "chat",
    (
        *_in("usecases/chat", "chatter limits llm_call answer_text"),
        *_in("domain", "chat_usage conversation ports"),
        *_in("llm", "dialect stream_reader tool_calls unknown_fields llm_faults messages"),
        *_in("llm", "refusal_words event_stream openai_chat thinking"),
        *_in("llm", "answer_filter call_filter written_calls python_calls"),
        *_in("wire", "history messages handles loose_arguments"),
    ),
    (
        *_tests(UNIT, "chatter conversation chat_limits chat_bootstrap llm_dialect llm_reading"),
        *_tests(UNIT, "call_filter written_calls unopened thinking"),
        *_tests(UNIT, "chat_pictures chat_tool text inputs llm_faults llm_messages"),
        *_tests(UNIT, "loose_arguments"),
        *_tests("tests/adapters", "llm llm_endpoints llm_over_http"),
        *_tests(HANDLERS, "chat"),
    ),
)
QUALITY: Final = Group(
    "quality",
    _in("domain", "quality quality_context quality_reading quality_words"),
    _tests(UNIT, "quality quality_share"),
)
STORES: Final = Group(
    "stores",
    _in(
        "aws",
        "circuit_store ledger_store ledger_updates ledger_items lease_index budget_store "
        "amount_store warning_store updates",
    ),
    (
        *_tests(AWS, "amount_contract budget_contract ledger_contract circuit_contract"),
        *_tests(AWS, "warning_contract"),
        *_tests(AWS, "stored_form old_views lease_partitions"),
        f"{RETRIES}::test_a_hold_sent_twice_holds_once",
        f"{RETRIES}::test_a_settle_sent_twice_charges_once",
        f"{RETRIES}::test_a_release_sent_twice_gives_back_once",
        f"{RETRIES}::test_a_failure_sent_twice_counts_once_and_a_move_sent_twice_is_won",
        f"{RETRIES}::test_a_store_that_nobody_answers_for_is_unavailable_and_nothing_else",
        f"{AT_ONCE}::test_a_refused_take_that_the_sdk_sent_twice_is_reported_as_unsure",
        f"{AT_ONCE}::test_everything_sent_twice_counts_once_at_each_level",
        *_tests(AWS, "equivalence"),
    ),
    on_aws=True,
)
OBJECTS: Final = Group(
    "objects",
    _in(
        "aws",
        "image_store record_store prompt_store preview_store upload_store s3_errors items "
        "chat_usage_store job_store key_store record_scan trail_store block_store "
        "erasure_store kept_store",
    ),
    (
        *_tests(UNIT, "items"),
        *_tests(AWS, "image_contract prompt_contract preview_contract upload_contract"),
        *_tests(AWS, "chat_usage_contract job_contract record_life object_keys deletion retries"),
        *_tests(AWS, "report admin_contract erasure key_contract"),
        f"{AWS}/test_warning_contract.py::{NAMED_BESIDE}",
        f"{AT_ONCE}::test_a_refused_take_that_the_sdk_sent_twice_is_reported_as_unsure",
    ),
    on_aws=True,
)
ADMIN: Final = Group(
    "admin",
    (
        *_in("domain", "losses spending trail blocks erasures"),
        *_in("usecases/admin", "trail providers people spending keys budgets"),
        "usecases/erasure.py",
        *_in("wire", "admin admin_keys admin_budgets"),
    ),
    (
        *_tests(UNIT, "losses report admin_providers admin_people admin_spending"),
        *_tests(UNIT, "admin_keys admin_budgets erasure described"),
        *_tests(HANDLERS, "admin"),
    ),
)
GROUPS: Final = (
    *(GENERATE, OPENAI_API, OFFERS, LEDGER, EDGE, KEYS, WIRE, OUTCOMES, BYTES, PICTURES),
    *(MCP, CHAT, QUALITY, STORES, OBJECTS, ADMIN),
)
ONLY_BY_NAME: Final[Mapping[str, str]] = {
    "outcomes": "Recordings of each vendor hold its adapter; the quote bounds what it can cost.",
    "mcp": "It makes offers and passes confirmations on; others decide the price and the charge.",
    "chat": "It speaks, and offers what others price.",
    "quality": "It reads words; whatever it reads, the price stands on the button.",
}
"""By group: why it is mutated only when it is named. Together they take longer than the others."""
LEFT_OUT: Final[Mapping[str, str]] = {
    "domain/vp8_tables.py": "It has the numbers of a standard: a wrong one breaks whole images.",
    "bootstrap": "It puts objects together; every test of a handler runs the wiring.",
    "monitoring": "It names and counts what others decided.",
    "edge/openapi.py": "It writes the document of the routes, which is compared as a whole.",
    "runtime/__main__.py": "It starts the loop.",
    "logs.py": "It writes log lines.",
    "places.py": "It makes addresses, which the tests of the front compare as a whole.",
    "settings.py": "It has defaults and bounds, which are compared with the template's.",
    "site": "It serves the page; the browser's tests hold it.",
}
"""By room or module: why nothing of it is mutated."""
