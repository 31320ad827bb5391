"""Runs migrations on the connection that :mod:`flask_statuspage.storage.migrate` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, BigInteger, Enum, Float, String, Text

from flask_statuspage import storage  # noqa: F401  # fills the metadata
from flask_statuspage.storage.base import TABLE_PREFIX, Base, UtcDateTime
from flask_statuspage.storage.encryption import Encrypted
from flask_statuspage.storage.migrate import VERSION_TABLE


def _ours(name: str | None, type_: str, parent_names: Any) -> bool:
    return type_ != "table" or bool(
        name and name.startswith(TABLE_PREFIX) and name != VERSION_TABLE
    )


def _same_type(
    migration: Any, inspected: Any, declared: Any, inspected_type: Any, declared_type: Any
) -> bool | None:
    # These read back under other names: JSON is LONGTEXT on MariaDB, decorators show their inner type.
    if isinstance(declared_type, JSON) and isinstance(inspected_type, Text):
        return False
    if isinstance(declared_type, UtcDateTime | Encrypted):
        return False
    if migration.dialect.name == "sqlite" and isinstance(declared_type, String):
        return not isinstance(inspected_type, String)  # it holds no text to a length
    if isinstance(declared_type, Float) and isinstance(inspected_type, Float):
        return False
    return None


def _render(type_: str, item: Any, context: Any) -> str | Literal[False]:
    """Write our column types into new migrations by what the database sees of them."""
    if type_ == "type" and isinstance(item, UtcDateTime):
        context.imports.add("from flask_statuspage.storage.base import UtcDateTime")
        return "UtcDateTime()"
    if type_ == "type" and isinstance(item, Encrypted):
        return "sa.Text()"
    if type_ == "type" and isinstance(item, Enum):
        return f"sa.String({item.length})"
    if type_ == "type" and isinstance(item, Text) and item._variant_mapping:
        context.imports.add("from flask_statuspage.storage.base import LongText")
        return "LongText"
    if type_ == "type" and isinstance(item, BigInteger):
        context.imports.add("from flask_statuspage.storage.base import Serial")
        return "Serial"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    include_name=_ours,
    compare_type=_same_type,
    render_item=_render,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
