"""The public page of an invented company, in the shape in which a Statuspage publishes itself, on a real web server."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from .http import Answer, Target

Document = dict[str, Any]

PAGE = {
    "id": "fjw0page0001",
    "name": "Fjordwerk",
    "url": "https://status.fjordwerk.example",
    "time_zone": "Europe/Oslo",
    "updated_at": "2026-01-05T10:00:00.000Z",
}

GROUPS = {"grp0sky": ("Sky", ["cmp0api", "cmp0console"]), "grp0yard": ("Yard ⚓", ["cmp0cranes"])}

MAINTENANCE_WORDS = ("scheduled", "in_progress", "verifying", "completed")


class FakeStatuspage:
    """Four documents that a test may change; :meth:`publish` serves them as they are now."""

    def __init__(self, target: Target, now: datetime) -> None:
        self.target = target
        self.url = target.url
        self.now = now
        self.components = [*_components(now)]
        self.incidents = [_incident(number, now) for number in range(30)]
        self.maintenances = [
            _maintenance(number, status, now) for number, status in enumerate(MAINTENANCE_WORDS)
        ]
        self.more_unresolved: list[Document] = []
        self.publish()

    def publish(self) -> None:
        for name, document in self.documents().items():
            self.answer(name, document)

    def answer(self, name: str, document: object) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        self.target.set(f"/api/v2/{name}.json", Answer(body=body, headers=headers))

    def documents(self) -> dict[str, Document]:
        open_ones = [i for i in self.incidents if i["status"] not in ("resolved", "postmortem")]
        pending = [m for m in self.maintenances if m["status"] != "completed"]
        documents = {
            "summary": {
                "page": PAGE,
                "status": {"indicator": "minor", "description": "Partially Degraded Service"},
                "components": [c for c in self.components if not c["only_show_if_degraded"]],
                "incidents": [*open_ones, *self.more_unresolved],
                "scheduled_maintenances": pending,
            },
            "components": {"page": PAGE, "components": self.components},
            "incidents": {"page": PAGE, "incidents": self.incidents},
            "scheduled-maintenances": {
                "page": PAGE,
                "scheduled_maintenances": self.maintenances,
            },
        }
        return deepcopy(documents)

    def component(self, id_: str) -> Document:
        return next(item for item in self.components if item["id"] == id_)


def written(moment: datetime, *, digits: int = 3) -> str:
    """An instant as such pages write it: milliseconds and Z, or microseconds and an offset."""
    if digits == 3:
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (moment + timedelta(hours=2)).replace(tzinfo=None).isoformat(
        timespec="microseconds"
    ) + "+02:00"


def update(
    id_: str, status: str, body: str | None, at: datetime, affected: list[Document] | None = None
) -> Document:
    return {
        "id": id_,
        "status": status,
        "body": body,
        "incident_id": "",
        "created_at": written(at),
        "updated_at": written(at),
        "display_at": written(at),
        "affected_components": affected,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def affected(code: str, name: str, old: str, new: str) -> Document:
    return {"code": code, "name": name, "old_status": old, "new_status": new}


def _components(now: datetime) -> list[Document]:
    def row(id_: str, name: str, position: int, within: str | None, **more: Any) -> Document:
        return {
            "id": id_,
            "name": name,
            "status": "operational",
            "created_at": written(now - timedelta(days=400)),
            "updated_at": written(now - timedelta(days=1)),
            "position": position,
            "description": None,
            "showcase": True,
            "start_date": None,
            "group_id": within,
            "page_id": PAGE["id"],
            "group": False,
            "only_show_if_degraded": False,
            **more,
        }

    groups = [
        row(id_, name, position, None, group=True, components=members, showcase=False)
        for position, (id_, (name, members)) in enumerate(GROUPS.items(), start=2)
    ]
    return [
        row("cmp0web", "Website", 1, None, description="What\tyou see."),
        *groups,
        row("cmp0api", "API", 1, "grp0sky", start_date="2024-03-01", status="partial_outage"),
        row("cmp0console", "Konsole für Übersee 港", 2, "grp0sky", showcase=False),
        row("cmp0cranes", "Cranes", 1, "grp0yard", only_show_if_degraded=True),
        row("cmp0mail", "Mail", 4, None, status="degraded_performance"),
    ]


def _incident(number: int, now: datetime) -> Document:
    """Number 0 is open, 1 has a postmortem, the others are resolved, each two days before the last."""
    id_ = f"inc{number:05d}"
    begun = now - timedelta(days=2 * number, hours=3)
    name = f"Outage {number} 🌊" if number % 2 else f"Requests {number} fail"
    words = ["investigating", "identified", "monitoring", "resolved", "postmortem"]
    words = words[: {0: 2, 1: 5}.get(number, 4)]
    api = "Sky - API"
    updates = [
        update(
            f"{id_}u{place}",
            word,
            None if number == 3 and place == 1 else f"**{word}** <b>number</b> {number}",
            begun + timedelta(minutes=10 * place),
            [affected("cmp0api", api, *change)]
            if (change := {0: ("operational", "partial_outage")}.get(place))
            else None,
        )
        for place, word in enumerate(words)
    ]
    over = None if number == 0 else begun + timedelta(minutes=30)
    return {
        "id": id_,
        "name": name,
        "status": words[-1],
        "created_at": written(begun, digits=6 if number % 3 else 3),
        "updated_at": written(begun + timedelta(minutes=40)),
        "monitoring_at": None if number == 0 else written(begun + timedelta(minutes=20)),
        "resolved_at": over and written(over),
        "impact": ["major", "critical", "minor", "none"][number % 4],
        "shortlink": f"https://stspg.example/{id_}",
        "started_at": written(begun, digits=6 if number % 3 else 3),
        "page_id": PAGE["id"],
        "incident_updates": updates[::-1],
        "components": [{"id": "cmp0api", "name": "API", "status": "partial_outage"}],
    }


def _maintenance(number: int, status: str, now: datetime) -> Document:
    id_ = f"mnt{number:05d}"
    begun = (
        now
        + {
            "scheduled": timedelta(days=3),
            "in_progress": timedelta(hours=-1),
            "verifying": timedelta(hours=-2),
            "completed": timedelta(days=-9),
        }[status]
    )
    said = MAINTENANCE_WORDS[: MAINTENANCE_WORDS.index(status) + 1]
    updates = [
        update(f"{id_}u{place}", word, f"It is {word}.", begun + timedelta(minutes=place - 1))
        for place, word in enumerate(said)
    ]
    return {
        "id": id_,
        "name": f"New cables {number}",
        "status": status,
        "created_at": written(begun - timedelta(days=7)),
        "updated_at": written(begun),
        "monitoring_at": None,
        "resolved_at": written(begun + timedelta(minutes=2)) if status == "completed" else None,
        "impact": "maintenance",
        "shortlink": f"https://stspg.example/{id_}",
        "started_at": written(begun),
        "page_id": PAGE["id"],
        "incident_updates": updates[::-1],
        "components": [{"id": "cmp0cranes", "name": "Cranes", "status": "operational"}],
        "scheduled_for": written(begun),
        "scheduled_until": written(begun + timedelta(hours=4)),
    }
