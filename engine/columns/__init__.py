"""The read model in columns: lists, searches and aggregates over what the engine has published."""
