"""Rows on disk and in memory."""
