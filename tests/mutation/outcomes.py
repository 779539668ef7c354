"""What may become of a mutant."""

from typing import Final

KILLED: Final = "killed"
SURVIVED: Final = "survived"
TIMEOUT: Final = "timeout"
"""A test run that does not end notices the mutant, too."""
SAME: Final = "same code"
"""It compiles to the same code: it is no mutant."""
ANEW: Final = "anew"
"""It takes effect only where the package is imported anew."""
LEFT_OUT: Final = "left out"
"""Only a part of the mutants was wanted, and it is not among them."""
