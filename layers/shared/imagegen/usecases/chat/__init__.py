"""A chat's answer: the LLM, its one tool, and the limits of one message."""
