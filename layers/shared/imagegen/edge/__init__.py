"""The HTTP edge of every function: request checks, tokens, and errors as responses."""
