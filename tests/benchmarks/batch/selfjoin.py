"""Joins order lines with themselves and counts the pairs: `selfjoin.py duckdb|polars FILE`, one JSON object."""

import json
import resource
import sys
import time

name, path = sys.argv[1:]
began = time.monotonic()
if name == "duckdb":
    import duckdb

    db = duckdb.connect()
    db.execute("SET preserve_insertion_order = false")
    db.execute(
        """CREATE TEMP TABLE pairs AS SELECT a.item AS a, b.item AS b, count(*) AS n
           FROM read_parquet($1) a JOIN read_parquet($1) b ON a."order" = b."order" AND a.item < b.item
           GROUP BY a.item, b.item""",
        [path],
    )
    seconds = time.monotonic() - began
    pairs, shared, digest = db.execute(
        "SELECT count(*), sum(n), sum((a::BIGINT * 7919 + b::BIGINT * 104729) % 1000003 * n) FROM pairs"
    ).fetchone()
    version = "DuckDB " + duckdb.__version__
else:
    import polars as pl

    lines = pl.scan_parquet(path).select("order", "item")
    pairs = (
        lines.join(lines, on="order")
        .filter(pl.col("item") < pl.col("item_right"))
        .group_by("item", "item_right")
        .agg(pl.len().alias("n"))
        .collect(engine="streaming")
    )
    seconds = time.monotonic() - began
    mixed = (pl.col("item").cast(pl.Int64) * 7919 + pl.col("item_right").cast(pl.Int64) * 104729) % 1000003
    shared, digest = pairs.select(
        pl.col("n").cast(pl.Int64).sum().alias("shared"), (mixed * pl.col("n").cast(pl.Int64)).sum().alias("digest")
    ).row(0)
    pairs = len(pairs)
    version = "Polars " + pl.__version__
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(
    json.dumps(
        {
            "seconds": seconds,
            "pairs": pairs,
            "shared": int(shared),
            "digest": int(digest),
            "peak_kb": peak_kb,
            "version": version,
        }
    )
)
