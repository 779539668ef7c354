"""The service of ``chat``. The first answer loads the ``openai`` client, not the cold start."""

import os
from dataclasses import dataclass, replace
from functools import cache, cached_property

from imagegen.aws import clients
from imagegen.bootstrap.aws_world import AwsWorld
from imagegen.bootstrap.pricing import PricingService
from imagegen.bootstrap.service import prime
from imagegen.bootstrap.verifier import get_opener, get_verifier, load_tokens
from imagegen.domain.chat_usage import LlmPrices
from imagegen.domain.ids import provider_name
from imagegen.edge.problems import on_route, to_problem
from imagegen.settings import ChatSettings
from imagegen.usecases.chat.chatter import Chatter
from imagegen.usecases.chat.limits import ChatLimits, ChatMeter
from imagegen.wire.estimates import Estimate, EstimateRequest


@dataclass(frozen=True)
class ChatService(PricingService):
    """Answers chats whose LLM can offer images."""

    settings: ChatSettings

    @cached_property
    def chatter(self) -> Chatter:
        """Answers chats."""
        world, settings = self.world, self.settings
        return Chatter(
            llm=world.get_llm,
            offer=self._offer,
            # A chat buys nothing, so its errors are not charged.
            to_problem=lambda error: on_route(to_problem(error), "/chat"),
            now_ms=world.now_ms,
            new_id=world.new_id,
            prices=LlmPrices(
                settings.chat_input_usd_per_million, settings.chat_output_usd_per_million
            ),
            limits=ChatLimits(input_characters=settings.chat_input_characters),
            begin=self.meter.begin,
            reference=lambda user: provider_name(user, "chat", world.image_id_key()),
            on_answered=world.observer.chat_answered,
            on_unexpected=world.observer.unexpected_error,
        )

    @cached_property
    def meter(self) -> ChatMeter:
        """Counts what each person uses."""
        world, limits, program = self.world, self.settings.chat_limits, self.program
        meter = ChatMeter(world.chat_usages, world.ledgers, limits, world.now_ms, world.new_id)
        if program is None:
            return meter
        # Only requests with a key load it.
        from imagegen.domain.program_limits import chat_limits_of  # noqa: PLC0415

        of_key = chat_limits_of(program.key, limits)
        if program.is_for_person:
            return replace(meter, program=(program.key.user, of_key))
        return replace(meter, limits=of_key)

    def _offer(self, request: EstimateRequest, user: str) -> Estimate:
        # The estimator is built for the first offer: answers without an offer do not need it.
        return self.estimator.estimate(request, user)


@cache
def get_chat_service() -> ChatService:
    """Return the service over AWS.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    settings = ChatSettings.from_env(os.environ)
    return ChatService(AwsWorld(settings), settings)


prime(lambda: get_chat_service().estimator, clients.ssm, get_verifier, load_tokens, get_opener)
