"""The parts of README and docs/ that are made from the source: ``make docs``.

What is between two marks is made here and nowhere else; ``make check`` fails where it is stale.
"""
