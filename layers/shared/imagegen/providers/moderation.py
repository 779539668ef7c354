"""OpenAI's moderation, free of charge (https://developers.openai.com/api/docs/guides/moderation).

A call takes one picture at most: with two it is refused ("Number of images (2) exceeds maximum of
1", ``too_many_images``, as of 2026-04-23). The prompt goes with the first picture, and each further
picture has a call of its own.

A call above the rate is repeated once after a short wait: many users at once would otherwise get an
error each.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
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
PAUSE_SECONDS = 1.0
"""The wait before the second call where the endpoint names none."""
LONGEST_PAUSE_SECONDS = 3.0
"""If the endpoint asks for a longer wait, the caller is told instead."""


@dataclass(frozen=True, slots=True)
class OpenAIModerator:
    """Checks prompts with OpenAI's newest moderation model."""

    http: JsonHttp
    api_key: SecretStr
    base_url: str
    sleep: Callable[[float], None] = time.sleep

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
            verdict = self._patient_verdict(body, deadline)
            if verdict.flagged:
                break
        return verdict

    def _patient_verdict(self, body: Mapping[str, Body], deadline: Deadline) -> Moderation:
        """Return the verdict, also if the first call was above the rate and the second is not."""
        try:
            return self._verdict(body, deadline)
        except ProviderError as error:
            pause_seconds = error.retry_after_seconds or PAUSE_SECONDS
            longest = min(LONGEST_PAUSE_SECONDS, deadline.remaining_seconds() / 2)
            if error.outcome is not Outcome.RATE_LIMITED or pause_seconds > longest:
                raise
        self.sleep(pause_seconds)
        return self._verdict(body, deadline)

    def _verdict(self, body: Mapping[str, Body], deadline: Deadline) -> Moderation:
        answer = self.http.post(
            f"{self.base_url}/moderations",
            headers=bearer(NAME, self.api_key),
            body=body,
            timeout_seconds=deadline.remaining_seconds(),
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
