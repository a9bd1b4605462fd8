"""Who moves with whom, and who leads: edges redrawn each week from the sessions before, and what they say of names."""
