"""``python -m tests.exactness``."""

import sys

if __name__ == "__main__":
    # Here, not above: every worker process loads this file again, and needs none of it.
    from tests.exactness.running import main

    sys.exit(main())
