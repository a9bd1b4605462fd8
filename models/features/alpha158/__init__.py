"""Qlib's Alpha158: bar shapes, price levels, and 29 statistics over each of 5, 10, 20, 30 and 60 sessions.

`columns.py` computes them, `windows.py` says how a window is grown from shorter ones, `declared.py` names them.
"""
