"""``STATUSPAGE_*`` configuration, read once into a frozen :class:`Settings`.

Each field below is one key. Its metadata holds the parser, what is allowed (for the error message) and the
sentence of the README's table, so that code, error and documentation cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, fields
from typing import Any

from . import config_values as values
from .config_reading import PREFIX, parse, refuse_unknown
from .errors import ConfigError
from .translation import LANGUAGES

MAX_REMINDER = 60 * 24 * 31
"""The earliest reminder of a maintenance, in minutes before its start."""


def _key(default: Any, parse: Callable[[Any], Any], *, allowed: str, doc: str) -> Any:
    return field(default=default, metadata={"parse": parse, "allowed": allowed, "doc": doc})


def _flag(doc: str) -> Any:
    return _key(False, values.flag, allowed="true or false", doc=doc)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one app. Times are seconds unless the name says otherwise."""

    page_name: str = _key(
        "Status",
        values.text,
        allowed="a text",
        doc="Name of the default page until it is given one.",
    )
    page_url: str | None = _key(
        None,
        values.page_url,
        allowed="an http(s) URL without query or fragment",
        doc="Public URL of the default page. Links in mails and webhooks start with it.",
    )
    time_zone: str = _key(
        "UTC",
        values.zone,
        allowed="an IANA time zone name such as 'UTC' or 'Europe/Berlin'",
        doc="Zone in which pages print times.",
    )
    locales: tuple[str, ...] = _key(
        tuple(LANGUAGES),
        values.some(values.choice(*LANGUAGES)),
        allowed=f"one or some of {', '.join(map(repr, LANGUAGES))}",
        doc="Languages that pages are shown in. Where nothing else decides, it is the first one.",
    )
    base_template: str = _key(
        "statuspage/base.html",
        values.text,
        allowed="the name of a template",
        doc="The template that all pages stand in: blocks `title`, `head`, `content`, maybe `scripts`.",
    )
    heading_level: int = _key(
        1,
        values.integer(1, 2),
        allowed="1 or 2",
        doc="Level of a page's main heading; 2 inside a host's page.",
    )
    api_dialect: str = _key(
        "native",
        values.choice("native", "statuspage"),
        allowed="'native' or 'statuspage'",
        doc="Whose JSON stands at `api/v2/`. Statuspage's is also at `statuspage/api/v2/`, always.",
    )
    estatus_get_writes: bool = _flag("Let a GET of eStatus' REST API set a service's status.")
    frame_ancestors: tuple[str, ...] = _key(
        ("*",),
        values.some(values.frame_ancestor),
        allowed="'*', 'self', 'none', or origins such as 'https://www.example.com' and 'https://*.example.com'",
        doc="Sites that may show `widget` in a frame. No other page can be framed, unless by your base template.",
    )
    mirror_dir: str | None = _key(
        None,
        values.absolute,
        allowed="an absolute path",
        doc="Folder in which the workers keep all public documents and pages as files, see Mirror.",
    )
    redis_url: str | None = _key(
        None,
        values.url("redis", "rediss", "unix"),
        allowed="a redis://, rediss:// or unix:// URL",
        doc="Redis for RQ. Without it, `flask statuspage run` does the same work in threads.",
    )
    smtp_url: str | None = _key(
        None,
        values.smtp_url,
        allowed="smtp://user:password@host:port (`?starttls=1` for STARTTLS) or smtps://…; "
        "`?ca=/path` names the certificates to trust",
        doc="Mail server. Without it, the site's Flask-Mail or Flask-Mailman sends, if there is one.",
    )
    email_from: str | None = _key(
        None,
        values.email,
        allowed="an email address, with a display name if wanted",
        doc="Sender of mails. Without it, the site's `MAIL_DEFAULT_SENDER`.",
    )
    sms_url: str | None = _key(
        None,
        values.url("http", "https"),
        allowed="the http(s) URL that texts are posted to",
        doc="SMS gateway that speaks Twilio's REST shape. Without it, Twilio itself if there is an `SMS_ACCOUNT`.",
    )
    sms_account: str | None = _key(
        None,
        values.text,
        allowed="the account's SID or user name at the gateway",
        doc="Who we are at the SMS gateway.",
    )
    sms_token: str | None = _key(
        None,
        values.text,
        allowed="the account's auth token at the gateway",
        doc="Its secret. The gateway signs what it sends to `sms/inbound` with it, too.",
    )
    sms_from: str | None = _key(
        None,
        values.text,
        allowed="a number such as '+15005550006', a sender's name, or a messaging service's SID",
        doc="Sender of texts.",
    )
    sms_segments: int = _key(
        2,
        values.integer(1, 10),
        allowed="1 to 10",
        doc="Segments of at most 160 characters that one text may cost; longer ones are cut.",
    )
    sms_region: str | None = _key(
        None,
        values.region,
        allowed="a country as ISO 3166 writes it, such as 'DE'",
        doc="Country of numbers that are typed without their country's code. Without it they are refused.",
    )
    slack_hosts: tuple[str, ...] = _key(
        ("hooks.slack.com", "hooks.slack-gov.com"),
        values.many(values.host),
        allowed="host names, such as 'hooks.slack.com'",
        doc="Hosts to which the channel `slack` may post.",
    )
    x_client_id: str | None = _key(
        None,
        values.text,
        allowed="the client ID of an app at X",
        doc="Lets a member connect an account of X. With a secret the app is a confidential client.",
    )
    x_client_secret: str | None = _key(
        None,
        values.text,
        allowed="the client secret of that app",
        doc="Its secret.",
    )
    x_api_url: str = _key(
        "https://api.x.com",
        values.page_url,
        allowed="an http(s) URL without query or fragment",
        doc="Where X's API is: `/2/oauth2/token`, `/2/users/me`, `/2/tweets`.",
    )
    x_authorize_url: str = _key(
        "https://x.com/i/oauth2/authorize",
        values.page_url,
        allowed="an http(s) URL without query or fragment",
        doc="Where X asks its user.",
    )
    notices_per_hour: int = _key(
        20,
        values.integer(1, 1000),
        allowed="1 to 1000",
        doc="Messages an hour that one person is sent at most; the rest are folded into one digest.",
    )
    allow_http_targets: bool = _flag("Let webhooks and monitors use plain http (port 80).")
    allow_private_targets: bool = _flag(
        "Let webhooks and monitors reach private and loopback addresses, on any port. "
        "Whoever may add one can then reach your network."
    )
    target_ports: tuple[int, ...] = _key(
        (443,),
        values.many(values.integer(1, 65535)),
        allowed="port numbers, such as '443,8443'",
        doc="Ports that URLs of webhooks and monitors may have. Kinds without a URL (`tcp`, `tls`) may use any.",
    )
    ca_file: str | None = _key(
        None,
        values.authorities,
        allowed="the absolute path of a readable PEM file of certificates",
        doc="Authorities that certificates of webhooks, monitors and gateways may be of, besides the public ones.",
    )
    secret_keys: tuple[str, ...] = _key(
        (),
        values.many(values.text),
        allowed="one or more long random texts, newest first",
        doc="Keys under which stored secrets are encrypted and links are signed, newest first. "
        "Without it the app's `SECRET_KEY` (and `SECRET_KEY_FALLBACKS`) serve.",
    )
    builtin_login: bool = _flag(
        "Let members whom your login does not know sign in to the console by a link in a mail."
    )
    auto_incidents: str = _key(
        "publish",
        values.choice("publish", "draft", "off"),
        allowed="'publish', 'draft' or 'off'",
        doc="What happens when a monitor with `open_incident` goes down: an incident is published, "
        "kept as a draft, or not opened.",
    )
    remind_before: tuple[int, ...] = _key(
        (1440, 60),
        values.many(values.integer(1, MAX_REMINDER)),
        allowed="minutes, such as '1440,60'; an empty list for none",
        doc="When subscribers are reminded of a maintenance, in minutes before it begins, "
        "unless it says otherwise itself.",
    )
    partial_outage_weight: float = _key(
        0.3,
        values.share,
        allowed="a number from 0 to 1",
        doc="How much of a partial outage counts as downtime.",
    )
    uptime_days: int = _key(
        90, values.integer(1, 366), allowed="1 to 366", doc="Window of `uptime_percent`, in days."
    )
    regions: tuple[str, ...] = _key(
        ("default",),
        values.region_names,
        allowed="region names such as 'default,eu-west,us-east'",
        doc="Regions that monitors may name. Each needs a worker: `flask statuspage worker --region R`.",
    )
    reference_targets: tuple[str, ...] = _key(
        (),
        values.many(values.page_url),
        allowed="http(s) URLs without query or fragment",
        doc="URLs that answer whenever a region's own network works. While none of them does, the region's "
        "failures do not count.",
    )
    min_check_interval: int = _key(
        5,
        values.integer(1, 3600),
        allowed="1 to 3600",
        doc="Shortest interval of a monitor, in seconds.",
    )
    check_retention_days: int = _key(
        30,
        values.integer(1, 3650),
        allowed="1 to 3650",
        doc="Days for which single check results are kept; what they amount to is kept longer.",
    )
    delivery_retention_days: int = _key(
        90,
        values.integer(1, 3650),
        allowed="1 to 3650",
        doc="Days for which events and finished deliveries are kept with their attempts.",
    )
    webhook_signup: str = _key(
        "open",
        values.choice("open", "approval", "closed"),
        allowed="'open', 'approval' or 'closed'",
        doc="Whether a visitor's webhook is active at once, after a member enables it, or never.",
    )
    signups_per_hour: int = _key(
        20,
        values.integer(1, 100_000),
        allowed="1 to 100000",
        doc="Sign-ups per hour from one network address.",
    )
    api_rate: int = _key(
        600,
        values.integer(0, 1_000_000),
        allowed="0 to 1000000",
        doc="Requests a minute with one key of the manage API; 0: any number. Without Redis each process counts alone.",
    )
    worker_threads: int = _key(
        16,
        values.integer(1, 256),
        allowed="1 to 256",
        doc="Threads of one worker: how many probes or deliveries are in flight.",
    )
    calls_per_endpoint: int = _key(
        8,
        values.integer(1, 256),
        allowed="1 to 256",
        doc="Deliveries that may be in flight to one host and port, over all workers. Slow endpoints get fewer.",
    )
    lease_seconds: int = _key(
        60,
        values.integer(40, 3600),
        allowed="40 to 3600",
        doc="How long a claimed delivery stays with its worker before another may take it.",
    )

    @classmethod
    def from_config(cls, config: MutableMapping[str, Any]) -> Settings:
        """Read every ``STATUSPAGE_*`` key of a Flask config and write the defaults back.

        :raises ConfigError: for an unknown key or a value that is not allowed.
        """
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        refuse_unknown(config, known)
        parsed: dict[str, Any] = {}
        for key, item in known.items():
            raw = config.setdefault(key, item.default)
            parsed[item.name] = parse(key, raw, item.default, item.metadata)
        settings = cls(**parsed)
        if settings.smtp_url and not (settings.email_from or config.get("MAIL_DEFAULT_SENDER")):
            raise ConfigError(
                PREFIX + "EMAIL_FROM", None, "an email address, as STATUSPAGE_SMTP_URL is set"
            )
        if settings.sms_url or settings.sms_account:
            settings._need_all_of_sms()
        return settings

    def _need_all_of_sms(self) -> None:
        for name in ("sms_account", "sms_token", "sms_from"):
            if getattr(self, name) is None:
                raise ConfigError(
                    PREFIX + name.upper(), None, "a text, as there is a gateway to send through"
                )
