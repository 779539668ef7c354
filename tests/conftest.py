"""What holds for every suite."""

from hypothesis import settings

# How long an example takes says how busy the machine is, nothing of the code.
settings.register_profile("imagegen", deadline=None)
settings.load_profile("imagegen")
