"""Shows the elements in every state: a page beside a local stack, which calls no service."""
