"""Image generation over several providers with a binding price."""
