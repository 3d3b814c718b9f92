"""One module a publisher or format: fetching and parsing, nothing else."""
