"""How records of other publishers enter the directory."""
