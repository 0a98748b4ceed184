"""Pure actors, one per concern, that share a mailbox: the ordered log of their partition.

Each owns its rows, reads its neighbours', and changes copies of rows through a `Turn`. Nothing here reads a clock.
"""
