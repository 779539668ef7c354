"""Which words refuse: reports of a refusal, a model's own words, and what stands beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.providers.refusals import declines, is_refusal_code, refused_in, states_refusal

REFUSALS = (
    "NSFW content detected. Try running it again, or try a different prompt.",
    "Potential NSFW content was detected in one or more images.",
    "The input or output was flagged as sensitive. Please try again. (E005)",
    "The prompt was flagged as NSFW by the content moderation system.",
    "Your request was rejected by the safety system.",
    "Your prompt may contain text that is not allowed by our safety system.",
    "This prompt contains sensitive words that violate our Responsible AI practices.",
    "Request blocked by content filters",
    "Content violates our usage policies",
    "The request was moderated",
    "Step 1\nSafety checker: NSFW image was blocked\nDone",
    "Der Prompt verstößt gegen die Richtlinien.",
    "提示词包含敏感内容",
    "ポリシーに違反しています",
    "Contenido prohibido",
    "NSFW",
    "Error: nsfw",
    "Image generation stopped for safety reasons",
    "Failed to generate image: IMAGE_SAFETY",
    "Generation failed: content_policy_violation",
    "The model answered: I'm not able to draw that.",
    "I can\u2019t help with this.",
)
REPORTS = (
    "safety checker failed to load",
    "Loading safety checker",
    "No NSFW content detected",
    "NSFW content not detected",
    "Checking for NSFW content",
    "NSFW filter: off",
    "safety_checker: passed",
    "The moderation service is unavailable",
    "content moderation timed out",
    "CUDA out of memory. Tried to allocate 2 GiB",
    "OSError: a/stable-diffusion-safety-checker not found",
    "Prompt: a fire safety poster, smoking is not allowed",
    "prompt='NSFW content was detected'",
    "ImportError: cannot load safety_filter",
    "We are unable to process requests at the moment",
    "content_moderation service timed out",
    "Director: unexpected error (E8765)",
    "",
)
CODES = (
    "moderation_blocked", "content_policy_violation", "content_filter", "CONTENT_FILTERED_nsfw_x",
    "safety_violation", "nsfw_content", "request_moderated", "SAFETY", "IMAGE_SAFETY",
    "PROHIBITED_CONTENT", "responsible_ai_policy_violation",
)  # fmt: skip
OTHER_CODES = (
    "invalid_value", "safety_identifier", "invalid_safety_identifier", "rate_limit_exceeded",
    "server_error", "model_not_found", "insufficient_quota", "STOP", "MAX_TOKENS", "length", "",
)  # fmt: skip


@pytest.mark.parametrize("text", REFUSALS)
def test_a_report_that_something_was_refused_is_read(text: str) -> None:
    assert states_refusal(text)
    assert states_refusal(f"seed: 7\n{text}\ndone")


@pytest.mark.parametrize("text", REPORTS)
def test_a_word_in_a_report_is_not_enough(text: str) -> None:
    assert not states_refusal(text)


@pytest.mark.parametrize("code", CODES)
def test_codes_of_refusals_are_known_by_their_parts(code: str) -> None:
    assert is_refusal_code(code)


@pytest.mark.parametrize("code", OTHER_CODES)
def test_other_codes_are_none(code: str) -> None:
    assert not is_refusal_code(code)


@pytest.mark.parametrize(
    "text",
    [
        "Here is your fire safety poster",
        "Here's your poster: 'Safety first, smoking prohibited'",
        "Sure! Here it is:",
        "I've created the image you asked for.",
        "Hier ist dein Bild.",
        "Voici votre affiche de sécurité",
        "以下是您的图片",
        "The image model is currently unavailable.",
        "🦊 ...",
    ],
)
def test_an_announcement_and_a_technical_failure_decline_nothing(text: str) -> None:
    assert not declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "Here is why I can't draw this.",
        "Here is a poem instead of the picture.",
        "ไม่สามารถสร้างภาพนี้ได้",
        "Извините, я не могу это нарисовать.",
        "لا أستطيع",
    ],
)
def test_every_other_word_declines(text: str) -> None:
    assert declines(text)
    assert refused_in({"data": [{"text": text}]})


def test_a_body_that_is_nested_deeply_is_read_to_its_end() -> None:
    body: object = {"text": "I can't draw this."}
    for _ in range(20_000):
        body = [body]
    assert refused_in(body)  # type: ignore[arg-type]


def test_the_end_of_a_long_log_is_read_and_long_data_is_not() -> None:
    assert refused_in({"logs": "step\n" * 100_000 + "NSFW content detected\n"})
    assert not refused_in({"image": "I can't draw this. " * 10_000})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@given(JSON)
def test_no_shape_of_json_breaks_the_reader(body: object) -> None:
    assert refused_in(body) in (True, False)  # type: ignore[arg-type]


@given(JSON)
def test_what_repeats_the_request_is_never_read(body: object) -> None:
    assert not refused_in({"input": body, "prompt": "I can't", "data": []})  # type: ignore[dict-item]
