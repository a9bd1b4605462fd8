"""Where option positions stand, and what the market asks for insurance: one row a session and underlying."""
