"""A seeded simulator of the wholesaler's ERP, warehouses and suppliers, around the real demand of its invoices.

It holds the physical truth of stock and plays everything that the invoices do not tell: it answers the engine's own
signals with orders, acknowledges, ships and delivers them, counts, transfers, forecasts, and reports the ERP's
balances with errors planted in them. Demand that cannot be served at once is lost: a fill rate is the units served at
once over the units demanded. The same demand and the same suppliers can be run with a plain nightly batch instead of
the engine (`engine.demo.world.nightly`).
"""
