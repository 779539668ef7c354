"""The chat's LLM behind any endpoint that speaks OpenAI's chat completions."""
