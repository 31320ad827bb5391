"""What became of a mail that was not taken: whether to try again, or whether the address is to be given up.

Only an answer that speaks of the mailbox counts against it; what speaks of us, of the message or of the server's own
troubles is tried again, however permanent it says it is. An address that is given up wrongly costs a reader every
further notice, and a spam filter that takes offence at us during an outage would cost us all of them; one that is tried
seven times in vain costs little.
"""

from __future__ import annotations

import re
import smtplib
import ssl

from ..parcel import Failure, Outcome

NO_MAILBOX = {
    "5.1.0": "something is wrong with the address",
    "5.1.1": "there is no such mailbox",
    "5.1.2": "there is no such domain",
    "5.1.3": "it is no address",
    "5.1.4": "it is not clear whose it is",
    "5.1.6": "the mailbox has moved",
    "5.1.10": "the domain takes no mail (RFC 7505)",
    "5.2.0": "something is wrong with the mailbox",
    "5.2.1": "the mailbox is switched off",
}
"""Enhanced status codes (RFC 3463 and IANA's registry) that give an address up.

Those beside them do not. 5.1.7 and 5.1.8 mean the sender's address. 5.1.9 is about a relay. 5.2.2 is a full mailbox,
which RFC 3463 calls a "persistent transient failure": its owner can make room. 5.2.3 is the message's length, 5.2.4 the
upkeep of a mailing list. 5.3 is the server, 5.4 the network, 5.5 the protocol, 5.6 the content. 5.7 is policy: we may
not relay, are blocked, or look like spam.
"""

NO_MAILBOX_WITHOUT_DETAIL = {
    550: "mailbox unavailable",
    551: "user not local",
    553: "mailbox name not allowed",
    554: "transaction failed",
    556: "domain takes no mail (RFC 7504)",
}
"""Codes that do the same where no enhanced one explains them, unless the words do.

552 is not among them: it is a mailbox without room, or a message that is too long. Nor are 521 and 530 to 538, which
are about us.
"""

_OURS = re.compile(
    r"sender|relay|spam|block|black|deny|denied|reputation|polic|rbl|\blisted|spf|dkim|dmarc|banned|authenti"
    r"|content|virus|size|too (large|big|many)|\brate\b|limit|\bfull\b|quota|greylist|later|\bptr\b|reverse",
    re.IGNORECASE,
)
"""Words of an answer that speaks of us or of the message, whatever its code. Servers that say 550 to everything exist,
and Postfix refuses a sender it does not know with 5.1.0 at ``RCPT``."""

MAX_REASON, MAX_ANSWER = 160, 4096

LEAST_HIDDEN = 4
"""Characters from which on the part of an address before the @ is hidden by itself; shorter ones are words, too."""


def outcome_of(error: Exception, address: str) -> Outcome | None:
    """What *error*, raised while a mail to *address* was sent, means; None: it is none that mail servers cause."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        refusals = [value for value in error.recipients.values() if isinstance(value, tuple)]
        if not refusals:  # a sender of the site, not smtplib
            return Outcome(error="The recipient was refused.", kind=Failure.STATUS)
        return _refused(*refusals[0], address, about_address=True)
    if isinstance(error, smtplib.SMTPResponseException):
        # There is one recipient, so what is said to the message is said to it.
        about_address = isinstance(error, smtplib.SMTPDataError)
        return _refused(error.smtp_code, error.smtp_error, address, about_address=about_address)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return Outcome(error="The mail server did not answer in time.", kind=Failure.TIMEOUT)
    if isinstance(error, ssl.SSLError):
        return Outcome(error="The mail server's TLS was not accepted.", kind=Failure.TLS)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        words = "The mail server does not offer what is needed of it."
        return Outcome(error=words, kind=Failure.PROTOCOL, answer=str(error)[:MAX_ANSWER])
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return Outcome(error="The mail server hung up.", kind=Failure.PROTOCOL)
    if isinstance(error, smtplib.SMTPException):
        words = "The mail server could not be spoken with."
        return Outcome(error=words, kind=Failure.PROTOCOL, answer=str(error)[:MAX_ANSWER])
    if isinstance(error, OSError):
        return Outcome(error="The mail server could not be reached.", kind=Failure.CONNECT)
    return None


def _refused(code: int, answer: bytes | str, address: str, *, about_address: bool) -> Outcome:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    text = text.replace("\x00", "")
    detail = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", text)
    enhanced = detail[1] if detail else None
    gives_up = about_address and _is_no_mailbox(code, enhanced, text)
    return Outcome(
        error=_reason(code, enhanced, text, address),
        kind=Failure.STATUS,
        code=code,
        answer=text[:MAX_ANSWER],
        final=gives_up,
        suppresses_address=gives_up,
    )


def _is_no_mailbox(code: int, enhanced: str | None, text: str) -> bool:
    if not 500 <= code <= 599:
        return False
    if enhanced is None:
        return code in NO_MAILBOX_WITHOUT_DETAIL and not _OURS.search(text)
    if enhanced in ("5.1.0", "5.2.0"):  # "other": the words tell more
        return not _OURS.search(text)
    return enhanced in NO_MAILBOX


def _reason(code: int, enhanced: str | None, text: str, address: str) -> str:
    """Code and words in one short line. It outlives the subscription, so the address must not stand in it."""
    words = re.sub(rf"<?{re.escape(address)}>?", "…", text, flags=re.IGNORECASE)
    local = address.rpartition("@")[0]
    if len(local) >= LEAST_HIDDEN:
        words = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", "…", words, flags=re.IGNORECASE)
    if enhanced is not None:
        words = re.sub(rf"(^|\n)\s*{re.escape(enhanced)}(?!\d)", r"\1", words)  # in each line
    words = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", words).split())
    head = f"The mail server answered {code}{f' {enhanced}' if enhanced else ''}"
    if not words:
        return f"{head}."
    room = MAX_REASON - len(head) - 2
    return f"{head}: {words if len(words) <= room else words[: room - 1] + '…'}"
