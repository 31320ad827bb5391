"""What the kinds share whose target is the address of a page or document."""

from __future__ import annotations

from ..config import Settings
from ..errors import Invalid
from ..outgoing import AddressRefused, vet_address, vet_url
from ..outgoing.site import site_policy
from .probe import Probe


class UrlProbe(Probe):
    """The target is a URL."""

    def normalise(self, target: str, settings: Settings) -> str:
        target = target.strip()
        try:
            vet_url(target, site_policy(settings))
        except AddressRefused as error:
            raise Invalid.field("target", str(error)) from error
        return target

    def vet(self, target: str, settings: Settings) -> None:
        try:
            vet_address(target.strip(), site_policy(settings))
        except AddressRefused as error:
            # A name that does not resolve is what a monitor is there to find out.
            if error.reason != "dns":
                raise Invalid.field("target", str(error)) from error
