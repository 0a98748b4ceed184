"""The mapping language: rules in TOML that turn a record of somebody's format into an event of the contract.

`language` declares what may be written in a profile, `translator` applies it to one record, `values` reads numbers and
times out of text. A record is a mapping of column names to text: a row of a CSV file, or a JSON document whose columns
are dotted paths. The profiles of files and of Kafka topics add to it what their transport needs.
"""
