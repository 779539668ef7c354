"""Known bugs, put into a copy of this tree one by one: each must turn the tests red.

``python -m tests.planted``, or ``make planted``. What cannot fail proves nothing.
"""
