"""Review and administration."""
