"""What an error of S3 means for the stores of images and uploads."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from imagegen.domain.errors import StoreUnavailableError

_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})


@contextmanager
def s3_errors() -> Iterator[None]:
    """Translate the errors of S3.

    Raises:
        FileNotFoundError: there is no such object.
        FileExistsError: there is one already, and it must not be replaced.
        StoreUnavailableError: every other failure.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("PreconditionFailed", "412"):
            raise FileExistsError from error
        if code in _ABSENT:
            raise FileNotFoundError from error
        raise _unavailable() from error
    except BotoCoreError as error:
        raise _unavailable() from error


def _unavailable() -> StoreUnavailableError:
    return StoreUnavailableError("The image store cannot be reached. Try again.")
