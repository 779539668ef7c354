"""Generators of what is committed or shipped: docs tables, OpenAPI, monitoring, the layer."""
