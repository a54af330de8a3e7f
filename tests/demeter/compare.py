#!/usr/bin/env python3
"""Compares `ballast backtest` on pool minutes with demeter, another back-tester of Uniswap v3 positions.

    python3 -m venv venv && venv/bin/pip install zelos-demeter==1.3.0
    cargo build -p ballast-cli
    venv/bin/python tests/demeter/compare.py --ballast target/debug/ballast --fee-ppm 500 FILE...

For each file, packed or not, and each range around the median of its closing ticks: the fees of both tokens, demeter's as a difference
from ballast's estimate, and whether they lie in the interval that the file implies. demeter differs for two reasons: it divides a whole
minute's fees by the liquidity at the minute's end, and it looks at closes only, so that a minute which begins and ends outside of the
range has paid nothing, one which begins and ends inside has paid all, and one across an end the part of the way between its closes. `--write FILE` puts the table between the lines of a document
that say so.
"""

import argparse
import csv
import gzip
import json
import re
import statistics
import subprocess
import time
from decimal import Decimal
from importlib.metadata import version

from demeter import TokenInfo
from demeter.uniswap import UniV3Pool, UniV3PoolStatus
from demeter.uniswap._typing import Position, PositionInfo
from demeter.uniswap.core import V3CoreLib

LIQUIDITY = 10**15
BEGIN = "<!-- demeter: written by tests/demeter/compare.py from here -->\n"
END = "<!-- to here -->\n"


def rows(path):
    """All lines of a file as dictionaries."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with (gzip.open if packed else open)(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def by_demeter(minutes, fee_ppm, lower, upper):
    token0, token1 = TokenInfo("token0", 0), TokenInfo("token1", 0)
    pool = UniV3Pool(token0, token1, fee_ppm / 10_000, token0)
    info = PositionInfo(lower, upper)
    position = Position(*[Decimal(0)] * 2, LIQUIDITY, *[Decimal(0)] * 3)
    last = None
    for row in minutes:
        tick = int(float(row["closeTick"]))
        state = UniV3PoolStatus(
            closeTick=tick,
            currentLiquidity=Decimal(row["currentLiquidity"]),
            inAmount0=Decimal(row["inAmount0"]),
            inAmount1=Decimal(row["inAmount1"]),
            price=Decimal(0),
        )
        V3CoreLib.update_fee(tick if last is None else last, pool, info, position, state)
        last = tick
    return position.pending_amount0, position.pending_amount1


def by_ballast(ballast, path, fee_ppm, lower, upper):
    command = [ballast, "backtest", "--json", "--pool-minutes", path, "--liquidity", str(LIQUIDITY)]
    command += ["--fee-ppm", str(fee_ppm), "--lower-tick", str(lower), "--upper-tick", str(upper)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def name(path):
    """A file's day, or its name."""
    day = re.search(r"\d{4}-\d{2}-\d{2}", path.rsplit("/", 1)[-1])
    return day.group() if day else path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ballast", default="target/debug/ballast")
    parser.add_argument("--fee-ppm", type=int, required=True)
    parser.add_argument("--half-widths", default="2000,40,10", help="ticks from the median close to either end of the range")
    parser.add_argument("--write", metavar="FILE", help="a document that has the two lines between which the table goes")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    table = [
        f"`zelos-demeter` {version('zelos-demeter')}, fee {args.fee_ppm / 10_000:g} %:",
        "",
        "| day | range: ticks to either side | token | interval around the estimate | demeter less the estimate | in the interval |",
        "|---|---|---|---|---|---|",
    ]
    for path in args.files:
        minutes = rows(path)
        middle = int(statistics.median_low(int(float(row["closeTick"])) for row in minutes))
        for half in (int(half) for half in args.half_widths.split(",")):
            ends = (middle - half, middle + half)
            start = time.perf_counter()
            report = by_ballast(args.ballast, path, args.fee_ppm, *ends)
            between = time.perf_counter()
            fees = by_demeter(minutes, args.fee_ppm, *ends)
            end = time.perf_counter()
            print(f"{name(path)} {ends}: ballast {(between - start) * 1e3:.0f} ms, demeter {(end - between) * 1e3:.0f} ms")
            for token, theirs in zip(("token0", "token1"), fees):
                ours, low, high = (int(report[key][token]) for key in ("fees", "fees_low", "fees_high"))
                off = [f"{float(value) / ours - 1:+.2%}" if ours else "-" for value in (low, high, theirs)]
                inside = "yes" if low <= theirs <= high else "no"
                table.append(f"| {name(path)} | {half} | {token} | {off[0]} to {off[1]} | {off[2]} | {inside} |")
    print("\n".join(table))
    if args.write:
        with open(args.write) as file:
            before, rest = file.read().split(BEGIN)
        after = rest.split(END, 1)[1]
        with open(args.write, "w") as file:
            file.write(before + BEGIN + "\n" + "\n".join(table) + "\n\n" + END + after)


if __name__ == "__main__":
    main()
