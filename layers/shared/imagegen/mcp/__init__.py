"""The Model Context Protocol over stateless HTTP: an LLM may ask for prices, never spend."""
