"""OpenAI's moderation, free of charge (https://developers.openai.com/api/docs/guides/moderation)."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json, Moderation
from imagegen.providers.faults import HttpAnswer, answered_fault, bearer, dig, items_at, raise_if
from imagegen.providers.http import JsonHttp
from imagegen.providers.openai import NAME, classify

MODEL = "omni-moderation-latest"


@dataclass(frozen=True, slots=True)
class OpenAIModerator:
    """Checks prompts with OpenAI's newest moderation model."""

    http: JsonHttp
    api_key: SecretStr
    base_url: str

    def check(self, prompt: str, *, timeout_seconds: float) -> Moderation:
        """Return the verdict on the whole prompt, whatever its length.

        Raises:
            ProviderError: there is no verdict.
        """
        answer = self.http.post(
            f"{self.base_url}/moderations",
            headers=bearer(NAME, self.api_key),
            body=to_body(prompt),
            timeout_seconds=timeout_seconds,
        )
        return verdict_from(answer)


def build(api_key: SecretStr, base_url: str) -> OpenAIModerator:
    """Return the moderator."""
    return OpenAIModerator(JsonHttp(NAME), api_key, base_url)


def to_body(prompt: str) -> dict[str, Json]:
    """Return the body of POST /moderations."""
    return {"model": MODEL, "input": prompt}


def verdict_from(answer: HttpAnswer) -> Moderation:
    """Return the verdict: flagged if any result is, with the names of all categories that match.

    Raises:
        ProviderError: the answer is an error or contains no verdict.
    """
    raise_if(classify(answer))
    results = items_at(answer.body, "results")
    flags = [dig(result, "flagged") for result in results]
    if not flags or not all(isinstance(flag, bool) for flag in flags):
        raise answered_fault(NAME, Outcome.UNAVAILABLE, answer)
    names = {name for result in results for name in _matched(dig(result, "categories"))}
    return Moderation(any(flags), tuple(sorted(names)))


def _matched(categories: Json) -> list[str]:
    if not isinstance(categories, Mapping):
        return []
    return [name for name, is_match in categories.items() if is_match is True]
