"""What we believe: pure functions of their arguments. No clock, no network, no environment, no chance unseeded."""
