"""The peer of bench/kernels/parquet_bench.c: PyArrow writing the very rows that leat wrote.

    build/release/parquet_bench DIR; python bench/peers/parquet_pyarrow.py DIR

One line per file: CPU ns a row and bytes a row of PyArrow (snappy, one thread, its defaults), and leat's bytes a row.
"""
import os
import sys
import tempfile
import time

import pyarrow.parquet as pq

ROUNDS = 4


def main():
    folder = sys.argv[1]
    for name in ("bronze", "silver"):
        path = os.path.join(folder, f"{name}.parquet")
        table = pq.read_table(path).combine_chunks()
        best = float("inf")
        with tempfile.NamedTemporaryFile(suffix=".parquet") as out:
            for _ in range(ROUNDS):
                start = time.thread_time()
                pq.write_table(table, out.name, compression="snappy", row_group_size=1 << 20)
                best = min(best, time.thread_time() - start)
            size = os.path.getsize(out.name)
        rows = table.num_rows
        print(f"{name:8} pyarrow {best / rows * 1e9:7.1f} ns/row {size / rows:8.1f} bytes/row   "
              f"leat {os.path.getsize(path) / rows:8.1f} bytes/row")


if __name__ == "__main__":
    main()
