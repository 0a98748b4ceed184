"""The rules of the trade as tables: given rows and events, one event, and the rows, signals and alerts that follow.

Each case calls the agents on a plain dictionary. There is no bus, no store, no clock and no engine.
"""
