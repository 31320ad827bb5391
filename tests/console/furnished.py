"""A site with two status pages that hold one of each thing, in each state that shows other buttons, and a third one.

What :mod:`.crawl` looks at, it finds by links: a new area of the console is covered once its things are made here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from flask_statuspage.domain.roles import Role
from flask_statuspage.services import accounts, admissions, members, pages, second_factors
from flask_statuspage.services.wishes import Wish
from flask_statuspage.services.x_access import Profile, Tokens
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import SecondFactor
from tests.console import member
from tests.web.site import Site, SiteMaker

OTHER = "other"
"""The slug of the second status page."""

BY_LINK = "hidden"
"""The slug of a third one, which is empty and seen by its link only."""

BEGUN = "begun@acme.example"
"""An owner who began to set up a second factor."""

GUARDED = "guarded@acme.example"
"""An owner who has one."""

NOWHERE = "http://127.0.0.1:9/hook"
"""An address where nobody listens."""

OPTIONS: dict[str, Any] = {
    "STATUSPAGE_PAGE_NAME": "Acme",
    "STATUSPAGE_BUILTIN_LOGIN": True,
    "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
    "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
    "STATUSPAGE_SIGNUPS_PER_HOUR": 100_000,
    "STATUSPAGE_WEBHOOK_SIGNUP": "open",
    "STATUSPAGE_API_RATE": 0,
    "STATUSPAGE_SLACK_HOSTS": "localhost",
    "STATUSPAGE_X_CLIENT_ID": "client-1",
    "STATUSPAGE_X_API_URL": "http://127.0.0.1:9",
    "STATUSPAGE_X_AUTHORIZE_URL": "http://127.0.0.1:9/authorize",
}


def build(make_site: SiteMaker, **options: Any) -> Site:
    """A furnished site with a member of each role."""
    site = member.build(make_site, **(OPTIONS | options))
    furnish(site)
    return site


def furnish(site: Site) -> None:
    """Fill *site*, which has its members."""
    site.made("/pages", name="Other", slug=OTHER)
    site.made("/pages", name="Hidden", slug=BY_LINK, visibility="link")
    for slug in (None, OTHER):
        _page(site, slug)
    site.made("/tokens", name="deploy", role="viewer")
    with site.app.app_context():
        session = current_session()
        for identity in (BEGUN, GUARDED):
            row = members.add(session, identity, role=Role.OWNER, actor=None, actor_role=None)
            second_factors.begin(session, row)
        session.flush()
        for factor in session.scalars(select(SecondFactor)):
            if factor.member.identity == GUARDED:
                factor.confirmed_at = datetime.now(UTC)
        for slug in (None, OTHER):
            page = pages.find(session, slug)
            profile = Profile(f"1{slug or ''}", f"acme{slug or ''}")
            tokens = Tokens("access", "refresh", None)
            accounts.connect(session, page, profile, tokens, actor=member.OWNER)
            asked = Wish(channel="email", address=f"asked@{slug or 'acme'}.example")
            reader = admissions.add(
                session, page, asked, confirmed=False, origin=None, actor=member.OWNER
            )
            assert reader.mailed_at is not None
            reader.mailed_at -= timedelta(hours=1)  # else it is too early to ask once more
        session.commit()
    # Nobody listens where messages lead, so there are deliveries that failed, and some that were given up.
    swept = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert swept.exit_code == 0, swept.output


def _page(site: Site, page: str | None) -> None:
    """One of each thing on a page. The names of the second page's things say where they belong."""
    where: dict[str, Any] = {"page": page} if page else {}
    query = f"?status_page={page}" if page else ""
    tag = page or "acme"

    def make(path: str, **body: Any) -> dict[str, Any]:
        return site.made(path, **body, **where)

    def then(path: str, **body: Any) -> dict[str, Any]:
        return site.made(path + query, **body)

    make("/subscriptions", channel="webhook", address=f"{NOWHERE}/{tag}")
    make("/subscriptions", channel="email", address=f"reader@{tag}.example")
    for name in ("Platform", "Website"):
        make("/component-groups", name=f"{name} {tag}", description="What all else runs on")
    api, web, old = (
        make("/components", name=f"{name} {tag}", group=f"Platform {tag}")["slug"]
        for name in ("API", "Web", "Old")
    )
    site.ask("PATCH", f"/components/{old}{query}", {"archived": True})
    make("/components", name=f"Mail {tag}", description="Sent and received")
    for kind in ("incident", "maintenance"):
        make(
            "/templates",
            kind=kind,
            name=f"{kind} of {tag}",
            title="{{ components }} in {{ region }}",
            body="It is **down**.",
            components=[api],
            placeholders={"region": None},
        )
    make("/monitors", name=f"Probe {tag}", target=NOWHERE, component=api)
    make("/monitors", name=f"Job {tag}", kind="heartbeat", component=web)
    paused = make("/monitors", name=f"Paused {tag}", target=NOWHERE)
    then(f"/monitors/{paused['id']}/pause")
    _incidents(make, then, api, web)
    _windows(make, then, api, web)
    _endpoints(make, then, tag)


