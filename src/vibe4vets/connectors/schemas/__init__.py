"""What the connectors are asked and answer."""
