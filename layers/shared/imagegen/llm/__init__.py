"""The chat's LLM, at any endpoint that is compatible with OpenAI's chat completions."""
