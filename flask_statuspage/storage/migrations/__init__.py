"""Alembic's environment; run by :mod:`flask_statuspage.storage.migrate`."""
