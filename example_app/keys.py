"""The example's secrets: made at the first start, kept beside the database for the next one."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Keys:
    """``api_key`` is empty until one was made. ``receiver_secret`` is in the notation of Standard Webhooks."""

    folder: str
    secret_key: str
    receiver_secret: str
    api_key: str = ""

    @classmethod
    def of(cls, folder: Path) -> Keys:
        """The keys kept in *folder*, else new ones."""
        file = folder / "keys.json"
        if file.exists():
            return cls(**{**json.loads(file.read_text()), "folder": str(folder)})
        receiver_secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        return cls(str(folder), secrets.token_hex(32), receiver_secret)._kept()

    def with_api_key(self, api_key: str) -> Keys:
        return replace(self, api_key=api_key)._kept()

    def _kept(self) -> Keys:
        # Only the user who runs the example may read it.
        file = os.open(Path(self.folder, "keys.json"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(file, "w") as stream:
            json.dump(asdict(self), stream, indent=2)
        return self
