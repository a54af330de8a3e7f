"""The stand-in, used by hyperliquid-python-sdk, which nobody here wrote. Arguments: address, account's key, agent's key, other's key.

A line `ADVANCE seconds` on standard output asks for time to pass; the answer is a line on standard input.
"""

import os
import sys
import time
import traceback

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from hyperliquid.utils.types import Cloid

url, owner_key, agent_key, other_key = sys.argv[1:5]
owner = eth_account.Account.from_key(owner_key)
agent = eth_account.Account.from_key(agent_key)
other = eth_account.Account.from_key(other_key)
GTC, IOC, ALO = ({"limit": {"tif": tif}} for tif in ("Gtc", "Ioc", "Alo"))


def fail(kind, error, trace):
    """The websocket's threads would keep a failed script alive."""
    traceback.print_exception(kind, error, trace)
    os._exit(1)


sys.excepthook = fail


def status(answer):
    assert answer["status"] == "ok", answer
    return answer["response"]["data"]["statuses"][0]


def advance(seconds):
    print(f"ADVANCE {seconds}", flush=True)
    sys.stdin.readline()


info = Info(url, skip_ws=False)
heard = {"userFills": [], "orderUpdates": [], "l2Book": [], "allMids": []}
info.subscribe({"type": "userFills", "user": owner.address}, heard["userFills"].append)
info.subscribe({"type": "orderUpdates", "user": owner.address}, heard["orderUpdates"].append)
info.subscribe({"type": "l2Book", "coin": "SOL"}, heard["l2Book"].append)
info.subscribe({"type": "allMids"}, heard["allMids"].append)

# The market.
mid = float(info.all_mids()["SOL"])
book = info.l2_snapshot("SOL")
bid, ask = (float(side[0]["px"]) for side in book["levels"])
assert bid < mid < ask and len(book["levels"][0]) == 10, book
assert info.meta()["universe"][info.name_to_asset("SOL")]["szDecimals"] == 2
context = info.meta_and_asset_ctxs()[1][info.name_to_asset("SOL")]
assert float(context["oraclePx"]) == 190, context

# Neither a stranger nor an agent that was not approved may trade.
stranger = Exchange(agent, url, account_address=owner.address)
refused = stranger.order("SOL", False, 1, ask, GTC)
assert refused["status"] == "err" and "does not exist" in refused["response"], refused
exchange = Exchange(owner, url)
approved, made_key = exchange.approve_agent("hedge")
assert approved["status"] == "ok", approved
exchange = Exchange(eth_account.Account.from_key(made_key), url, account_address=owner.address)
assert exchange.update_leverage(10, "SOL")["status"] == "ok"

# An order that rests is found by both numbers, moved, and cancelled by our own.
cloid = Cloid.from_str("0x1bc2de6ccaadaa8ce145da77ced9a7fb")
resting = status(exchange.order("SOL", True, 2, 180.5, ALO, cloid=cloid))["resting"]
for found in (info.query_order_by_cloid(owner.address, cloid), info.query_order_by_oid(owner.address, resting["oid"])):
    assert found["order"]["status"] == "open" and found["order"]["order"]["limitPx"] == "180.5", found
moved = status(exchange.modify_order(cloid, "SOL", True, 3, 181, ALO, cloid=cloid))["resting"]
assert moved["oid"] != resting["oid"]
assert [order["sz"] for order in info.open_orders(owner.address)] == ["3.0"]
assert info.frontend_open_orders(owner.address)[0]["cloid"] == cloid.to_raw()
assert status(exchange.cancel_by_cloid("SOL", cloid)) == "success"
assert "error" in status(exchange.cancel_by_cloid("SOL", cloid))
assert info.query_order_by_cloid(owner.address, cloid)["order"]["status"] == "canceled"
assert info.query_order_by_cloid(owner.address, Cloid.from_int(77)) == {"status": "unknownOid"}
assert info.open_orders(owner.address) == []
by_oid = status(exchange.order("SOL", True, 2, 180.5, GTC))["resting"]["oid"]
assert status(exchange.cancel("SOL", by_oid)) == "success"

