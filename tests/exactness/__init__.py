"""The money and breaker bar, R0 to R22 and G: ``python -m tests.exactness``, or ``make exactness``.

Every row runs the code that ships against MiniStack, in many threads and processes, with clocks
that are passed in; each prints the figure that it measured and says whether it falls short.
"""
