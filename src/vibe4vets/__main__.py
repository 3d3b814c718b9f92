"""`python -m vibe4vets` is the `vibe4vets` command.

What loading makes stays: to look through it for garbage again and again would take a fifth of the time to start.
"""

import gc

gc.disable()

from vibe4vets.cli import main  # noqa: E402  only now

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
