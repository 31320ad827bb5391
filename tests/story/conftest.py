from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_statuspage.jobs.embedded import Runner
from tests.servers.redis import RedisServer
from tests.servers.smtp import SmtpServer
from tests.story.site import Site, running_site


@pytest.fixture
def site(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, smtp: SmtpServer
) -> Iterator[Site]:
    """A site with its workers: the embedded runner, or RQ workers and a scheduler as processes."""
    config = {
        "SQLALCHEMY_DATABASE_URI": database_url,
        "STATUSPAGE_SMTP_URL": f"smtp://{smtp.host}:{smtp.port}",
        "STATUSPAGE_EMAIL_FROM": "Acme status <status@acme.example>",
    }
    if request.param == "embedded":
        with running_site(tmp_path, **config) as site:
            runner = Runner(site.app)
            runner.start()
            try:
                yield site
            finally:
                runner.stop()
    else:
        redis: RedisServer = request.getfixturevalue("redis_server")
        redis.start()
        redis.flushall()
        with running_site(tmp_path, STATUSPAGE_REDIS_URL=redis.url, **config) as site:
            site.start("worker")
            site.start("scheduler")
            yield site
