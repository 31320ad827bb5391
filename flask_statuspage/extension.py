"""The extension: a blueprint whose registration sets everything up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from flask import Blueprint, Flask, Response
from jinja2 import BaseLoader

from .cli import statuspage_cli
from .config import Settings
from .documents.template_files import TightLoader
from .domain.incident import IncidentStatus
from .domain.status import ComponentStatus, Impact
from .errors import SetupError
from .host import HostIncident, affected, word
from .host_api import HostApi
from .host_checks import HostChecks
from .host_templates import statuspage_banner, statuspage_strip, statuspage_subscribe_form
from .services import accounts, audit, components, incidents, pages, subscriptions
from .services.wishes import Wish
from .state import EXTENSION, Declaration, State, current_state
from .storage.rates import Rates
from .storage.session import current_session
from .web import (
    admin,
    assets,
    component_page,
    event_pages,
    heartbeat,
    history,
    languages,
    live,
    metrics,
    own_subscription,
    own_tokens,
    public,
    sms_inbound,
    subscribe,
    unmatched,
    widget,
)
from .web import documents as public_documents
from .web.cache import DocumentCache
from .web.counting import Counter
from .web.description import describe
from .web.fast_lane import FastLane
from .web.manage_api import make_blueprint
from .web.protection import Guard, Protection

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Loader = TypeVar("Loader", bound=Callable[[], str | None])


class StatusPage(HostApi, HostChecks, Blueprint):
    """A status page as a blueprint::

        app.register_blueprint(statuspage, url_prefix="/status")

    One object serves any number of apps, and may be mounted several times in one app under different
    names. What belongs to an app lives in ``app.extensions["statuspage"]``.
    """

    def __init__(self, name: str = "statuspage", **options: Any) -> None:
        super().__init__(
            name,
            __name__,
            template_folder="templates",
            static_folder="static",
            static_url_path="/assets",
            **options,
        )
        self._has_documents = False
        self._protections: list[Protection] = []
        self._declarations: list[Declaration] = []
        self._counters: WeakSet[Counter] = WeakSet()
        self._member_loader: Callable[[], str | None] | None = None
        self._subscriber_loader: Callable[[], str | None] | None = None
        self._locale_loader: Callable[[], str | None] | None = None
        public.add_routes(self, lambda: current_state().documents)
        live.add_routes(self)
        widget.add_routes(self)
        component_page.add_routes(self)
        event_pages.add_routes(self)
        history.add_routes(self)
        subscribe.add_routes(self)
        own_subscription.add_routes(self)
        sms_inbound.add_routes(self)
        heartbeat.add_routes(self)
        metrics.add_routes(self)
        self.register_blueprint(make_blueprint())
        self.register_blueprint(admin.make_blueprint())
        self.url_value_preprocessor(own_tokens.exempt)

    @cached_property
    def jinja_loader(self) -> BaseLoader:
        """Flask's way to the templates."""
        return TightLoader(Path(self.root_path) / "templates")

    def send_static_file(self, filename: str) -> Response:
        """Flask's own way to a blueprint's files, but compressed, and kept by browsers as long as they are the same."""
        return assets.answer(filename)

    def register(self, app: Flask, options: dict[str, Any]) -> None:  # type: ignore[override]  # a Flask, not any App
        """Mount the page on *app*. Called by ``register_blueprint``, at any time before the first request.

        :raises flask_statuspage.errors.ConfigError: for a ``STATUSPAGE_*`` value that is not allowed.
        """
        state = app.extensions.get(EXTENSION)
        if state is None:
            state = self._set_up(app)
        elif state.owner is not self:
            raise SetupError(
                "This app has another StatusPage already. To mount one page twice, register the same object under "
                "another name: app.register_blueprint(statuspage, name='internal', url_prefix='/internal')."
            )
        if not self._has_documents:
            # Not when the object is made: entry points of other packages are among them, and that is an import.
            self._has_documents = True
            public_documents.add_routes(self)
        mount = f"{options.get('name_prefix', '')}.{options.get('name', self.name)}".lstrip(".")
        super().register(app, options)
        state.mounts.append(mount)

    def _set_up(self, app: Flask) -> State:
        settings = Settings.from_config(app.config)
        cache = DocumentCache()
        state = State(
            settings,
            owner=self,
            page_changed=cache.expire_versions,
            member_loader=self._current_member,
            has_member_loader=lambda: self._member_loader is not None,
            subscriber_loader=self._current_subscriber,
            locale_loader=lambda: (self._locale_loader or languages.of_flask_babel)(),
            has_locale_loader=lambda: bool(self._locale_loader) or languages.has_flask_babel(),
            email_sender=lambda: self._email_sender,
            sms_sender=lambda: self._sms_sender,
            access_token=accounts.access_token,
            declarations=lambda: self._declared_for(app),
            traffic=Counter(app),
            documents=cache,
            describe_api=describe,
            rates=Rates(settings.redis_url),
        )
        if settings.redis_url:
            from .jobs.queue import (
                RedisTrigger,
                all_queues,
            )  # only who has a Redis pays for its client

            trigger = RedisTrigger(settings.redis_url)
            state.wake = trigger
            state.waiting_jobs = partial(trigger.depths, all_queues(settings.regions))
        app.extensions[EXTENSION] = state
        self._count_for(state.traffic)
        app.cli.add_command(statuspage_cli)
        app.before_request(Guard(self._protections).check)
        app.before_request(unmatched.refuse)
        app.jinja_env.globals.update(
            statuspage_banner=statuspage_banner,
            statuspage_strip=statuspage_strip,
            statuspage_subscribe_form=statuspage_subscribe_form,
        )
        return state

    def fast_lane(self, app: Flask) -> WSGIApplication:
        """A WSGI layer that answers public documents before *app* is asked::

            app.wsgi_app = statuspage.fast_lane(app)

        It answers before any ``before_request`` of the host, and without its ``after_request``: headers that the host
        adds to every answer are not on these. Pages that are not public never go through it. A layer that moves the
        app, such as ``ProxyFix``, belongs around it.

        :raises flask_statuspage.errors.SetupError: when the status page is not registered on *app* yet.
        """
        state = app.extensions.get(EXTENSION)
        if state is None or state.owner is not self:
            raise SetupError(
                "Register the status page first: app.register_blueprint(statuspage), then "
                "app.wsgi_app = statuspage.fast_lane(app)."
            )
        state.fast_lane = FastLane(app, app.wsgi_app, state.documents)
        lane: WSGIApplication = state.fast_lane
        return lane

    def member_loader(self, loader: Loader) -> Loader:
        """Decorate the function that names whoever stands at the admin door, in text; None: nobody.

        The team's table has the same names. Two people must not have names that differ by case only.
        """
        self._member_loader = loader
        return loader

    def subscriber_loader(self, loader: Loader) -> Loader:
        """Decorate the function that tells a signed-in customer's email address; None: nobody is signed in.

        Such a customer needs no confirmation mail, so return only addresses that your site has verified.
        """
        self._subscriber_loader = loader
        return loader

    def locale_loader(self, loader: Loader) -> Loader:
        """Decorate the function that tells the language of who asks, such as ``de``; None: you do not know.

        Without one a site's Flask-Babel is asked.
        """
        self._locale_loader = loader
        return loader

    def _current_member(self) -> str | None:
        name = self._member_loader() if self._member_loader else None
        if name is not None and not isinstance(name, str):
            raise TypeError(
                f"The function decorated with @statuspage.member_loader returned {name!r}. It has to return text, "
                "such as an email address or str(user.id), or None."
            )
        return name if name and name.strip() else None

    def _current_subscriber(self) -> str | None:
        return self._subscriber_loader() if self._subscriber_loader else None

    def set_status(
        self,
        component: str,
        status: str | None,
        *,
        note: str = "",
        until: datetime | None = None,
        notify: bool = True,
        page: str | None = None,
    ) -> None:
        """Say how a component is, in the host's transaction; None takes the word back.

        :param component: its slug.
        :param until: aware; from then on the word does not count.
        :param page: the slug of another page than the default one.
        :raises flask_statuspage.errors.NotFound: without such a component.
        """
        session = current_session()
        where = pages.find(session, page)
        components.set_status(
            session,
            where,
            components.get(session, where, component),
            word(ComponentStatus, "status", status) if status else None,
            note=note,
            until=until,
            notify=notify,
            actor=audit.HOST,
        )

    def open_incident(
        self,
        title: str,
        *,
        impact: str | None = None,
        components: Collection[str] | Mapping[str, str] = (),
        body: str = "",
        status: str = "investigating",
        monitor: str | None = None,
        started_at: datetime | None = None,
        next_update_due: datetime | None = None,
        notify: bool = True,
        page: str | None = None,
    ) -> HostIncident:
        """Open an incident in the host's transaction: nothing happens unless the host commits.

        :param components: slugs, or slugs with their statuses. Without statuses *impact* decides.
        :param monitor: slug of the monitor that watches what is wrong. If an incident of its own is open already, that
            one gets an update and is returned.
        :param started_at: aware; in the past for an incident that is told late. Nobody is notified then.
        :param next_update_due: aware; when readers are promised news by.
        """
        session = current_session()
        incident = incidents.open(
            session,
            pages.find(session, page),
            title=title,
            body=body,
            status=word(IncidentStatus, "status", status),
            impact=word(Impact, "impact", impact) if impact else None,
            affected=affected(components),
            monitor=monitor,
            started_at=started_at,
            next_update_due=next_update_due,
            actor=audit.HOST,
            notify=notify,
        )
        return HostIncident(incident.id, page)

    def subscribe(
        self,
        address: str,
        *,
        channel: str = "email",
        components: Collection[str] = (),
        events: Collection[str] | None = None,
        format: str | None = None,
        level: str | None = None,
        policy: Mapping[str, Any] | None = None,
        contact: str | None = None,
        secret: str | None = None,
        locale: str | None = None,
        time_zone: str | None = None,
        page: str | None = None,
    ) -> None:
        """Subscribe a customer whose address the host knows to be theirs, in the host's transaction.

        All but the address is as in the manage API's ``subscriptions``.

        :raises flask_statuspage.errors.Invalid: naming the field.
        """
        session = current_session()
        wish = Wish(
            channel=channel,
            address=address,
            format=format,
            components=components,
            events=events,
            level=level,
            policy=policy,
            contact=contact,
            secret=secret,
            locale=locale,
            time_zone=time_zone,
        )
        subscriptions.subscribe(
            session, pages.find(session, page), wish, proven=True, actor=audit.HOST
        )


statuspage = StatusPage()
"""Ready to be registered; shared by all apps that register it."""
