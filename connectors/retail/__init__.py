"""The Online Retail invoices, a real year of a gift wholesaler, as events. The demo adds a simulated supply side."""
