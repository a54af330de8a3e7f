#!/usr/bin/env python3
"""High-precision reference model of a leveraged CLMM position (50 significant digits, no dependencies).

It is slow and exact on purpose: use it to generate golden vectors and to check the Rust code, never at run time. All
prices are quote per base; amounts are in whole tokens unless raw units are passed consistently. Boundaries are found by
bisection on the concave margin, not by closed form, so that they check a closed form independently.

  python3 model.py                      prints the worked example (SOL/USDC, P0 = 200, band 190..210, E0 = 100, leverage 3)
  python3 model.py vectors N [DIGITS]   prints N random positions as JSON lines (seeded: the first N lines of any longer
                                        run), results with DIGITS + 1 digits (default 31)
  python3 model.py hard N [DIGITS]      the same with positions chosen to be difficult: boundaries that nearly touch,
                                        narrow bands, prices far outside, no liquidity, extreme magnitudes
"""
from decimal import Decimal as D, getcontext
import json
import random
import sys

getcontext().prec = 50


def sqrt(v):
    return D(v).sqrt()


class Position:
    """Liquidity L over [pa, pb], idle amounts (lx, ly), debts (dx base, dy quote)."""

    def __init__(self, L, pa, pb, dx, dy, lx=0, ly=0):
        self.L, self.pa, self.pb = D(L), D(pa), D(pb)
        self.dx, self.dy, self.lx, self.ly = D(dx), D(dy), D(lx), D(ly)
        self.sa, self.sb = sqrt(pa), sqrt(pb)

    def amounts(self, P):
        q = min(max(sqrt(P), self.sa), self.sb)
        return self.L * (1 / q - 1 / self.sb), self.L * (q - self.sa)

    def assets(self, P):
        x, y = self.amounts(P)
        return (x + self.lx) * D(P) + y + self.ly

    def debt(self, P):
        return self.dx * D(P) + self.dy

    def equity(self, P):
        return self.assets(P) - self.debt(P)

    def delta(self, P):
        """dE/dP: base held (in the pool and idle) minus base owed."""
        return self.amounts(P)[0] + self.lx - self.dx

    def gamma(self, P):
        P = D(P)
        return -self.L / 2 / (P * sqrt(P)) if self.pa < P < self.pb else D(0)

    def leverage(self, P):
        return self.assets(P) / self.equity(P)

    def ltv(self, P):
        return self.debt(P) / self.assets(P)

    def bounds(self, t, reach=9):
        """(lower, upper, solvable): the open price interval in which debt < t * assets; None where there is no bound.

        H(P) = t*assets - debt is concave in P, so the healthy set is one interval. `solvable` is False when it is empty.
        Looks from pa * 10^-reach to pb * 10^reach.
        """
        t = D(t)
        H = lambda P: t * self.assets(P) - self.debt(P)
        # peak of a concave function by golden section over log price
        lo, hi = self.pa * D(10) ** -reach, self.pb * D(10) ** reach
        g = (sqrt(5) - 1) / 2
        a, b = lo.ln(), hi.ln()
        for _ in range(400):
            c, d = b - g * (b - a), a + g * (b - a)
            if H(c.exp()) >= H(d.exp()):
                b = d
            else:
                a = c
        peak = max([((a + b) / 2).exp(), lo, hi, self.pa, self.pb], key=H)
        if H(peak) <= 0:
            return None, None, False

        def root(bad, good):
            if H(bad) > 0:
                return None
            for _ in range(220):
                m = sqrt(bad * good)
                if H(m) > 0:
                    good = m
                else:
                    bad = m
            return good

        return root(lo, peak), root(hi, peak), True


def liquidity_for_value(V, P, pa, pb):
    P, sa, sb, s = D(P), sqrt(pa), sqrt(pb), sqrt(P)
    q = min(max(s, sa), sb)
    return D(V) / ((1 / q - 1 / sb) * P + (q - sa))


def delta_neutral(E0, leverage, P, pa, pb, hedge=1):
    """Size a position of value leverage*E0 at P; borrow hedge*x base and the rest of the debt in quote."""
    V = D(leverage) * D(E0)
    L = liquidity_for_value(V, P, pa, pb)
    p = Position(L, pa, pb, 0, 0)
    x, y = p.amounts(P)
    dx = D(hedge) * x
    dy = (D(leverage) - 1) * D(E0) - dx * D(P)
    return Position(L, pa, pb, dx, dy), x, y


def example():
    p, x, y = delta_neutral(100, 3, 200, 190, 210)
    f = lambda v: f"{v:.12f}" if v is not None else "none"
    print("L", f(p.L), "x", f(x), "y", f(y), "D_base", f(p.dx), "D_quote", f(p.dy))
    for P in (190, 200, 210, 250):
        print("P", P, "assets", f(p.assets(P)), "debt", f(p.debt(P)), "equity", f(p.equity(P)),
              "delta", f(p.delta(P)), "gamma", f(p.gamma(P)), "leverage", f(p.leverage(P)))
    lo, hi, _ = p.bounds("0.8")
    print("liquidation at theta=0.8: lower", f(lo), "upper", f(hi))


