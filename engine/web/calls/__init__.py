"""The handlers of the HTTP calls, one module per thing."""
