"""The same demand and suppliers with a plain nightly batch, which the engine is compared with."""

from dataclasses import dataclass

from engine.demo.world.agenda import Agenda
from engine.demo.world.buyers import NightlyBuyer
from engine.demo.world.calendar import at_local
from engine.demo.world.outlet import say_nothing
from engine.demo.world.plan import Plan
from engine.demo.world.planning import Forecaster
from engine.demo.world.shop import Shop
from engine.demo.world.stock import AverageStock, Service, average_stock


@dataclass(frozen=True)
class Outcome:
    """The outcome of a way of buying: service, average stock, number of orders."""

    service: Service
    stock: AverageStock
    orders: int


def run_nightly(plan: Plan) -> Outcome:
    """Run the period with stock known and orders decided once a day."""
    agenda = Agenda(at_local(plan.first, 5))
    shop = Shop(plan, agenda, say_nothing)
    forecaster = Forecaster(plan, agenda, say_nothing, shop.counters)
    shop.open()
    forecaster.open(shop.start)
    NightlyBuyer(shop, forecaster).open()
    agenda.advance(shop.end)
    return outcome_of(shop)


def outcome_of(shop: Shop) -> Outcome:
    """The outcome of a run that has reached its end."""
    return Outcome(shop.service, average_stock(shop.rows.values(), shop.start, shop.end), shop.counters.orders)
