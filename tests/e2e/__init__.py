"""The pages in a real browser, against the shipped command on the demo's data."""
