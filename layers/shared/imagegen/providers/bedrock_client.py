"""Requests to Amazon Bedrock: boto3 finds the credentials, writes and signs; our own client sends.

boto3's transport limits the time of each read and not of the whole call, and tries again by
default, which may pay for a second image. ``imagegen.providers.http`` has the rules for both.
Errors are raised outside their ``except``: a chained cause would carry the vendor's text.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as AwsConnectionError
from botocore.session import get_session

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json
from imagegen.providers import RoleAccess
from imagegen.providers.bounds import Deadline
from imagegen.providers.faults import HttpAnswer, fault, text_at, token
from imagegen.providers.http import JsonHttp

NAME = "bedrock"
RUNTIME, CATALOG = "bedrock-runtime", "bedrock"
"""boto3's names of the two services: one makes images, the other lists models."""
SESSION_NAME = "imagegen"
"""Shown in the CloudTrail of the account whose role is assumed."""
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)

ONE_ATTEMPT = Config(retries={"mode": "standard", "total_max_attempts": 1})
# A role is assumed free of charge, so that may be tried again.
ASSUMING = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})


class AnsweredError(Exception):
    """Ends boto3's part of a call: the answer has come, and is read by its adapter."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(slots=True)
class Sender:
    """Sends what boto3 has signed for one call."""

    http: JsonHttp
    deadline: Deadline | None = None

    def send(self, request: AWSPreparedRequest) -> HttpAnswer:
        """Return the answer; raises the errors of ``imagegen.providers.http.JsonHttp.post``."""
        if self.deadline is None or self.deadline.is_over():
            raise fault(NAME, Outcome.UNAVAILABLE, "no time left to send it")
        return self.http.send(
            request.method,
            request.url,
            headers=_text(request.headers.items()),
            content=_bytes(request.body),
            timeout_seconds=self.deadline.remaining_seconds(),
        )


_SENDER: ContextVar[Sender] = ContextVar("sender")
"""Of the call that this thread makes: a client of boto3 is shared by all threads."""


@dataclass(frozen=True, slots=True)
class BedrockClient:
    """Calls Bedrock with one access."""

    http: JsonHttp
    access: RoleAccess
    endpoint: str
    """Called instead of Bedrock's own addresses; empty for these."""

    def call(
        self, service: str, operation: str, *, timeout_seconds: float, **arguments: Any
    ) -> HttpAnswer:
        """Return the answer to one operation, under the name that it has in boto3.

        Raises:
            ProviderError: in the same cases as ``imagegen.providers.http.JsonHttp.post``; also
                ``ACCOUNT`` when there are no credentials or the role cannot be assumed.
        """
        sender = Sender(self.http)
        mark = _SENDER.set(sender)
        try:
            client = _client(service, self.access, self.endpoint)
            # The client is built once; finding credentials and signing are part of each call.
            sender.deadline = Deadline.after(timeout_seconds, self.http.clock)
            getattr(client, operation)(**arguments)
        except AnsweredError as answered:
            return answered.answer
        except (BotoCoreError, ClientError, ValueError) as error:
            failure = not_sent(error)
        finally:
            _SENDER.reset(mark)
        raise failure


def error_code(answer: HttpAnswer) -> str:
    """Return the name of the exception in an answer, an empty text if it is no error of the API.

    https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
    """
    named = answer.headers.get("x-amzn-errortype", "")
    named = named or text_at(answer.body, "__type") or text_at(answer.body, "code")
    return token(named.partition(":")[0].rpartition("#")[2]) or ""


def error_message(body: Json) -> str:
    """Return the vendor's words about an error; services differ in the first letter's case."""
    return text_at(body, "message") or text_at(body, "Message")


def not_sent(error: Exception) -> ProviderError:
    """Return the error for a call that ended before its request was sent."""
    code = None
    if isinstance(error, ClientError):
        # Of the call that assumes the role: the request itself never ends in one.
        code = token(error.response.get("Error", {}).get("Code"))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        is_away = status >= 500 or "Throttl" in (code or "")
        outcome = Outcome.UNAVAILABLE if is_away else Outcome.ACCOUNT
    elif isinstance(error, NO_CREDENTIALS):
        outcome = Outcome.ACCOUNT
    elif isinstance(error, (AwsConnectionError, HTTPClientError, ValueError)):
        outcome = Outcome.UNAVAILABLE
    else:
        outcome = Outcome.BAD_PARAMETER
    return fault(NAME, outcome, code or type(error).__name__)


@cache
def _client(service: Any, access: RoleAccess, endpoint: str) -> Any:
    session = get_session()
    if access.role_arn:
        resolver = CredentialResolver([AssumedRole(access)])
        session.register_component("credential_provider", resolver)
    client = boto3.Session(botocore_session=session).client(
        service, region_name=access.region, endpoint_url=endpoint or None, config=ONE_ATTEMPT
    )
    client.meta.events.register("before-send", _send)
    return client


def _send(request: AWSPreparedRequest, **_event: object) -> None:
    raise AnsweredError(_SENDER.get().send(request))


class AssumedRole(CredentialProvider):
    """The credentials of a role in any account, renewed before they expire."""

    METHOD = "assume-role"

    def __init__(self, access: RoleAccess) -> None:
        super().__init__()
        self.access = access

    def load(self) -> DeferredRefreshableCredentials:
        """Return the credentials, which are fetched when they are first used.

        Raises:
            botocore.exceptions.NoCredentialsError: nothing can sign the call that fetches them.
        """
        own = get_session()
        source = own.get_credentials()
        if source is None:
            raise NoCredentialsError
        fetcher = AssumeRoleCredentialFetcher(
            partial(own.create_client, region_name=self.access.region, config=ASSUMING),
            source,
            self.access.role_arn,
            extra_args={"RoleSessionName": SESSION_NAME},
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)


def _text(headers: Iterable[tuple[str, str | bytes]]) -> dict[str, str]:
    return {
        name: value.decode("ascii") if isinstance(value, bytes) else value
        for name, value in headers
    }


def _bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray) else b""
