from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import dns
from tests.servers.dns import DnsServer


@pytest.fixture
def name_server() -> Iterator[DnsServer]:
    with dns.running() as server:
        yield server
