"""The public API's client: submit, watch, get, over HTTP. Knows the wire contract, nothing of the server's inside."""

from safelight.client.blocking import BlockingClient
from safelight.client.client import Client, Page
from safelight.client.errors import ClientError, ServerUnreachable
from safelight.client.events import Event

__all__ = ["BlockingClient", "Client", "ClientError", "Event", "Page", "ServerUnreachable"]
