"""HTTP: the calls of the contract, the live stream, the page."""
