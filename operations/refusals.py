"""What to do when AWS refuses a command: one sentence for each kind of error that boto3 raises."""

import difflib
import os
from typing import Final

import boto3
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

SIGN_IN: Final = (
    "set AWS_PROFILE=..., run `aws sso login`, or export AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY"
)
ENDED: Final = (
    "The credentials of this shell have expired: sign in again, or renew them: {sign_in}."
)
UNKNOWN: Final = (
    "AWS does not know the credentials of this shell in {region}. Keys that begin with ASIA need "
    "AWS_SESSION_TOKEN as well; a Region may have to be enabled for the account first (Account, "
    "AWS Regions)."
)
EXPORT: Final = '`eval "$(aws configure export-credentials --format env)"`.'
SKEWED: Final = "AWS does not accept the time of this machine: set its clock."
DENIED: Final = (
    "These credentials may not do that. `make deployer-policy` prints what the commands need; a "
    "boundary or a policy of the organization may forbid it as well."
)
ABSENT: Final = "Is STACK=... the stack's name, and is it in {region}?"
BY_CODE: Final = {
    **dict.fromkeys(("ResourceNotFoundException", "ParameterNotFound"), ABSENT),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException"), ENDED),
    **dict.fromkeys(("InvalidClientTokenId", "UnrecognizedClientException"), UNKNOWN),
    **dict.fromkeys(("InvalidAccessKeyId", "AuthFailure"), UNKNOWN),
    **dict.fromkeys(("RequestExpired", "RequestTimeTooSkewed"), SKEWED),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), DENIED),
}
"""Advice by the code of AWS's answer:
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html"""
BY_KIND: Final[tuple[tuple[tuple[type[BotoCoreError], ...], str], ...]] = (
    ((exceptions.ProfileNotFound,), "Correct AWS_PROFILE, or unset it."),
    ((exceptions.NoRegionError,), "Run export AWS_REGION=eu-central-1, or with your own Region."),
    ((exceptions.NoCredentialsError, exceptions.PartialCredentialsError), "To sign in, {sign_in}."),
    # https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html
    (
        (exceptions.MissingDependencyException, exceptions.LoginError),
        "Only the AWS CLI reads a profile of `aws login`. Give its credentials to this shell: "
        + EXPORT,
    ),
    (
        (exceptions.SSOError, exceptions.TokenRetrievalError, exceptions.NoAuthTokenError),
        "The sign-in of this profile has ended: run `aws sso login`.",
    ),
    ((exceptions.CredentialRetrievalError,), "The profile's own program did not give credentials."),
    ((exceptions.InvalidRegionError,), "Correct AWS_REGION, or the profile's Region."),
)
"""Advice by the class of an error that is raised before AWS answers."""


def advice(error: BotoCoreError | ClientError) -> str:
    """Return what AWS or boto3 reported, and what to do about it."""
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        text = BY_CODE.get(found.get("Code", ""), "")
        return joined(f"{error.operation_name}: {found.get('Message') or error}", text)
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return joined(str(error), _unreached(region()))
    texts = (text for kinds, text in BY_KIND if isinstance(error, kinds))
    return joined(str(error), next(texts, ""))


def region() -> str:
    """Return the Region of this process's commands, as ``accounts.settle_region`` has set it."""
    return os.environ.get("AWS_DEFAULT_REGION", "")


def joined(reported: str, text: str) -> str:
    """Return two sentences, the first with a full stop."""
    filled = text.format(sign_in=SIGN_IN, region=region() or "this Region")
    return f"{reported.rstrip('. ')}. {filled}".rstrip()


def _unreached(name: str) -> str:
    known = boto3.session.Session(region_name="us-east-1").get_available_regions("lambda")
    if not name or name in known:
        return "Check the network of this machine."
    near = difflib.get_close_matches(name, known, 1)
    meant = f": did you mean {near[0]}?" if near else ""
    return f"boto3 has no Region {name!r}{meant or '. Check its name.'}"
