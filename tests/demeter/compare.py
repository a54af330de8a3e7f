#!/usr/bin/env python3
"""Compares `ballast backtest` on pool minutes with demeter, another back-tester of Uniswap v3 positions.

    python3 -m venv venv && venv/bin/pip install zelos-demeter==1.3.0
    cargo build -p ballast-cli
    venv/bin/python tests/demeter/compare.py --ballast target/debug/ballast --fee-ppm 500 --lower-tick A --upper-tick B FILE...

For each file: the fees of both tokens, demeter's as a difference from ballast's estimate, and whether they lie in the interval that
the file implies. demeter differs for two reasons: it divides a whole minute's fees by the liquidity at the minute's end, and it
looks at closes only, so that a minute which begins and ends outside of the range has paid nothing, and one which begins and ends
inside has paid all.
"""

import argparse
import csv
import json
import subprocess
import time
from decimal import Decimal

from demeter import TokenInfo
from demeter.uniswap import UniV3Pool, UniV3PoolStatus
from demeter.uniswap._typing import Position, PositionInfo
from demeter.uniswap.core import V3CoreLib

LIQUIDITY = 10**15


def by_demeter(path, args):
    token0, token1 = TokenInfo("token0", 0), TokenInfo("token1", 0)
    pool = UniV3Pool(token0, token1, args.fee_ppm / 10_000, token0)
    info = PositionInfo(args.lower_tick, args.upper_tick)
    position = Position(*[Decimal(0)] * 2, LIQUIDITY, *[Decimal(0)] * 3)
    last = None
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
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


def by_ballast(path, args):
    command = [args.ballast, "backtest", "--json", "--pool-minutes", path, "--liquidity", str(LIQUIDITY)]
    for option in ("fee_ppm", "lower_tick", "upper_tick"):
        command += ["--" + option.replace("_", "-"), str(getattr(args, option))]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ballast", default="target/debug/ballast")
    parser.add_argument("--fee-ppm", type=int, required=True)
    parser.add_argument("--lower-tick", type=int, required=True)
    parser.add_argument("--upper-tick", type=int, required=True)
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    for path in args.files:
        start = time.perf_counter()
        report = by_ballast(path, args)
        between = time.perf_counter()
        fees = by_demeter(path, args)
        end = time.perf_counter()
        print(f"{path}: ballast {(between - start) * 1e3:.0f} ms, demeter {(end - between) * 1e3:.0f} ms")
        for token, theirs in zip(("token0", "token1"), fees):
            ours, low, high = (int(report[key][token]) for key in ("fees", "fees_low", "fees_high"))
            off = f"{float(theirs) / ours - 1:+.2%}" if ours else "-"
            inside = "inside" if low <= theirs <= high else "outside"
            print(f"  {token}: {ours} [{low}, {high}], demeter {int(theirs)} ({off}, {inside})")


if __name__ == "__main__":
    main()