def printed(v, digits=30):
    return None if v is None else f"{v:.{digits}E}"


def vector(p, P, t, digits, reach=9):
    lo, hi, ok = p.bounds(t, reach)
    s, r = printed, lambda v: printed(v, digits)
    print(json.dumps(dict(P=s(P), pa=s(p.pa), pb=s(p.pb), L=s(p.L), lx=s(p.lx), ly=s(p.ly), dx=s(p.dx), dy=s(p.dy), t=str(t),
                          assets=r(p.assets(P)), debt=r(p.debt(P)), equity=r(p.equity(P)), delta=r(p.delta(P)),
                          gamma=r(p.gamma(P)), lower=r(lo), upper=r(hi), solvable=ok)), flush=True)


def vectors(n, digits=30):
    r = random.Random(70503)
    for _ in range(n):
        P = D(str(round(10 ** r.uniform(-3, 4), 9)))
        w1, w2 = D(str(round(r.uniform(0.002, 0.6), 6))), D(str(round(r.uniform(0.002, 0.6), 6)))
        mid = P * D(str(round(r.choice([1, 1, r.uniform(0.5, 1.8)]), 6)))
        pa, pb = mid * (1 - w1), mid * (1 + w2)
        V = D(str(round(10 ** r.uniform(1, 7), 6)))
        L = liquidity_for_value(V, P, pa, pb)
        kind = r.random()
        lx = D(0) if kind < .5 else V * D(str(round(r.uniform(0, .4), 6))) / P
        ly = D(0) if kind < .3 or kind > .8 else V * D(str(round(r.uniform(0, .4), 6)))
        ltv = D(str(round(r.uniform(0.05, 0.95), 6)))
        h = D(str(round(r.choice([0, 1, r.random()]), 6)))
        debt = ltv * (V + lx * P + ly)
        p = Position(L, pa, pb, h * debt / P, (1 - h) * debt, lx, ly)
        vector(p, P, D(r.choice(["0.7", "0.8", "0.83", "0.9"])), digits)


def hard(n, digits=30):
    """Positions whose inputs are exact in 31 digits, so that nothing but the arithmetic is compared."""
    r = random.Random(90210)
    exact = lambda v: D(f"{D(v):.30E}")
    spread = lambda a, b: exact(D(10) ** D(str(round(r.uniform(a, b), 12))))
    part = lambda: D(str(round(r.random(), 9)))
    done = 0
    while done < n:
        P = spread(-12, 12)
        mid = P * spread(-1, 1) if r.random() < 0.5 else P
        width = spread(-5, 0)
        pa, pb = exact(mid / (1 + width * part())), exact(mid * (1 + width * spread(-3, 0)))
        V = spread(-6, 15)
        L = exact(liquidity_for_value(V, P, pa, pb))
        t = D(r.choice(["0.5", "0.83", "0.95", "0.999", "1"]))
        idle = r.choice([(0, 0), (1, 0), (0, 1), (1, 1)])
        lx, ly = exact(idle[0] * V * part() / P), exact(idle[1] * V * part())
        ltv = spread(-1, 0.3)
        h = r.choice([D(0), D(1), part(), 1 - spread(-15, -3), spread(-15, -3)])
        debt = ltv * (V + lx * P + ly)
        dx, dy = h * debt / P, (1 - h) * debt
        kind = r.random()
        if kind < 0.3:
            # Scale the debts so that both boundaries nearly touch: b^2 = a c is a quadratic in the factor.
            sa, sb = sqrt(pa), sqrt(pb)
            u, v, b = t * (L / sb - lx), t * (L * sa - ly), t * L
            q2, q1, q0 = dx * dy, dx * v + dy * u, u * v - b * b
            if q2 <= 0 or q1 * q1 - 4 * q2 * q0 < 0:
                continue
            k = (-q1 + (q1 * q1 - 4 * q2 * q0).sqrt()) / (2 * q2)
            a = k * dx + u
            if k <= 0 or a <= 0 or not sa < b / a < sb:
                continue
            k *= 1 + r.choice([1, -1]) * spread(-20, -4)
            dx, dy = k * dx, k * dy
        elif kind < 0.4:
            L = D(0)
        elif kind < 0.5:
            # Base debt next to, or exactly, what the idle base covers (few digits, so that it is exact).
            lx = D(f"{lx:.24E}")
            dx = t * lx * (1 + r.choice([1, -1, 0]) * spread(-15, -3))
        p = Position(L, pa, pb, exact(dx), exact(dy), lx, ly)
        if p.assets(P) == 0:
            continue
        vector(p, P, t, digits, reach=45)
        done += 1


if __name__ == "__main__":
    if len(sys.argv) in (3, 4) and sys.argv[1] in ("vectors", "hard"):
        {"vectors": vectors, "hard": hard}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) == 4 else 30)
    elif len(sys.argv) == 1:
        example()
    else:
        sys.exit(__doc__)
