"""``flask statuspage doctor``: one line a check, exit code 1 when one fails."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial

import click
from flask import current_app
from jinja2 import TemplateNotFound
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..delivery.channels.sms import gateway_url
from ..delivery.mail import ways
from ..domain.lag import ChannelLag
from ..errors import StatusPageError
from ..jobs.queue import connect as connect_redis
from ..jobs.queue import queue_of
from ..outgoing import AddressRefused, vet_url
from ..outgoing.limit import within
from ..outgoing.site import OPERATORS
from ..probing import probes
from ..probing.ping import is_allowed as may_ping
from ..services import addresses, at_work, sign_ins
from ..services import lag as lag_service
from ..state import current_settings, current_state, signing_keys
from ..storage import claims, due, migrate, monitors, team
from ..storage.base import utc_now
from ..storage.session import current_engine, current_session, database_now, ping
from .group import one_line, statuspage_cli

LATE_AFTER = 120.0
SKEW_AT_MOST = 5.0
MAIL_SECONDS = 20.0

NO_LOGIN = "there is no login: register yours with @statuspage.member_loader, or set STATUSPAGE_BUILTIN_LOGIN"
NO_OWNER = "there is no owner: 'flask statuspage member add IDENTITY --role owner'"


class Unused(Exception):
    """There is nothing to check; the text says what would be needed first."""


class Fault(Exception):
    """A check failed; the text says what and how to mend it."""


@statuspage_cli.command("doctor")
def doctor() -> None:
    """Check database, migrations, Redis, workers, mail, SMS, clock, probes and how long deliveries wait."""
    faults: list[str] = []
    for name, check in CHECKS.items():
        if name in NEEDS_DATABASE and _has_no_database(faults):
            click.echo(f"  --   {name}: not checked, the database comes first")
        elif not _passes(name, check):
            faults.append(name)
    lags = [] if _has_no_database(faults) else _lags()
    for lag in lags:
        name = f"lag {lag.channel}"
        if not _passes(name, partial(_lag, lag)):
            faults.append(name)
    if faults:
        count = len(CHECKS) + len(lags)
        raise click.ClickException(f"{len(faults)} of {count} checks failed: {', '.join(faults)}.")
    click.echo("All well.")


def _has_no_database(faults: Collection[str]) -> bool:
    return not {"database", "migrations"}.isdisjoint(faults)


def _passes(name: str, check: Callable[[], str]) -> bool:
    """Whether *check* finds no fault, once its line is printed."""
    try:
        click.echo(f"  ok   {name}: {check()}")
    except Unused as unused:
        click.echo(f"  --   {name}: {unused}")
        return True
    except (Fault, StatusPageError) as error:
        click.echo(f"  FAIL {name}: {error}")
        return False
    except (SQLAlchemyError, RedisError, OSError, smtplib.SMTPException) as error:
        click.echo(f"  FAIL {name}: {one_line(error)}")
        return False
    return True


def _database() -> str:
    engine = current_engine()
    session = current_session()
    ping(session)
    if engine.dialect.name in ("mysql", "mariadb") and _refuses_old_reads(session):
        raise Fault(
            "innodb_snapshot_isolation with REPEATABLE READ ends changes that meet with error 1020; set "
            "SQLALCHEMY_ENGINE_OPTIONS = {'isolation_level': 'READ COMMITTED'}"
        )
    return engine.dialect.name


def _refuses_old_reads(session: Session) -> bool:
    """Whether MariaDB (by default since 11.6.2) fails a transaction that writes what changed since it began."""
    names = "'innodb_snapshot_isolation', 'transaction_isolation', 'tx_isolation'"
    rows = session.execute(text(f"SHOW VARIABLES WHERE Variable_name IN ({names})"))
    values = {row[0]: row[1] for row in rows}
    isolation = values.get("transaction_isolation") or values.get("tx_isolation")
    return values.get("innodb_snapshot_isolation") == "ON" and isolation == "REPEATABLE-READ"


def _migrations() -> str:
    migrate.require_current(current_engine())
    return f"at revision {migrate.head()}"


def _keys() -> str:
    return f"{len(signing_keys())} in use"


def _public_url() -> str:
    if addresses.is_guessed():
        raise Fault("STATUSPAGE_PAGE_URL is not set, so links in messages lead to localhost")
    return current_settings().page_url or addresses.mounted_url()


def _templates() -> str:
    name = current_settings().base_template
    try:
        current_app.jinja_env.get_template(name)
    except TemplateNotFound:
        raise Fault(f"STATUSPAGE_BASE_TEMPLATE={name!r}: there is no such template") from None
    return f"pages extend {name}"


def _redis() -> str:
    url = current_settings().redis_url
    if url is None:
        return "not configured; 'flask statuspage run' does the work"
    connect_redis(url).ping()
    return "answers"


def _workers() -> str:
    session = current_session()
    found = at_work.look(session, database_now(session))
    kinds = sorted(set(found.kinds))
    if not kinds and found.is_swept:
        return "swept within the last hour, as by a cron job"
    if at_work.SCHEDULER not in kinds:
        start = " and ".join(f"'{command}'" for command in found.lacking)
        raise Fault(f"no scheduler was seen in the last 45 s; start {start}")
    wanted = [] if current_settings().redis_url is None else _missing(kinds)
    if wanted:
        raise Fault(f"no worker was seen for {', '.join(wanted)}; start 'flask statuspage worker'")
    return f"{len(found.kinds)} seen ({', '.join(kinds)})"


def _missing(kinds: list[str]) -> list[str]:
    needed = ["statuspage", "statuspage-deliver"]
    if current_settings().mirror_dir:
        needed.append("statuspage-mirror")
    missing = [queue for queue in needed if f"worker {queue}" not in kinds]
    for region in due.first_due(current_session()):
        if f"worker {queue_of(f'probe:{region}')}" not in kinds:
            missing.append(f"region {region} (--region {region})")
    return missing


def _mail() -> str:
    settings = current_settings()
    way = ways.chosen(settings)
    if way is None:
        return "no way is configured; there is no email channel"
    if missing := ways.missing(settings):
        raise Fault(missing)
    transport = way.open()
    try:
        said = within(MAIL_SECONDS, transport.check, cut=transport.cut)
    except Exception as error:  # whatever the site's own library raises
        raise Fault(f"by {way.name}: {one_line(error)}") from error
    with suppress(Exception):
        within(MAIL_SECONDS, transport.close, cut=transport.cut)
    return f"by {way.name}: {said}"


def _console() -> str:
    has_login = current_settings().builtin_login or current_state().has_member_loader()
    has_owner = team.has_owner(current_session())
    if not has_login and not has_owner:
        raise Unused(f"nobody can open it; {NO_LOGIN}; {NO_OWNER}")
    if not has_login:
        raise Fault(f"its members cannot sign in; {NO_LOGIN}")
    if current_settings().builtin_login and (lacks := sign_ins.missing()):
        raise Fault(f"members sign in by a mailed link, and no mail can be sent: {lacks}")
    if not has_owner:
        raise Fault(f"nobody can let anybody in; {NO_OWNER}")
    if current_settings().builtin_login:
        return f"members sign in at {addresses.console_url('/login')}"
    return "members sign in by the site's login"


def _sms() -> str:
    settings, inbound = current_settings(), addresses.sms_inbound_url()
    sender = current_state().sms_sender()
    named = [settings.sms_url, settings.sms_account, settings.sms_token, settings.sms_from]
    if sender is None and not any(named):
        return "not configured; there is no SMS channel"
    if missing := channels["sms"].available(settings):
        raise Fault(missing)
    if sender is not None and not settings.sms_token:
        return "by the registered sender; without STATUSPAGE_SMS_TOKEN nobody can answer STOP to this site"
    if sender is not None:
        return f"by the registered sender; answers come in at {inbound}"
    try:
        host = vet_url(gateway_url(settings), OPERATORS).host
    except AddressRefused as error:
        raise Fault(f"STATUSPAGE_SMS_URL: {error}") from error
    return f"by {host}; answers come in at {inbound}"


def _clock() -> str:
    skew = abs((database_now(current_session()) - utc_now()).total_seconds())
    if skew > SKEW_AT_MOST:
        raise Fault(f"{skew:.1f} s away from the database's clock; synchronise it")
    return f"{skew:.1f} s away from the database's"


def _checks() -> str:
    session = current_session()
    late = due.lag(session, database_now(session))
    if late > LATE_AFTER:
        raise Fault(f"the oldest due check is {late:.0f} s late; no worker takes it")
    return f"the oldest due one is {late:.0f} s late" if late else "none is late"


def _probes() -> str:
    kinds = monitors.kinds(current_session())
    if not kinds:
        return "there are no monitors"
    if faults := [fault for kind in kinds if (fault := _probe_fault(kind))]:
        raise Fault(f"monitors of these kinds cannot be asked here: {'; '.join(faults)}")
    return f"this process can ask {', '.join(kinds)}"


def _probe_fault(kind: str) -> str | None:
    """Why a worker with this process's packages could not ask monitors of *kind*; None: it can."""
    if kind not in probes:
        return f"{kind} (no installed package brings it)"
    try:
        with probes[kind].open(current_settings()):
            return None
    except Exception as error:  # whatever another package raises
        return f"{kind} ({one_line(error)})"


