"""One mail: headers that mail programs and providers act on, a text part and an HTML part."""

from __future__ import annotations

import json
import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate
from typing import Any

from werkzeug.urls import iri_to_uri

from ...domain.events import IN_ORDER
from ..parcel import Parcel

OPENERS = frozenset({"incident.created", "maintenance.scheduled"})
"""The events whose mail begins a thread. Later mails of the same subject answer it."""

_WHOLE = frozenset({"list-unsubscribe", "message-id", "in-reply-to", "references"})


_WIDTH = 76
"""Characters of the longest line of encoded text (RFC 2045)."""

_LONG = 60
"""Characters of a word that still stands on a line as it is."""


class _Policy(EmailPolicy):
    """As RFC 5322 wants it, but URLs and ids stay whole, and no space is lost.

    Folded at 78 characters, a longer one would become an encoded word, which RFC 2047 forbids there and which no mail
    provider reads: ``List-Unsubscribe`` would be lost. RFC 5322 allows lines of 998.

    Readers drop what stands between two encoded words. Python's own folding puts spaces there that belong to the text,
    so that words of it are joined; :class:`email.header.Header` does not.
    """

    def fold(self, name: str, value: Any) -> str:
        written = self._written(name, value)
        return str(super().fold(name, value)) if written is None else written

    def fold_binary(self, name: str, value: Any) -> bytes:
        written = self._written(name, value)
        if written is None:
            return bytes(super().fold_binary(name, value))
        return written.encode("ascii")

    def _written(self, name: str, value: Any) -> str | None:
        """The header, where it is not folded as others are."""
        kind = name.lower()
        if kind in _WHOLE:
            return f"{name}: {value}{self.linesep}"
        if kind == "subject" and not _can_be_folded(str(value)):
            return f"{name}: {self._encoded(name, str(value))}{self.linesep}"
        if kind == "from":
            return f"{self._sender(name, value.addresses[0])}{self.linesep}"
        return None

    def _sender(self, name: str, sender: Address) -> str:
        plain = f"{name}: {sender}"
        is_short = plain.isascii() and len(plain) <= _WIDTH
        if is_short or not sender.display_name:
            return plain
        # Not folded in its quotes either: Python leaves them out, and a comma in a name makes two senders of it.
        return (
            f"{name}: {self._encoded(name, sender.display_name)}{self.linesep} <{sender.addr_spec}>"
        )

    def _encoded(self, name: str, text: str) -> str:
        """*text* as encoded words (RFC 2047) with nothing of it between them."""
        words = Header(text, "utf-8", maxlinelen=_WIDTH, header_name=name)
        return words.encode(linesep=self.linesep)


def _can_be_folded(text: str) -> bool:
    return text.isascii() and all(len(word) <= _LONG for word in text.split())


# 7bit, as not every server on the way knows 8BITMIME.
POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=_WIDTH)


def written(parcel: Parcel, sender: Address) -> EmailMessage:
    """The mail of *parcel*, whose body is JSON: ``{"subject", "text", "html"}``.

    A retry bears the same ``Message-ID``, so that a mail program knows a double.
    """
    content = json.loads(parcel.body)
    opener = f"<{parcel.subject_id}.{parcel.subscription_id}@{sender.domain}>"
    opens = parcel.event_name in OPENERS
    message = EmailMessage(policy=POLICY)
    message["Subject"] = _one_line(content["subject"])
    message["From"] = sender
    message["To"] = Address(addr_spec=parcel.address)
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = opener if opens else f"<{parcel.delivery_id}@{sender.domain}>"
    if parcel.event_name in IN_ORDER and not opens:
        message["In-Reply-To"] = message["References"] = opener
    # RFC 3834: nobody's absence is to be told to us.
    message["Auto-Submitted"] = "auto-generated"
    if parcel.unsubscribe_url:
        leave = iri_to_uri(parcel.unsubscribe_url)
        message["List-Unsubscribe"] = f"<{leave}>"
        if leave.startswith("https://"):  # RFC 8058 knows no other
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        # What absence programs knew before RFC 3834. A question for confirmation is no bulk.
        message["Precedence"] = "bulk"
    message.set_content(_encodable(content["text"]))
    message.add_alternative(_encodable(content["html"]), subtype="html")
    return message


def mailbox(text: str) -> Address:
    """``Acme, Inc. <status@example.com>`` or an address alone, as a sender.

    :raises ValueError: when it is none. A domain beyond ASCII is written as IDNA, a mailbox beyond it is refused.
    """
    name, bracket, address = text.strip().rpartition("<")
    address = address.removesuffix(">") if bracket else address
    local, _, domain = address.strip().rpartition("@")
    if not local or not domain or not local.isascii():
        raise ValueError(f"{text!r} is no sender's address")
    try:
        domain = domain.encode("idna").decode()
        name = _one_line(name).strip().strip('"')
        return Address(display_name=name, username=local, domain=domain)
    except (UnicodeError, IndexError) as error:
        raise ValueError(f"{text!r} is no sender's address") from error


def sender_of(message: EmailMessage) -> str:
    """The address of the envelope."""
    return str(message["From"].addresses[0].addr_spec)


def _one_line(text: str) -> str:
    """*text* as a header's value: a title with a line break, or one that looks encoded, must not start a header."""
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", _encodable(text))
    # Else `email` would decode it, and what comes out is not looked at again. The space has no width.
    return re.sub(r"=(?=\?)", "=\u200b", " ".join(plain.split()))


def _encodable(text: str) -> str:
    """*text* without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
