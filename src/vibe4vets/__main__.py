"""`python -m vibe4vets` is the `vibe4vets` command."""

from vibe4vets.cli import main

main()
