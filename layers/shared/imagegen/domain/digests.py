"""Digests: the name of exactly what is sent to a provider, to which a price in a quote is bound."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest(provider: str, model: str, params: Mapping[str, Any]) -> str:
    """Return 16 hex digits of a hash over what is sent to a provider."""
    canonical = json.dumps([provider, model, params], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
