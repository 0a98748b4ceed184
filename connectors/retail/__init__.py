"""The Online Retail invoices: a real year of a gift wholesaler, as events, and a simulated supply side for it."""
