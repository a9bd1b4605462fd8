"""What drives the peers, each script in the environment of its own peer: standard library, NumPy, and the peer."""
