"""What admins do: accounts, API keys, the audit."""
