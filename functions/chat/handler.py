"""POST /chat: a chat whose LLM can offer images. Only what each user used of it is written."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.bootstrap.chat import ChatService, get_chat_service
from imagegen.bootstrap.verifier import access_for
from imagegen.chat.sse import EVENT_NAMES, to_sse_pieces
from imagegen.edge.api import (
    build_api,
    caller_of,
    current_user,
    get_dependency,
    serve,
)
from imagegen.edge.streams import event_stream_schema, events_response
from imagegen.logs import logger
from imagegen.wire.messages import ChatRequest

api = build_api()


def full_service() -> ChatService:
    """Return the service with the limits of people."""
    return get_dependency(api, get_chat_service)


def service_of_caller() -> ChatService:
    """Return the service with the limits of the caller: a program, or a person with a team."""
    return full_service().under(caller_of(api))


@api.post(
    "/chat",
    operation_id="chat",
    tags=["chat"],
    responses={
        200: event_stream_schema(
            "Server-sent events: message_start, text_delta, tool_call, and as the last "
            "message_complete, exactly once, also if the LLM failed midway.",
            EVENT_NAMES.values(),
        )
    },
)
def chat(
    request: ChatRequest, service: Annotated[ChatService, Depends(service_of_caller)]
) -> Response[str]:
    """Return the answer's events; ``imagegen.runtime`` sends each as it comes."""
    ends_ms = service.world.now_ms() + api.lambda_context.get_remaining_time_in_millis()
    events = service.chatter.chat(request, current_user(api).id, ends_ms=ends_ms)
    return events_response(api, to_sse_pieces(events))


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event."""
    return serve(api, event, context, access=ACCESS)


ACCESS = access_for(full_service)
