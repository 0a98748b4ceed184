"""What goes out to a trading partner: orders, changes, forecasts and receipts, each under a control number of its own.

rows       follows the rows of the engine, and merges what their events say of an order line
due        compares the lines with what was sent, and says which document is due
documents  makes the segments of a document, by standard
writing    puts segments into an interchange
journal    keeps the control numbers, what was sent under them, and what the partner answered
"""
