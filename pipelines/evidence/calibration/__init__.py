"""How often this gate promotes noise, in single nights and in years of them, and which skill it sees."""
