"""The dated projection of a row: what it will have on each of the next days, and what can still be promised."""

from msgspec import Struct

from agents import supply
from agents.demand import demand_ahead
from agents.need import LOOK_AHEAD_DAYS, need_of
from agents.reader import RowView, once
from agents.turn import Site
from engine.core.projection import available_to_promise, project
from engine.core.values import day_of


class Projection(Struct, frozen=True):
    """The projection of a row, in base units; each list has one number per day from `today` on."""

    today: int
    """A local day (ordinal)."""
    opening: int
    """The sellable stock now."""
    supply: list[int]
    demand: list[int]
    projected: list[int]
    """The balance at the end of each day: opening + supply - demand, running."""
    overdue: int
    """What of the supply was due before today; it counts as tomorrow's."""

    @property
    def atp(self) -> list[int]:
        """What can still be promised on each day: the least balance from that day on, without the forecast."""
        return available_to_promise(self.opening, self.supply)

    def first_below_zero(self, days: int) -> int | None:
        """The first of so many days on which the projected balance is below 0."""
        for offset, balance in enumerate(self.projected[:days]):
            if balance < 0:
                return self.today + offset
        return None


def projection_of(view: RowView, days: int) -> Projection:
    """The projection of a row for a number of days."""
    ahead = supply.ahead(view, days)
    incoming = ahead.days
    if days > 1:
        incoming[1] += ahead.overdue
    demand = demand_ahead(view, days)
    opening = view.stock.sellable
    return Projection(view.today, opening, incoming, demand, project(opening, incoming, demand), ahead.overdue)


@once
def days_ahead(site: Site) -> Projection:
    """The projection over lead time and review period and the seven days after; it drops supply that has passed."""
    supply.drop_past(site)
    return projection_of(site, protection_days(site) + LOOK_AHEAD_DAYS)


def protection_days(site: Site) -> int:
    """Lead time and review period of a row in whole days; twice the default lead time without a policy."""
    need = need_of(site)
    return 2 * site.turn.rules.default_lead_time_days if need is None else need.lead_time.protection


def projection_view(projection: Projection) -> list[dict[str, object]]:
    """The projection as the contract shows it, one object per day."""
    columns = zip(projection.supply, projection.demand, projection.projected, projection.atp, strict=True)
    return [
        {
            "date": day_of(projection.today + offset).isoformat(),
            "supply": supply,
            "demand": demand,
            "projected": projected,
            "atp": atp,
            **({"overdue": projection.overdue} if offset == 1 and projection.overdue else {}),
        }
        for offset, (supply, demand, projected, atp) in enumerate(columns)
    ]
