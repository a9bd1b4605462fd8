"""Tests by room."""

# An environment that names a home nobody made: what lies in the folder that tests start in is not theirs to read.
OWN = {"NIGHTDESK_HOME": "no-home"}
