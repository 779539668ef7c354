"""The content type of our bodies, and the request headers that are read, in lower case."""

JSON = "application/json"
"""The content type of every body but a chat's events."""
USER_TOKEN = "x-imagegen-token"  # noqa: S105 a name
"""The user's token, if ``Authorization`` contains an AWS signature."""
MAX_COST = "x-max-cost"
"""Under ``/v1``: the most that the image may cost, in dollars."""
IDEMPOTENCY_KEY = "idempotency-key"
PREFER = "prefer"
"""What a client would like, by RFC 7240: ``respond-async`` is read."""
RETRY_COUNT = "x-stainless-retry-count"
"""How many times an OpenAI SDK has already sent this request."""
KEY_HEADERS = ("api-key", "x-api-key")
"""Where some clients send a key for programs, instead of in ``Authorization``."""
ON_BEHALF_OF = "x-imagegen-on-behalf-of"
"""The person for whom a program acts, as the issuer's subject. No page can send it."""
