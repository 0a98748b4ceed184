"""The log: fetch records, commit atomically."""
