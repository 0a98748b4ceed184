"""EPCIS 2.0 in JSON and JSON-LD: what was seen of goods, when, where and why, as movements of stock.

It is a format of files and of webhooks, not a connection of its own: whatever carries the documents says how often they
come. Each EPCIS event gives the same events with the same ids each time, under its `eventID` or its event hash, so a
document that is delivered at least once counts once for as long as the log knows its events again.
"""
