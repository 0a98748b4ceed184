"""The settings of the fold. The marker of a partition holds them: the same log gives the same bytes only with them."""

from typing import Literal

from msgspec import Struct

from engine.core.values import DAY, HOUR, MINUTE


class Rules(Struct, frozen=True, array_like=True):
    """What the agents decide by. Times in the unit that ends their name; a new rule goes to the end, with a default."""

    clock: Literal["wall", "log"] = "wall"
    movement_window_hours: int = 48
    duplicate_days: int = 7
    max_ahead_hours: int = 24
    dead_band_percent: int = 10
    accepted_signal_days: int = 7
    rejected_signal_days: int = 7
    ordered_grace_hours: int = 48
    negative_grace_hours: int = 24
    fact_alert_days: int = 7
    lost_in_transit_days: int = 7
    horizon_days: int = 90
    default_lead_time_days: int = 7
    default_service_level: float = 0.95
    balance_tolerance: int = 0
    cut_off_minutes: int = 15
    tracking_limit: int = 4
    tracking_points: int = 6
    lead_time_samples: int = 5
    lead_time_drift_days: int = 2
    unknown_stock_grace_hours: int = 24

    @property
    def movement_window(self) -> int:
        """How long movements are kept, in microseconds of event time."""
        return self.movement_window_hours * HOUR

    @property
    def duplicate_window(self) -> int:
        """How long an event's name is remembered, in microseconds of arrival."""
        return self.duplicate_days * DAY

    @property
    def cut_off(self) -> int:
        """How close to a reported moment a movement may be a matter of the cut-off, in microseconds."""
        return self.cut_off_minutes * MINUTE
