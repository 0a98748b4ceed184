"""The bus of one machine: log, rows and read model in one RocksDB directory."""
