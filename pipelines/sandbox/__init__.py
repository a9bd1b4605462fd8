"""A small whole market of its own, served on loopback in the vendors' wire formats. Same seed, same bytes."""

from pipelines.sandbox.apart import served
from pipelines.sandbox.clock import NoSuchNight, night_now
from pipelines.sandbox.market import Market, Outline, generate, outline
from pipelines.sandbox.server import Endpoints, serve

__all__ = ["Endpoints", "Market", "NoSuchNight", "Outline", "generate", "night_now", "outline", "serve", "served"]