# What the venue refuses.
for wrong, word in [
    (exchange.order("SOL", True, 0.01, 180, GTC), "minimum value"),
    (exchange.order("SOL", True, 1, 180.005, GTC), "tick size"),
    (exchange.order("SOL", True, 1.001, 180, GTC), "invalid size"),
    (exchange.order("SOL", True, 1, ask, ALO), "immediately matched"),
    (exchange.order("SOL", True, 1, 150, IOC), "could not immediately match"),
    (exchange.order("SOL", True, 1, ask, IOC, reduce_only=True), "Reduce only"),
    (exchange.order("SOL", True, 10000, 190, GTC), "Insufficient margin"),
]:
    assert word in status(wrong)["error"], wrong
exchange.set_expires_after(1)
expired = exchange.order("SOL", True, 1, 180, GTC)
assert expired["status"] == "err" and "expire" in expired["response"].lower(), expired
exchange.set_expires_after(int(time.time() * 1000) + 60_000)

# A market order takes two levels; the position, the fill and the fee say so.
opened = status(exchange.market_open("SOL", False, 15, cloid=Cloid.from_int(5)))["filled"]
assert float(opened["totalSz"]) == 15
fills = info.user_fills(owner.address)
assert sum(float(fill["sz"]) for fill in fills) == 15 and len(fills) == 2
worth = sum(float(fill["sz"]) * float(fill["px"]) for fill in fills)
assert abs(worth / 15 - float(opened["avgPx"])) < 1e-6
assert abs(sum(float(fill["fee"]) for fill in fills) - 0.00045 * worth) < 1e-5
assert all(fill["side"] == "A" and fill["dir"] == "Open Short" and fill["crossed"] for fill in fills)
state = info.user_state(owner.address)
position = state["assetPositions"][0]["position"]
assert position["szi"] == "-15.0" and position["leverage"]["value"] == 10
assert abs(float(position["entryPx"]) - worth / 15) < 1e-6 and float(position["liquidationPx"]) > ask

# A resting order of ours is filled by another's.
maker = status(exchange.order("SOL", True, 1, 189.99, ALO))["resting"]["oid"]
taker = status(Exchange(other, url).order("SOL", False, 1, 189.9, IOC))["filled"]
assert float(taker["avgPx"]) == 189.99
assert info.query_order_by_oid(owner.address, maker)["order"]["status"] == "filled"
fill = info.user_fills(owner.address)[0]
assert fill["oid"] == maker and not fill["crossed"] and fill["dir"] == "Close Short" and float(fill["closedPnl"]) != 0

# Funding is paid by the hour, and shorts earn it.
start = int(time.time() * 1000) - 1000
advance(2 * 3600)
exchange.set_expires_after(None)
funding = info.user_funding_history(owner.address, start)
assert len(funding) == 2, funding
assert all(abs(float(entry["delta"]["usdc"]) - 14 * 190 * 0.0000125) < 1e-6 for entry in funding), funding
assert len(info.funding_history("SOL", start)) == 2
assert abs(float(info.user_state(owner.address)["marginSummary"]["accountValue"]) - 10000) < 10

# Closing ends where it began.
assert float(status(exchange.market_close("SOL"))["filled"]["totalSz"]) == 14
assert info.user_state(owner.address)["assetPositions"] == []
by_time = info.user_fills_by_time(owner.address, 0)
assert [fill["tid"] for fill in by_time] == [fill["tid"] for fill in reversed(info.user_fills(owner.address))]

# The stream said all of it.
deadline = time.time() + 10
while time.time() < deadline:
    streamed = {fill["tid"] for message in heard["userFills"] for fill in message["data"]["fills"]}
    if streamed == {fill["tid"] for fill in by_time}:
        break
    time.sleep(0.05)
assert streamed == {fill["tid"] for fill in by_time}, (streamed, by_time)
updates = [update["status"] for message in heard["orderUpdates"] for update in message["data"]]
assert {"open", "canceled", "filled", "iocCancelRejected"} <= set(updates), updates
assert heard["l2Book"] and heard["allMids"]
info.disconnect_websocket()
print("DONE", flush=True)
