"""The composition root: the service of each function, built from a world and its settings.

In production the world is ``AwsWorld``; tests and benchmarks build the same services over worlds of
their own. No other code connects use cases with adapters.
"""
