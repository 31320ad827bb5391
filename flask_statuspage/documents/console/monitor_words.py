"""What the console calls the kinds of monitors and their options. Another package's are called by their names."""

from __future__ import annotations

PAUSED = "Paused"

SILENCES = {
    "paused": PAUSED,
    "maintenance": "Silent: under maintenance",
    "parent": "Silent: what it depends on fails",
    "unheard": "Not heard of lately",
}

KINDS = {
    "http": ("Web address", "Asks an address over HTTP and looks at the answer."),
    "tcp": ("TCP port", "Connects to a port, and may look for a greeting."),
    "tls": ("Certificate", "Warns before a server's certificate ends."),
    "dns": ("DNS record", "Asks for a record, and may compare it."),
    "ping": ("Ping", "Sends ICMP echo requests."),
    "heartbeat": ("Heartbeat", "A job reports by itself; silence is the failure."),
    "upstream": ("Other status page", "Follows the status page of somebody you depend on."),
    "callable": ("Function", "Calls a function of the site's code."),
    "traffic": ("Traffic", "Counts the failures of the site's own requests."),
}

TARGETS = {
    "http": ("Address", "Such as https://www.example.com/health"),
    "tcp": ("Host and port", "Such as mail.example.com:25"),
    "tls": ("Host", "Such as www.example.com, or www.example.com:8443"),
    "dns": ("Name", "Such as www.example.com"),
    "ping": ("Host", "Such as router.example.com"),
    "upstream": ("Address", "Of the other status page."),
}

OPTIONS = {
    ("http", "method"): ("Method", ""),
    ("http", "headers"): (
        "Headers",
        "One per line, such as “Accept: text/html”. A value that is kept secret is shown as ********; leave it so.",
    ),
    ("http", "body"): ("Body", "What is sent."),
    ("http", "auth"): ("Sign-in", ""),
    ("http", "auth.type"): ("How to sign in", ""),
    ("http", "auth.username"): ("User name", "For “basic”."),
    ("http", "auth.password"): ("Password", "For “basic”."),
    ("http", "auth.token"): ("Token", "For “bearer”."),
    ("http", "expected_status"): ("Good answers", "One per line: a status such as 204, or 2xx."),
    ("http", "keyword"): ("Text that the answer must have", ""),
    ("http", "keyword_absent"): ("Text that the answer must not have", ""),
    ("http", "json_condition"): ("Condition", "A JMESPath expression that must be true."),
    ("http", "follow_redirects"): ("Follow redirects", ""),
    ("http", "tls_expiry_days"): (
        "Warn before the certificate ends (days)",
        "0: never.",
    ),
    ("http", "verify_tls"): ("Check the certificate", ""),
    ("http", "down_over_ms"): ("Failed when slower than (ms)", ""),
    ("tcp", "banner"): ("Greeting", "What the server's first bytes must contain."),
    ("tls", "expiry_days"): ("Warn before the certificate ends (days)", ""),
    ("tls", "server_name"): ("Server name", "Empty: the host above."),
    ("dns", "record"): ("Record", ""),
    ("dns", "expected"): (
        "Answers that must come",
        "One per line, as a zone file writes them. Empty: any.",
    ),
    ("dns", "server"): ("Name server", "Its address. Empty: those of the system."),
    ("ping", "count"): ("Requests of one check", ""),
    ("ping", "max_loss"): ("Loss that is fine (percent)", ""),
    ("heartbeat", "grace"): ("How late it may be (seconds)", ""),
    ("heartbeat", "max_duration"): (
        "How long the job may take (seconds)",
        "From when it reports that it begins. Empty: however long.",
    ),
    ("traffic", "window"): ("Seconds that are judged together", ""),
    ("traffic", "down_share"): ("Down from this share of failures", "From 0 to 1."),
    ("traffic", "degraded_share"): ("Degraded from this share of failures", "From 0 to 1."),
    ("traffic", "min_requests"): ("Says nothing with fewer requests than", ""),
    ("upstream", "dialect"): ("How it is read", ""),
    ("upstream", "component"): (
        "Part of it",
        "Id, name, or “Group - Name”. Empty: the page as a whole.",
    ),
    ("upstream", "name"): ("What it is called", "Empty: as it calls itself."),
    ("upstream", "home_page_url"): ("Its home page", ""),
    ("upstream", "status_page_url"): ("Its status page for readers", ""),
    ("upstream", "favicon_url"): ("Its icon", ""),
}


def kind_word(kind: str) -> str:
    return KINDS[kind][0] if kind in KINDS else kind


def option_words(kind: str, path: str, hint: str = "") -> tuple[str, str]:
    """Label and hint of an option.

    :param hint: what its model says of it, for kinds that are not known here.
    """
    own = path.rpartition(".")[2].replace("_", " ").strip().capitalize()
    return OPTIONS.get((kind, path), (own or "Options", hint))
