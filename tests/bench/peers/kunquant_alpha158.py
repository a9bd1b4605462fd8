"""KunQuant's Alpha158: SIMD code that it generates and a C++ compiler builds. argv: PARQUET THREADS RUNS."""

import json
import sys
import time
from importlib.metadata import version

import numpy as np

from tests.bench.measure import peak_mb, timed

FIELDS = ("open", "high", "low", "close", "volume", "amount")


def main(path: str, threads: int, runs: int) -> None:
    import pyarrow.parquet as pq
    from KunQuant.Driver import KunCompilerConfig
    from KunQuant.jit import cfake
    from KunQuant.Op import Builder, Input, Output
    from KunQuant.predefined.Alpha158 import AllData
    from KunQuant.runner import KunRunner
    from KunQuant.Stage import Function

    begun = time.perf_counter()
    builder = Builder()
    with builder:
        data = AllData(**{name: Input(name) for name in FIELDS})
        prices = [("OPEN", data.open), ("HIGH", data.high), ("LOW", data.low), ("VWAP", data.vwap)]
        made, names = data.build({"kbar": {}, "price": {"windows": [0], "feature": prices}, "rolling": {}})
        for one, name in zip(made, names, strict=True):
            Output(one, name)
    config = KunCompilerConfig(input_layout="TS", output_layout="TS", dtype="float")
    library = cfake.compileit([("alpha158", Function(builder.ops), config)], "alpha158", cfake.CppCompilerConfig())
    module = library.getModule("alpha158")
    compile_s = time.perf_counter() - begun
    executor = KunRunner.createMultiThreadExecutor(threads) if threads > 1 else KunRunner.createSingleThreadExecutor()

    def go() -> None:
        table = pq.read_table(path, columns=["open", "high", "low", "close", "volume", "vwap"])
        sessions = table.num_rows // int(pq.read_schema(path).metadata[b"names"])
        fields = {name: table[name].to_numpy().astype(np.float32).reshape(-1, sessions).T
                  for name in table.column_names}
        fields["amount"] = fields.pop("vwap") * fields["volume"]
        held = {name: np.ascontiguousarray(values) for name, values in fields.items()}
        KunRunner.runGraph(executor, module, held, 0, sessions)

    took = timed(go, runs=runs)
    print(json.dumps({"version": f"kunquant {version('kunquant')}", "median_s": took.median_s,
                      "cold_s": took.cold_s + compile_s, "runs": took.runs, "peak_mb": peak_mb(),
                      "cpu": took.cpu_words}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
