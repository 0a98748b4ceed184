"""Signals into another system as lines of draft purchases, level-triggered: the difference is written, not the change.

`pusher` is the sink; a connector brings the other system behind the port `system.OrderSystem`. Nothing that matters is
kept here: every line bears the id of its signal (`system.Key`), and the engine shows the draft of a signal, so a round
finds what an earlier one did, whatever it lost. A line is therefore written effectively once: at least once towards
the other system, and what was written twice is removed again but for the lowest. The events that follow come from
the signal's revision and the line that was found, so saying them again is a duplicate.
"""

from connectors.orders.pusher import OrderPusher
from connectors.orders.settings import PushSettings
from connectors.orders.system import Key, OrderLine, OrderSystem, PushRefused, WantedLine

__all__ = ["Key", "OrderLine", "OrderPusher", "OrderSystem", "PushRefused", "PushSettings", "WantedLine"]
