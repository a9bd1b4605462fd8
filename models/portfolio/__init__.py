"""From what assets or strategies are expected to earn and how they move together to how much of each to hold."""