def _endpoints(make: Any, then: Any, tag: str) -> None:
    """Those of each kind, to which a test alone was sent, and some that are switched off."""
    for channel, address in {
        "webhook": f"{NOWHERE}/{tag}/tested",
        "slack": f"http://localhost:9/services/T1/B1/{tag}",
        "apprise": f"json://127.0.0.1:9/{tag}",
    }.items():
        # Given up after the first attempt: what failed can be sent again.
        made = make("/subscriptions", channel=channel, address=address, policy={"delays": []})
        then(f"/subscriptions/{made['id']}/test")
    for channel, address in {
        "webhook": f"{NOWHERE}/{tag}/off",
        "email": f"off@{tag}.example",
    }.items():
        made = make("/subscriptions", channel=channel, address=address)
        then(f"/subscriptions/{made['id']}/disable")


def tested(site: Site, slug: str | None) -> list[str]:
    """Addresses of what came of tests: only the answer to the button leads there."""
    asked = "event=test" + (f"&status_page={slug}" if slug else "")
    items = site.ask("GET", f"/deliveries?{asked}").get_json()["items"]
    query = f"?status_page={slug}" if slug else ""
    # What nobody tried yet is waited for.
    return [
        f"{site.prefix}/admin/integrations/{one['subscription_id']}/tests/{one['id']}{query}"
        for one in items
        if one["attempts"]
    ]


def _incidents(make: Any, then: Any, api: str, web: str) -> None:
    for title in ("Cards fail", "Mails are late"):
        down = make("/incidents", title=title, components={api: "major_outage"}, body="We look.")
        then(f"/incidents/{down['id']}/updates", status="identified", body="It is a **disk**.")
    make("/incidents", title="Not told", visibility="draft", components=[web], body="Maybe.")
    for title in ("Was slow", "Was down"):
        over = make("/incidents", title=title, components=[web], body="Slow.")
        then(f"/incidents/{over['id']}/resolve", body="Fast.")


def _windows(make: Any, then: Any, api: str, web: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for number, title in enumerate(("Switches", "Cables", "Disks", "Racks")):
        start = now + timedelta(days=1 + number)
        make(
            "/maintenances",
            title=title,
            body="It may **stop**.",
            components=[web],
            scheduled_start=start.isoformat(),
            scheduled_end=(start + timedelta(hours=1)).isoformat(),
        )
    for title, affected in (("Database", [api]), ("Kernel", [])):
        begun = make(
            "/maintenances",
            title=title,
            components=affected,
            scheduled_end=(now + timedelta(hours=2)).isoformat(),
        )
        then(f"/maintenances/{begun['id']}/updates", body="Half of it is done.")
