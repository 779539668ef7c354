"""Names of the request headers that our routes read, in lower case as Lambda passes them."""

USER_TOKEN = "x-imagegen-token"  # noqa: S105 a name
"""The user's token, if ``Authorization`` contains an AWS signature."""
MAX_COST = "x-max-cost"
"""Under ``/v1``: the most that the image may cost, in dollars."""
IDEMPOTENCY_KEY = "idempotency-key"
RETRY_COUNT = "x-stainless-retry-count"
"""How many times an OpenAI SDK has already sent this request."""
