"""The parts of README and docs/ that are generated from the source by ``make docs``.

They are between two marks in the pages; ``make check`` fails when one is out of date.
"""
