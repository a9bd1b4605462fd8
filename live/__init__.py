"""What we do: the light runner. It loads signed data, never code, and only what the base install holds."""
