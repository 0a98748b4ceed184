"""Connectors translate the records of other systems into the contract's CloudEvents and deliver them to the engine.

`ports` says what a connector must do, and `host` runs those of `catalogue`. Two are older and run by themselves:

- `files` posts over HTTP and keeps its place in a state file beside the file, after each batch. It delivers at least
  once, and exactly once in the log for as long as that knows events again (seven days unless set otherwise). Formats of
  files implement `files.readers.Reader`: the sender keeps the place.
- `kafka_source` writes events and the offsets of its group in one Kafka transaction for each partition. It delivers
  exactly once.

Of the engine a connector imports only `engine.core` and `engine.kafka`.
"""
