"""The text that ``make run`` prints: the page, addresses, a token, and commands to paste."""

from collections.abc import Mapping
from typing import Any, Final

TEXT: Final = """\
The stack is up after {seconds:.0f} s. Ctrl-C ends it; `make run` in another terminal deploys again.

Open the page and sign in as one of three demo people, to chat, make images, break a provider and
watch the fallback:

  {pageUrl}

Operators have a page of their own. Of the demo people, Olivia may use it:

  {pageUrl}admin

  estimate   {estimateUrl}
  generate   {generateUrl}
  health     {healthUrl}
  providers  {simulatorUrl}
  elements   {statesUrl} (every state of the image element, in both themes)
  inspector  {statesUrl}inspector (a small host for MCP Apps)
  AWS        {awsEndpoint} (access key and secret test, region {region})
  all this   .local/stack.json

A token of one of them (Alice), valid for a day:

  export TOKEN={token}

1. Ask for the price. Nothing is spent yet.

  ESTIMATE=$(curl -sS {estimateUrl}/estimate -H "Authorization: Bearer $TOKEN" \
-H "Content-Type: application/json" -d '{{"prompt": "A red fox in fresh snow"}}'); \
printf '%s\\n' "$ESTIMATE"

2. Make the image, for at most that price.

  IMAGE=$(printf '%s' "$ESTIMATE" | python3 -c 'import json, sys; e = json.load(sys.stdin); \
print(json.dumps({{"quote": e["quote"], "prompt": e["prompt"]}}))' | \
curl -sS {generateUrl}/generate-image -H "Authorization: Bearer $TOKEN" \
-H "Content-Type: application/json" -d @-); printf '%s\\n' "$IMAGE"

3. Download the image. The address is valid as long as the image is kept.

  curl -sSL -o /tmp/fox.png $(printf '%s' "$IMAGE" | python3 -c \
'import json, sys; print(json.load(sys.stdin)["imageUrl"])') && ls -l /tmp/fox.png
"""


def tour(description: Mapping[str, Any], seconds: float) -> str:
    """Return the text for a stack; ``seconds`` is how long the start took."""
    return TEXT.format_map({**description, "seconds": seconds})
