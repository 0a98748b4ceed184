"""The handlers of the HTTP calls, one module for each subject."""