def _pings() -> str:
    if not monitors.has_kind(current_session(), "ping"):
        return "no monitor of this kind"
    if not may_ping():
        raise Fault(
            "this machine forbids them, so checks here find nothing out; where workers run, set "
            "sysctl net.ipv4.ping_group_range='0 2147483647' or the range of the workers' groups"
        )
    return "this machine allows them"


def _deliveries() -> str:
    session = current_session()
    now = database_now(session)
    unaddressed = lag_service.unaddressed(session, now)
    if unaddressed > LATE_AFTER:
        raise Fault(
            f"an event waits {unaddressed:.0f} s for its deliveries to be written; no worker does it"
        )
    late = claims.lag(session, now)
    if late > LATE_AFTER:
        raise Fault(f"the oldest due delivery is {late:.0f} s late; no worker takes it")
    return f"the oldest due one is {late:.0f} s late" if late else "none is due"


def _lags() -> list[ChannelLag]:
    """Of each channel that somebody is subscribed by, or that something was sent by within the hour."""
    session = current_session()
    try:
        return lag_service.in_use(session, database_now(session))
    except SQLAlchemyError:
        return []  # the checks before have told


def _lag(lag: ChannelLag) -> str:
    """Of what waits for its reader's share, behind another or for a slow endpoint nothing is told: see docs."""
    target = f"target {lag.target:.0f} s"
    if lag.waiting > lag.target:
        raise Fault(f"the oldest message waits {lag.waiting:.0f} s ({target}); no worker takes it")
    if lag.is_late:
        raise Fault(
            f"{lag.late} of {lag.count} messages of the last hour set out too late, after "
            f"{lag.longest:.0f} s at most ({target}); start more workers"
        )
    waits = f"the oldest one waits {lag.waiting:.1f} s" if lag.waiting else "nothing waits"
    if not lag.count:
        return f"nothing was sent in the last hour ({target}), {waits}"
    return (
        f"{lag.mean:.1f} s on average, {lag.longest:.1f} s at most in the last hour ({target}), "
        f"{waits}"
    )


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "keys": _keys,
    "public URL": _public_url,
    "templates": _templates,
    "redis": _redis,
    "workers": _workers,
    "mail": _mail,
    "console": _console,
    "sms": _sms,
    "clock": _clock,
    "checks": _checks,
    "probes": _probes,
    "pings": _pings,
    "deliveries": _deliveries,
}

NEEDS_DATABASE = {
    "migrations",
    "workers",
    "console",
    "clock",
    "checks",
    "probes",
    "pings",
    "deliveries",
}
