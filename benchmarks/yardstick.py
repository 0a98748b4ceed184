"""A fixed piece of work to measure machines by, so that figures of noisy machines can be compared as ratios."""

import time
from hashlib import blake2b

import msgspec

_DOCUMENT = b'{"id":"1","sku":"85123A","location":"LDS","qty":48,"lines":[{"order":"PO-1009","line":3,"qty":6}]}'


def yardstick(rounds: int = 40_000) -> float:
    """How many times a second of CPU this machine decodes a small JSON document and hashes it."""
    started = time.process_time()
    for _ in range(rounds):
        msgspec.json.decode(_DOCUMENT)
        blake2b(_DOCUMENT, digest_size=16).digest()
    return rounds / (time.process_time() - started)
