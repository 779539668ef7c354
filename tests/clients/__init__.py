"""``make clients``: other people's clients against the running stack, unchanged."""
