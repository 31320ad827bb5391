"""The command group, and the one place where errors become a line and an exit code.

The commands themselves are imported when one is looked for: a web process, which registers the group too, does not pay
for Alembic and RQ.
"""

from __future__ import annotations

from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from ..errors import StatusPageError


class StatusPageGroup(AppGroup):
    """A group whose commands end with exit code 1 and one line on known errors."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            # In one line and with exit code 1, as all that goes wrong here.
            raise click.ClickException(error.format_message()) from error
        except click.ClickException:
            raise
        except StatusPageError as error:
            raise click.ClickException(str(error)) from error
        except _redis_error() as error:
            raise click.ClickException(f"Redis cannot be reached: {one_line(error)}") from error
        except SQLAlchemyError as error:
            raise click.ClickException(f"The database failed: {one_line(error)}") from error


class _RootGroup(StatusPageGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        _import_commands()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        _import_commands()
        return super().get_command(ctx, name)


def _import_commands() -> None:
    """Each module adds its commands to the group."""
    from . import configuration, database, doctor, importing, mirror, team, theme, work  # noqa: F401


def _redis_error() -> type[Exception]:
    from redis.exceptions import RedisError

    return RedisError


def one_line(error: BaseException) -> str:
    """The first line of what *error* says, without SQLAlchemy's statement and link."""
    cause = getattr(error, "orig", None) or error
    text = str(cause).strip() or type(cause).__name__
    return " ".join(text.splitlines()[0].split())


def app_of_context() -> Any:
    """The app itself, not the proxy: it goes to threads and children."""
    return current_app._get_current_object()  # type: ignore[attr-defined]


@click.group(cls=_RootGroup, name="statuspage")
def statuspage_cli() -> None:
    """The status page: database, workers, keys."""
