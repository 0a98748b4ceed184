"""The agents: pure functions, one module per concern, that see the events of a partition in the order of its log.

`pipeline` says which of them see an event. Each takes a `turn.Site` (the row that the event changes) and the event's
data, changes copies of rows, and leaves alerts and signals as data; it may reject the event. Nothing here reads a
clock, waits or does I/O. Who changes which rows:

==================================  ====================================================================================
`ledger`                            `Movement`, `Floor`, and the balances in `Stock` and `Reported`
`stock`                             `Reservation`, `Transfer`; of `Stock` the reserved quantity and the negative watch
`purchasing`, `book`, `order_line`  `Order`, `Line`, `Piece`, `Shipment` and their slots; of `Stock` on order
`line_alerts`                       of `Line` its next look
`supply`                            `SupplyBlock`, `PastSupply`, `Transit`
`forecast`                          `Revision`, `Version`, gaps; of `Plan` the base and what is counted of deltas
`demand`                            `Bucket`, `Issued`; of `Plan` what is counted of buckets
`need`                              of `Plan` the policy
`drift`                             `Reported`; of `Stock` when the last report was made
`drift_forecast`                    of `Plan` the errors of the last buckets
`drift_lead_time`                   the index of lead times; of `Plan` the completed lines
`replenishment`, `signal_answers`   `SignalRow`, by `signal_life`; of `Stock` the trigger, and whether a signal stands
`signal_answers`                    `FollowUp`
`stockout`                          of `Stock` when the projection must be looked at again
`alerts`                            `AlertRow`; of `Stock` how many are open
`directory`                         `Item`, `Definition`, `Location`; of `Stock` whether the item is known
`feeds`                             `Feed`, `Pulse`
`due`, `turn`                       what waits for the clock; of `Stock` the next wake
`pipeline`, `clock`                 of `Stock` the version and the time of the last change
==================================  ====================================================================================

`calendar`, `reader`, `projection`, `proposal`, `explain`, `drift_causes`, `allocation` and `lines` change no row. Of
`Stock`, `stock` and `purchasing` both change what is in transit, each by the difference that its event makes.
"""
