"""What the work costs, beside what others take for the same work: `make bench`.

**A workload is a module of this folder with a function `rows() -> list[Row]`.** Nothing else is registered anywhere:

    from tests.bench.measure import Row, timed

    def rows() -> list[Row]:
        took = timed(lambda: do_the_work(), runs=5)          # the first call is told apart: cold_s
        return [Row("my_room/what 500x2520", ours_s=took.median_s, cold_s=took.cold_s, samples=took.runs,
                    peak_mb=peak_mb(), note="what is inside the figure, and what is not")]

`python -m tests.bench [--only NAME ...] [--resume] [--home DIR]` runs each module in a process of its own, prints a
table, and after each of them writes `bench.json` in the home whole: one object for each workload, statistic and peer,
{workload, ours_s, cold_s, peer, peer_s, floor_s, peak_mb, samples, note}, null where nothing was measured. A statistic
other than the median belongs in the workload's name (`tail/equity p99`). The load of the machine before and after, and
what others used of it meanwhile, is added to every note: only ratios of one run are worth anything on a shared machine.

A peer is another's program that does the same work, in an environment of its own: `peer("qlib", "peers.qlib_alpha158")`
runs a script of `tests/bench/peers/` under `$NIGHTDESK_PEERS/qlib/bin/python` and gives back the JSON object that it
prints last, or None where that environment is not installed. Such a script imports no more of ours than `measure`. A
floor is plain hand-written code for the same work, run here. Generated inputs are kept in `inputs()`, so that ours and
the peer read the same file.
"""
