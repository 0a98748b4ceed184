"""The errors of Stockline.

    StocklineError
    |-- UsageError              wrong usage or configuration; exit code 2
    |   |-- EngineDenied        `connectors.client`: the engine asks for another token
    |   `-- BadFile             `connectors.files.readers`: a file as a whole is not what its format asks for
    |-- EnvironmentFailure      disk, network, broker; exit code 3
    |   |-- DirectoryInUse      another process owns the data directory
    |   |-- DiskFull            no space is left; nothing that was accepted is lost
    |   |-- Fenced              another process has taken over the partition; nothing was committed
    |   |-- ClockAhead          the wall clock has jumped ahead; nothing is taken until it agrees or is accepted
    |   |-- Corrupt             a file does not hold what was written
    |   |-- LogReplaced         `connectors.host.delivery`: the engine has another log than at the start of the round
    |   |-- Unreachable         `connectors.profiles`: another system does not answer, or not now
    |   |-- ProviderUnavailable `engine.access.provider`: the OpenID provider does not answer
    |   `-- EngineUnreachable   `connectors.client`: no answer for as long as the client's patience lasts
    |-- Busy                    more is waiting than the engine takes; try again later
    |-- TooOften                `engine.access.limits`: a login calls too often, or has too many calls open
    |-- NotLoggedIn             `engine.access.denial`: the caller has not proven who it is (401)
    |-- Forbidden               `engine.access.denial`: the caller may not do this (403)
    |-- UnknownKey              `engine.access.jwt`: a token's key is not known yet
    |-- BrokenInvariant         a bug; ends the process with exit code 70
    |-- EngineRefused           `connectors.client`: the engine refused a call as a whole
    |-- RequestRejected         `engine.cli.remote`: the same, for a command that shows what an engine has
    |-- Problem                 `engine.web.problems`: ends an HTTP call with problem details
    |-- Lagging                 `engine.runtime.subscriptions`: a subscriber was too slow and has missed outputs
    |-- StreamGone              `engine.bus.point`: what follows a reader's point cannot be told in full any more
    |-- Stalled                 `engine.web.calls.stream`: a reader takes nothing and is cut off
    |-- Stopping                `engine.runtime.retention`: the process ends in the middle of a pass
    |-- NotLoaded               `engine.columns.loading`: the lists are not read yet
    |-- HistoryGone             `engine.runtime.balances`: a row was asked for as of a moment that it keeps no longer
    |-- NotFound                `engine.trace.question`: a trace begins with something that is not there
    |-- Unreadable              `connectors.mapping.values`: a record that its profile cannot read
    |-- NotSigned               `connectors.webhook.signing`: a webhook without a valid signature
    |-- TrytonRefused           `connectors.tryton.wire`: Tryton refused a call
    |-- Passing                 `connectors.rest.client`: an attempt failed, and another one may not
    |-- PushRefused             `connectors.orders.system`: another system does not take the line of an order
    `-- BadLine                 `connectors.retail.invoices`: a line that is no invoice line

An error that only one module raises is declared there, under the class that says how it is treated.
A business rejection is not an error: it is a value, `engine.core.outcomes.Rejection`.
"""


class StocklineError(Exception):
    """The root; a command that meets such an error ends with its `exit_code`."""

    exit_code = 1


class UsageError(StocklineError):
    """Wrong usage or configuration."""

    exit_code = 2


class EnvironmentFailure(StocklineError):
    """The environment failed: disk, network or broker."""

    exit_code = 3


class DirectoryInUse(EnvironmentFailure):
    """Another process owns the data directory."""


class DiskFull(EnvironmentFailure):
    """No space is left; what was accepted before is kept."""


class Fenced(EnvironmentFailure):
    """Another process has fenced this one off its partition; this one commits nothing more."""


class ClockAhead(EnvironmentFailure):
    """The wall clock has jumped ahead; no event is accepted until it agrees again or an operator accepts it."""

    retry_after_seconds = 10


class Corrupt(EnvironmentFailure):
    """A file does not hold the bytes that were written to it."""


class Busy(StocklineError):
    """Too many events wait already; the caller tries again after `retry_after_seconds`."""

    retry_after_seconds = 1


class BrokenInvariant(StocklineError):
    """An invariant of the code is broken: a bug."""

    exit_code = 70
