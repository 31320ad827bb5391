"""A client that knows nothing but the address of ``api/openapi.json`` and a key plays a story over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from tests.servers import wsgi
from tests.servers.process import free_port
from tests.web.generated import Client, Refused
from tests.web.site import Site, SiteMaker


@pytest.fixture
def served(make_site: SiteMaker) -> Iterator[tuple[Site, dict[str, Any]]]:
    """A site on a port, with the description that it gives of itself."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/status"
    site = make_site(STATUSPAGE_PAGE_URL=url)
    with wsgi.serving(site.app, port=port):
        yield site, requests.get(f"{url}/api/openapi.json", timeout=20).json()


def test_a_story(served: tuple[Site, dict[str, Any]]) -> None:
    """Component, incident, update, resolution, paging, conflicts, members and keys, by what the description says."""
    site, document = served
    with closing(Client(document, site.key())) as api:
        api.components_create(body={"name": "API"})
        for number in range(4):
            api.components_create(body={"name": f"Service {number}"})
        with pytest.raises(TypeError, match="no_such_field"):
            api.components_create(body={"name": "Web", "no_such_field": 1})
        with pytest.raises(TypeError, match="needs ident"):
            api.components_show()

        sent = {"title": "Payments fail", "impact": "major", "components": ["api"]}
        opened = api.incidents_create(body=sent, idempotency_key="1")
        assert api.incidents_create(body=sent, idempotency_key="1").body == opened.body
        ident, tag = opened.body["id"], opened.headers["ETag"]
        assert api.incidents_show(ident=ident, if_none_match=tag).status == 304
        told = api.incidents_update(ident=ident, body={"status": "identified", "body": "A disk."})
        with pytest.raises(Refused) as late:
            api.incidents_change(ident=ident, body={"title": "Mine"}, if_match=tag)
        assert late.value.answer.status == 412
        present = late.value.answer.headers["ETag"]
        assert present == told.headers["ETag"]
        api.incidents_change(ident=ident, body={"title": "Payments failed"}, if_match=present)
        over = api.incidents_resolve(ident=ident, body={"body": "A new disk."}).body
        assert [one["status"] for one in over["updates"]] == [
            "resolved",
            "identified",
            "investigating",
        ]
        assert api.incidents_index(status="open").body["total"] == 0
        assert api.incidents_index(component="api", search="payments").body["total"] == 1
        with pytest.raises(Refused) as twice:
            api.components_create(body={"name": "Other", "slug": "api"})
        assert twice.value.answer.status == 409

        page, names = api.components_index(per_page=2), []
        while True:
            names += [item["name"] for item in page.body["items"]]
            if page.next is None:
                break
            page = api.follow("components_index", page.next)
        assert names == ["API", *(f"Service {number}" for number in range(4))]

        ann = api.members_create(body={"identity": "ann@acme.example", "role": "owner"}).body
        with pytest.raises(Refused, match="last owner"):
            api.members_remove(ident=ann["id"])
        made = api.tokens_create(body={"name": "deploy", "role": "editor"}).body
        with closing(Client(document, made["key"])) as editor:
            editor.components_say(ident="api", body={"status": "degraded_performance"})
            with pytest.raises(Refused) as forbidden:
                editor.members_index()
            assert forbidden.value.answer.status == 403
            api.tokens_remove(ident=made["id"])
            with pytest.raises(Refused) as gone:
                editor.components_index()
            assert gone.value.answer.status == 401
