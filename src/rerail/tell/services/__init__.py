"""The services that carry messages: Telegram, and all that apprise knows."""

from rerail.tell.services.service import Later, Letter, Refused, Service

__all__ = ["Later", "Letter", "Refused", "Service"]
