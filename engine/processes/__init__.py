"""The processes that serve: one composition root for each, and what their lives have in common."""
