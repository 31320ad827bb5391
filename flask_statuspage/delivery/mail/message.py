"""One mail: headers that mail programs and providers act on, a text part and an HTML part."""

from __future__ import annotations

import json
import re
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


class _Policy(EmailPolicy):
    """As RFC 5322 wants it, but URLs and ids stay whole.

    Folded at 78 characters, a longer one would become an encoded word, which RFC 2047 forbids there and which no mail
    provider reads: ``List-Unsubscribe`` would be lost. RFC 5322 allows lines of 998.
    """

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _WHOLE:
            return f"{name}: {value}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in _WHOLE:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return bytes(super().fold_binary(name, value))


# 7bit, as not every server on the way knows 8BITMIME; 76 is the longest line of encoded text (RFC 2045).
POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=76)


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
