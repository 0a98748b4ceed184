"""The rows of the engine: state types, keys and codecs."""
