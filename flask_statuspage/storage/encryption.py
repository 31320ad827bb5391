"""Secrets encrypted at rest: a column type over Fernet with rotatable keys."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from ..errors import SetupError
from ..state import signing_keys


def _cipher() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in signing_keys()])


@lru_cache(maxsize=32)
def _fernet(key: str) -> Fernet:
    # Kept, because deriving it takes longer than opening a secret with it.
    derived = HKDF(SHA256(), length=32, salt=None, info=b"flask-statuspage secrets").derive(
        key.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(text: str) -> str:
    """*text* as it is stored, under the newest of the app's keys."""
    return _cipher().encrypt(text.encode()).decode()


def reveal(value: str | None) -> str | None:
    """The text that was stored as *value*.

    :raises SetupError: when none of the app's keys opens it.
    """
    if value is None:
        return None
    try:
        return _cipher().decrypt(value.encode()).decode()
    except InvalidToken:
        raise SetupError(
            "A stored secret cannot be opened with the app's keys. Was SECRET_KEY changed? Add the old one to "
            "SECRET_KEY_FALLBACKS or STATUSPAGE_SECRET_KEYS."
        ) from None


class Encrypted(TypeDecorator[str]):
    """A text that the database only sees encrypted. Any of the app's keys opens it, the newest one closes it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return reveal(value)
