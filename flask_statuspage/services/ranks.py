"""How far a role reaches in the team: up to itself. The manage API and the console ask here, the command line does not.

Whoever has a shell on the site's machine stands above every role, which ``None`` says.
"""

from __future__ import annotations

from ..domain.roles import Role
from ..errors import Forbidden


def check(actor_role: Role | None, *roles: Role) -> None:
    """Nobody makes, changes or removes a member or key whose role is above their own, nor gives such a role.

    :param actor_role: the role of whoever acts; None: the site's own shell or code.
    :param roles: those that the members or keys have, and those that they are to have.
    :raises Forbidden: naming the first one that is too high.
    """
    if actor_role is None:
        return
    for role in roles:
        if not actor_role.reaches(role):
            words = f"This is about the role {role.value!r}, which is above yours, {actor_role.value!r}."
            raise Forbidden(role.value, actor_role.value, message=words)
