"""How far one message of a chat may go, asked and answered."""

from dataclasses import dataclass

from imagegen.domain.errors import InvalidRequestError, LlmError
from imagegen.wire.messages import MAX_MESSAGE_CHARACTERS, ChatRequest

MAX_SAID_CHARACTERS = MAX_MESSAGE_CHARACTERS - 500
"""The rest is for words of ours: the next request sends the message back as history."""
MAX_USED_BYTES = 3_500_000
"""What came of the tool, in the events and in the whole message: Lambda's answers end at 6 MB
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), and so many characters
one by one are events of less than 2.5 MB."""


class TooLongError(LlmError):
    """The LLM said or used more than one message can hold."""


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """How far one message may go."""

    rounds: int = 4
    """Times that the tool's results are handed back."""
    calls_in_round: int = 4
    input_characters: int = 100_000
    """Of the whole history."""


def check(request: ChatRequest, limits: ChatLimits) -> None:
    """Return when the history can be answered.

    Raises:
        InvalidRequestError: says what to change.
    """
    last = request.messages[-1]
    if last.role != "user" or not last.content.strip():
        raise InvalidRequestError("The last message must be the user's, and not empty.")
    characters = sum(len(message.content) for message in request.messages)
    if characters > limits.input_characters:
        most = limits.input_characters
        raise InvalidRequestError(
            f"The messages have {characters} characters; {most} are possible: leave out older ones."
        )
