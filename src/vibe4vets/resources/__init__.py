"""The directory: organizations, resources, locations, sources, and what of them is published."""
