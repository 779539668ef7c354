"""Small changes to the code that counts money and failures: the tests must notice each.

``python -m tests.mutation``, or ``make mutation``.
"""
