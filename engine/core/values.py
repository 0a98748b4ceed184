"""Instants, days, keys and the partitioner: the small values that every layer shares.

An instant (`at`) is an integer count of microseconds since 1970-01-01T00:00:00Z; a day is a proleptic ordinal
(`date.toordinal`). Both are integers so that rows stay small and comparisons exact.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_QUANTITY = 10**12
MAX_BALANCE = 2**63 - 1

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NUL = "\0"


def instant(moment: datetime) -> int:
    """The microseconds since the epoch of an aware `moment`."""
    return round(moment.timestamp() * SECOND)


@lru_cache(maxsize=256)
def moment(at: int) -> datetime:
    """The aware UTC datetime of an instant; one event asks for the same few several times."""
    # Days, seconds, microseconds: naming the last takes a third longer.
    return EPOCH + timedelta(0, 0, at)


def iso(at: int) -> str:
    """An instant as RFC 3339 in UTC."""
    return moment(at).isoformat().replace("+00:00", "Z")


def day_of(ordinal: int) -> date:
    """The calendar date of a day ordinal."""
    return date.fromordinal(ordinal)


def row_key(sku: str, location: str) -> str:
    """The key of the row (sku, location); neither part can hold a NUL."""
    return f"{sku}{NUL}{location}"


def digest(*parts: str, size: int = 16) -> bytes:
    """A stable digest of `parts`, `size` bytes long."""
    return blake2b(NUL.join(parts).encode(), digest_size=size).digest()


def stable_id(prefix: str, *parts: str) -> str:
    """An identifier that is a pure function of its parts, such as `sig-1f0c...`."""
    return f"{prefix}-{digest(*parts, size=10).hex()}"


def ceil_div(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded up; the denominator is positive."""
    return -(-numerator // denominator)


def round_up_to_multiple(quantity: int, multiple: int) -> int:
    """The smallest multiple of `multiple` that is at least `quantity`."""
    return ceil_div(quantity, multiple) * multiple


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: Kafka's default for keyed records (murmur2, sign bit cleared, modulo)."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """The 32-bit murmur2 hash as Kafka's Java client computes it (seed 0x9747b28c)."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ (k >> 24)) * m & mask)
    tail = data[whole:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)
