"""``python -m imagegen.runtime``: what ``layers/shared/streaming`` starts."""

from imagegen.runtime.loop import main

main()
