"""OpenAI's moderation, free of charge (https://developers.openai.com/api/docs/guides/moderation).

A call takes one picture at most: with two it is refused ("Number of images (2) exceeds maximum of
1", ``too_many_images``, as of 2026-04-23). The prompt goes with the first picture, and each further
picture has a call of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from imagegen.domain.inputs import InputFile
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json, Moderation
from imagegen.providers.bounds import Deadline
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    bearer,
    dig,
    fault,
    items_at,
    raise_if,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import data_url
from imagegen.providers.json_body import Body
from imagegen.providers.openai import NAME, classify

MODEL = "omni-moderation-latest"


@dataclass(frozen=True, slots=True)
class OpenAIModerator:
    """Checks prompts with OpenAI's newest moderation model."""

    http: JsonHttp
    api_key: SecretStr
    base_url: str

    @property
    def reads_pictures(self) -> bool:
        """Whether pictures can be checked."""
        return True

    def check(
        self, prompt: str, pictures: Sequence[InputFile] = (), *, timeout_seconds: float
    ) -> Moderation:
        """Return the verdict on the whole prompt, whatever its length, and on all pictures.

        It ends with the first call that flags something.

        Raises:
            ProviderError: there is no verdict on a part of it.
        """
        deadline = Deadline.after(timeout_seconds, self.http.clock)
        verdict = Moderation(flagged=False)
        for body in to_bodies(prompt, pictures):
            if deadline.is_over():
                raise fault(NAME, Outcome.UNAVAILABLE, "no time left for its next picture")
            verdict = self._verdict(body, deadline.remaining_seconds())
            if verdict.flagged:
                break
        return verdict

    def _verdict(self, body: Mapping[str, Body], timeout_seconds: float) -> Moderation:
        answer = self.http.post(
            f"{self.base_url}/moderations",
            headers=bearer(NAME, self.api_key),
            body=body,
            timeout_seconds=timeout_seconds,
        )
        return verdict_from(answer)


def build(api_key: SecretStr, base_url: str) -> OpenAIModerator:
    """Return the moderator."""
    return OpenAIModerator(JsonHttp(NAME), api_key, base_url)


def to_bodies(prompt: str, pictures: Sequence[InputFile]) -> Iterator[dict[str, Body]]:
    """Yield the bodies of POST /moderations, made one after the other: pictures are large."""
    if not pictures:
        yield {"model": MODEL, "input": prompt}
    for at, picture in enumerate(pictures):
        text: list[Body] = [{"type": "text", "text": prompt}] if at == 0 and prompt else []
        shown: Body = {"type": "image_url", "image_url": {"url": data_url(picture)}}
        yield {"model": MODEL, "input": [*text, shown]}


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
