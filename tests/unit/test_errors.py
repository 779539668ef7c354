"""Every error finds its status by its own class, and says what the caller needs to know."""

import re

import pytest

from imagegen.domain import errors
from imagegen.domain.call_errors import LlmError, ProviderError
from imagegen.domain.errors import ImagegenError, LimitError, ParameterError
from imagegen.domain.outcomes import Outcome
from imagegen.edge.api import error_response
from imagegen.edge.problems import STATUS


def kinds(root: type[ImagegenError]) -> list[type[ImagegenError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


def made(kind: type[ImagegenError]) -> ImagegenError:
    if issubclass(kind, LimitError):
        return kind("hourly_images", "enough", retry_after_seconds=5)
    if issubclass(kind, ProviderError):
        return kind("alpha", Outcome.UNAVAILABLE, "down")
    if issubclass(kind, ParameterError):
        return kind("n", "no")
    return kind("no")


KINDS = [kind for kind in kinds(ImagegenError) if kind.__module__ == errors.__name__]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@every_kind
def test_only_the_root_is_an_internal_error(kind: type[ImagegenError]) -> None:
    nearest = next(one for one in kind.mro() if one in STATUS)
    assert (STATUS[nearest] == 500) == (kind is ImagegenError), "add it to STATUS of problems.py"


@every_kind
def test_every_error_is_a_problem_with_its_code(kind: type[ImagegenError]) -> None:
    error = made(kind)
    answer = error_response(error)
    assert answer.status_code == next(STATUS[one] for one in kind.mro() if one in STATUS)
    assert f'"code":"{error.code}"' in str(answer.body)
    assert '"charged":' in str(answer.body)
    assert answer.content_type == "application/problem+json"


@every_kind
def test_the_tree_that_is_drawn_names_every_error_under_its_parent(
    kind: type[ImagegenError],
) -> None:
    assert errors.__doc__ is not None
    lines = re.findall(r"^([│├└─ ]*)(\w+Error)", errors.__doc__, re.MULTILINE)
    drawn = {name: len(indent) for indent, name in lines}
    if kind.__bases__[0] is errors.QuoteError:
        assert "QuoteError" in drawn  # its two are one line: 400, 410, 409
        return
    assert drawn[kind.__name__] == 4 * (len(kind.mro()) - len(ImagegenError.mro()))


def test_no_two_errors_share_a_code() -> None:
    codes = [made(kind).code for kind in KINDS]
    assert len(set(codes)) == len(codes)


def test_only_an_image_that_was_made_and_deleted_is_charged() -> None:
    assert [kind for kind in KINDS if kind.charged] == [
        errors.GoneError,
        errors.ImageDeletedError,
    ]


def test_a_wait_is_told_in_body_and_header() -> None:
    answer = error_response(LimitError("hourly_images", "enough", retry_after_seconds=5))
    assert answer.headers["Retry-After"] == "5"
    assert '"retryAfterSeconds":5' in str(answer.body)


def test_a_problem_says_nothing_about_a_provider_beyond_our_own_words() -> None:
    error = ProviderError("alpha", Outcome.UNAVAILABLE, "down", provider_code="SECRET_CODE")
    assert "SECRET_CODE" not in str(error_response(error).body)


def test_nobody_is_told_to_try_again_what_only_an_operator_can_change() -> None:
    assert errors.LimitError("hourly_images", "").retryable
    assert not errors.LimitError("blocked", "").retryable


def test_what_may_pass_is_worth_another_try_and_nothing_else_is() -> None:
    assert {kind for kind in KINDS if kind.retryable} == {
        errors.LimitError,
        errors.NoProviderError,
        errors.GenerationFailedError,
        errors.ModerationUnavailableError,
        errors.LeaseLostError,
        errors.StillRunningError,
        errors.ConfigurationError,
        errors.StoreUnavailableError,
    }


CODES = {
    errors.LeaseLostError: "generation_abandoned",
    errors.ModerationUnavailableError: "moderation_unavailable",
    errors.ConfigurationError: "not_configured",
    errors.ForbiddenError: "forbidden",
    ImagegenError: "internal_error",
    ProviderError: "provider_error",
    LlmError: "llm_failed",
}
"""Codes that no table of another test has; programs that call the service know them."""


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_a_code_never_changes(kind: type[ImagegenError]) -> None:
    assert kind.code == CODES[kind]


def test_nothing_is_said_of_an_error_that_was_not_found_out() -> None:
    assert (ImagegenError.charged, ImagegenError.replayed) == (None, False)
    error = ProviderError("alpha", Outcome.UNAVAILABLE, "down")
    assert (error.is_billed, error.is_unbilled, error.ends_checks) == (False, False, False)


def test_the_error_of_an_llm_is_named_by_its_outcome() -> None:
    limited = LlmError("no", outcome=Outcome.RATE_LIMITED, retry_after_seconds=5)
    assert (limited.code, limited.retryable) == ("llm_rate_limited", True)
    assert limited.retry_after_seconds == 5
    refused = LlmError("no", outcome=Outcome.REFUSED)
    assert (refused.code, refused.retryable) == ("llm_refused", False)
    assert LlmError("no").outcome is Outcome.UNAVAILABLE
