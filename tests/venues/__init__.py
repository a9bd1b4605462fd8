"""Venues to test against: each speaks a real wire format over a socket and keeps books of its own."""
