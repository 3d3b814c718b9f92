"""Vibe4Vets: an async REST API for a directory of resources for US Veterans."""
