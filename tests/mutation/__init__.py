"""Small changes to the code that decides: the tests must notice each.

``python -m tests.mutation``, or ``make mutation``.
"""
