"""How RocksDB is set up: one memory budget, filters against misses, a write-ahead log that is short to replay."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from rocksdict import BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, Options, WriteBufferManager

Profile = Literal["sequential", "rows", "random"]
"""How a family is used: written and read in key order; looked up by key; looked up by key and mostly not found."""

MIB = 1 << 20
MAX_WAL_MIB = 128
BACKGROUND_JOBS = 2
MAX_OPEN_FILES = 512
FILE_MIB = 64
BLOCK_KIB: Mapping[Profile, int] = {"sequential": 16, "rows": 4, "random": 8}
BLOOM_BITS = 10
MEMTABLE_BLOOM_RATIO = 0.1
TRACKED_LOGS = """[Version]
  rocksdb_version=9.0.0
  options_file_version=1.1
[DBOptions]
  track_and_verify_wals_in_manifest=true
[CFOptions "default"]
[TableOptions/BlockBasedTable "default"]
"""
"""RocksDB then notes every write-ahead log that it has closed and does not open without one that it still needs."""
RAW_MODE = '{"raw_mode":true,"prefix_extractors":{}}'


class Memory:
    """One budget: the cache holds blocks, indexes and filters, and the write buffers are charged to it."""

    def __init__(self, mib: int) -> None:
        self.cache = Cache(mib * MIB)
        self.write_buffers = WriteBufferManager.new_write_buffer_manager_with_cache(mib * MIB // 4, False, self.cache)
        self.write_buffer_size = max(4 * MIB, min(32 * MIB, mib * MIB // 16))


def database_options(memory: Memory, read_only: bool, together: bool) -> Options:
    """The options of the database as a whole."""
    options = _shaped(_tracking_logs(), "rows", memory)
    options.create_if_missing(not read_only)
    options.create_missing_column_families(not read_only)
    options.set_write_buffer_manager(memory.write_buffers)
    # Every write is synced before it is acknowledged, so only the last one can be torn by a crash: an incomplete tail
    # is dropped. Damage before the tail hits what was acknowledged and must not pass in silence, as it would with
    # point_in_time, which drops all that follows.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    options.set_atomic_flush(together)
    options.set_max_total_wal_size(MAX_WAL_MIB * MIB)
    options.set_max_background_jobs(BACKGROUND_JOBS)
    # A view must hold every file open: its owner may delete them.
    options.set_max_open_files(-1 if read_only else MAX_OPEN_FILES)
    options.set_bytes_per_sync(MIB)
    options.set_skip_stats_update_on_db_open(True)
    options.set_stats_dump_period_sec(0)
    options.set_keep_log_file_num(4)
    options.set_max_log_file_size(4 * MIB)
    return options


def family_options(profile: Profile, memory: Memory) -> Options:
    """The options of one family."""
    options = _shaped(Options(raw_mode=True), profile, memory)
    if profile == "random":
        # Most look-ups find nothing. A filter over the write buffer answers them without a search through it.
        options.set_memtable_prefix_bloom_ratio(MEMTABLE_BLOOM_RATIO)
        options.set_memtable_whole_key_filtering(True)
    return options


def _tracking_logs() -> Options:
    """Options with `TRACKED_LOGS`, which has no setter in rocksdict: it reads them from a file as RocksDB writes it."""
    with tempfile.TemporaryDirectory(prefix="stockline-options-") as folder:
        Path(folder, "OPTIONS-000001").write_text(TRACKED_LOGS)
        Path(folder, "rocksdict-config.json").write_text(RAW_MODE)
        return Options.load_latest(folder)[0]


def _shaped(options: Options, profile: Profile, memory: Memory) -> Options:
    options.set_write_buffer_size(memory.write_buffer_size)
    options.set_target_file_size_base(FILE_MIB * MIB)
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_block_based_table_factory(_blocks(profile, memory))
    # The keys and values of random families are hashes, which do not compress.
    options.set_compression_type(DBCompressionType.none() if profile == "random" else DBCompressionType.lz4())
    return options


def _blocks(profile: Profile, memory: Memory) -> BlockBasedOptions:
    blocks = BlockBasedOptions()
    blocks.set_block_cache(memory.cache)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    blocks.set_block_size(BLOCK_KIB[profile] * 1024)
    blocks.set_format_version(5)
    if profile != "sequential":
        blocks.set_bloom_filter(BLOOM_BITS, False)
    return blocks
