"""What led to a forecast, a signal, an order or a receipt, and what it led to."""
