"""One start of a host in a fresh process: ``python -m benchmarks.start with|without`` prints its costs as JSON."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path


def main() -> None:
    before = time.process_time()
    from flask import Flask
    from flask_sqlalchemy import SQLAlchemy

    app = Flask("host")
    app.config.update(SECRET_KEY="a key for benchmarks", SQLALCHEMY_DATABASE_URI="sqlite://")
    SQLAlchemy().init_app(app)
    app.add_url_rule("/", "host_page", lambda: "Hello")
    if sys.argv[1] == "with":
        from flask_statuspage import StatusPage

        app.register_blueprint(StatusPage(), url_prefix="/status")
    spent = time.process_time() - before
    # Not getrusage's: that one begins with what the process before the fork used.
    status = Path("/proc/self/status").read_text()
    used = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]
    print(json.dumps({"milliseconds": spent * 1000, "megabytes": used}))


if __name__ == "__main__":
    main()
