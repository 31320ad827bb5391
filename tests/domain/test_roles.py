"""The order of roles."""

from __future__ import annotations

from flask_statuspage.domain.roles import Role


def test_each_role_includes_the_smaller_ones() -> None:
    """A viewer may read, an editor more, an admin more still, and an owner everything."""
    order = [Role.VIEWER, Role.EDITOR, Role.ADMIN, Role.OWNER]
    for rank, role in enumerate(order):
        assert [role.reaches(needed) for needed in order] == [
            needed <= rank for needed in range(len(order))
        ]
