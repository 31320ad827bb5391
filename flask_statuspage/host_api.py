"""What a host does with maintenance: a block of code, a planned window, and its own blueprints meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from weakref import ref

from flask import Blueprint, current_app

from .domain.ids import is_slug
from .errors import Invalid
from .host import HostMaintenance, MaintenanceBlock, slugs, word
from .services import audit, maintenances, pages, recipients
from .services import components as component_service
from .state import EmailSender, SmsSender
from .storage.session import current_session
from .web.protection import Mode, Protection


class HostApi:
    """The part of :class:`~flask_statuspage.StatusPage` that is about maintenance, and about how the host sends."""

    _protections: list[Protection]
    _email_sender: EmailSender | None = None
    _sms_sender: SmsSender | None = None

    def email_sender(self, sender: EmailSender) -> EmailSender:
        """Decorate the function that sends mails, in the place of ``STATUSPAGE_SMTP_URL``::

            @statuspage.email_sender
            def send(message):  # an email.message.EmailMessage
                relay.send_message(message)

        It runs in workers, in an app context, in several threads at once, for at most as long as the policy says. It
        raises what :mod:`smtplib` raises when it cannot send: an ``SMTPRecipientsRefused`` or ``SMTPDataError`` that
        says there is no such mailbox ends all subscriptions of the address, all else is tried again.
        """
        self._email_sender = sender
        return sender

    def sms_sender(self, sender: SmsSender) -> SmsSender:
        """Decorate the function that sends texts, in the place of the gateway of ``STATUSPAGE_SMS_URL``::

            @statuspage.sms_sender
            def send(number, text):  # "+15005550006", "Acme: Payments fail …"
                return provider.send(number, text).id

        It runs in workers, in an app context, in several threads at once. Whatever it raises is a failure to try again,
        and so is what takes longer than the format's 15 seconds.
        """
        self._sms_sender = sender
        return sender

    def count_recipients(
        self, *, event: str, components: Collection[str] = (), page: str | None = None
    ) -> dict[str, int]:
        """How many subscriptions of each channel would be told now, before anything is sent: ``{"email": 312, …}``.

        :param event: such as ``incident.created``.
        :param components: the slugs of those that it would be about.
        :param page: the slug of another page than the default one.
        :raises flask_statuspage.errors.Invalid: naming the argument.
        """
        session = current_session()
        where = pages.find(session, page)
        about = component_service.named(session, where, slugs(components))
        return recipients.count(session, where, event, [one.id for one in about])

    def maintenance(
        self,
        title: str,
        *,
        components: Collection[str] = (),
        body: str = "",
        expected: timedelta = timedelta(hours=1),
        notify: bool = True,
        page: str | None = None,
    ) -> MaintenanceBlock:
        """A maintenance that lasts as long as a block, or as a call of the function that it decorates::

            with statuspage.maintenance("Deploy 1.4", components=["api"]) as work:
                work.update("Half of the servers are done.")

        Visitors see it at once: it is committed by itself, whatever becomes of the host's transaction. An exception
        completes it with a note and goes on. It ends at the latest after *expected*, by the clock, so that a killed
        process leaves none behind; ``work.extend(timedelta(minutes=30))`` moves that end.

        :param components: slugs.
        :param expected: how long it is planned to last; be generous.
        :param page: the slug of another page than the default one.
        :raises flask_statuspage.errors.Invalid: on entering, also when a component has another window at that time.
        :raises flask_statuspage.errors.Conflict: on entering, while the session holds changes that are not committed.
        """
        return MaintenanceBlock(
            title,
            components=slugs(components),
            body=body,
            expected=expected,
            notify=notify,
            page=page,
        )

    def schedule_maintenance(
        self,
        title: str,
        start: datetime,
        end: datetime,
        *,
        components: Collection[str] = (),
        body: str = "",
        auto_start: bool = True,
        auto_complete: bool = True,
        remind_before: Collection[int] | None = None,
        rrule: str | None = None,
        exceptions: Collection[str] = (),
        notify: bool = True,
        page: str | None = None,
    ) -> HostMaintenance:
        """Plan a maintenance in the host's transaction: nothing happens unless the host commits.

        :param start: aware, as *end*.
        :param components: slugs.
        :param remind_before: minutes before the start; None: as the settings say.
        :param rrule: RFC 5545 without ``DTSTART``; *exceptions* are dates, ``YYYY-MM-DD``, without an occurrence.
        """
        session = current_session()
        row = maintenances.schedule(
            session,
            pages.find(session, page),
            title=title,
            body=body,
            scheduled_start=start,
            scheduled_end=end,
            affected=slugs(components),
            auto_start=auto_start,
            auto_complete=auto_complete,
            remind_before=remind_before,
            rrule=rrule,
            exceptions=exceptions,
            actor=audit.HOST,
            notify=notify,
        )
        return HostMaintenance(row.id, page)

    def protect(
        self,
        blueprint: Blueprint | str,
        *,
        component: str,
        mode: str = "block",
        page: str | None = None,
    ) -> None:
        """Let a maintenance of *component* speak for a blueprint of the host, and for those nested in it.

        Call it whenever you like, before or after either blueprint is registered. Members of the status page pass.

        A name that is given within an app context means a blueprint of that app; outside of one it counts for every
        app that registers this status page.

        :param blueprint: itself, or its name (``"checkout"`` also means ``"shop.checkout"``).
        :param component: its slug.
        :param mode: ``block`` answers 503 with ``Retry-After``, ``banner`` puts a note into its pages.
        :param page: the slug of another page than the default one.
        :raises flask_statuspage.errors.Invalid: naming the argument.
        """
        if isinstance(blueprint, HostApi):
            raise Invalid.field("blueprint", "The status page itself stays reachable.")
        if not isinstance(blueprint, Blueprint | str) or not blueprint:
            raise Invalid.field("blueprint", "Must be a Blueprint or its name.")
        for field, slug in (("component", component), ("page", page)):
            if slug is not None and not (isinstance(slug, str) and is_slug(slug)):
                raise Invalid.field(field, f"{slug!r} is no slug.")
        if component is None:
            raise Invalid.field("component", "Must be the slug of a component.")
        by_name = isinstance(blueprint, str) and bool(current_app)
        app = ref(current_app._get_current_object()) if by_name else None  # type: ignore[attr-defined]
        protection = Protection(blueprint, component, word(Mode, "mode", mode), page, app)
        if protection not in self._protections:
            self._protections.append(protection)
