//! The worked example and what else is known in numbers.

mod common;

use ballast_model::{Bps, screen::Real};
use ballast_quote::{GapEnd, Quote, QuoteError, Side, TriggerKind};
use common::{close, example, inputs, quote};

/// The price of a trigger.
fn trigger(quote: &Quote, kind: TriggerKind, side: Side) -> Option<f64> {
    let mut found = quote
        .triggers
        .iter()
        .filter(|trigger| trigger.kind == kind && trigger.side == side);
    let price = found.next().map(|trigger| trigger.price);
    assert_eq!(found.next(), None);
    price
}

#[test]
fn sizes_and_boundaries_of_the_worked_example() {
    let quote = quote(&example());
    let position = quote.sizing.position();
    for (actual, expected) in [
        (position.liquidity.to_f64(), 429.239012648545),
        (quote.sizing.base.to_f64(), 0.731475723873),
        (quote.sizing.quote.to_f64(), 153.704855225473),
        (position.debt_base.to_f64(), 0.731475723873),
        (position.debt_quote.to_f64(), 53.704855225473),
        (
            trigger(&quote, TriggerKind::Liquidation, Side::Lower).unwrap(),
            110.846787443450,
        ),
        (
            trigger(&quote, TriggerKind::Liquidation, Side::Upper).unwrap(),
            258.635186985545,
        ),
        (quote.sizing.risk(190.0).equity, 96.108106142659),
        (quote.sizing.risk(250.0).leverage.unwrap(), 4.528898760789),
    ] {
        close(actual, expected, 1e-12);
    }
    assert_eq!(quote.due, []);
    assert!(quote.curve.is_sorted_by(|a, b| a.P <= b.P));
}

#[test]
fn every_trigger_lies_where_its_condition_turns() {
    let mut inputs = example();
    inputs.rules.edge = Some(Bps::new(1_000));
    inputs.rules.low = Some(common::UNITS.sqrt_price(150f64.ln()));
    inputs.rules.high = Some(common::UNITS.sqrt_price(245f64.ln()));
    inputs.rules.floor = Some(90_000_000);
    let quote = quote(&inputs);
    let at = |kind, side| trigger(&quote, kind, side).unwrap();
    for side in [Side::Lower, Side::Upper] {
        close(
            quote
                .sizing
                .risk(at(TriggerKind::Deleverage, side))
                .ltv
                .unwrap(),
            0.77,
            1e-6,
        );
        close(
            quote.sizing.risk(at(TriggerKind::Floor, side)).equity,
            90.0,
            1e-6,
        );
        // A tenth of all the base that the position can hold.
        let full = 429.239012648545 * (1.0 / 190f64.sqrt() - 1.0 / 210f64.sqrt());
        let delta = quote.sizing.risk(at(TriggerKind::Rehedge, side)).delta;
        close(delta.abs(), full / 10.0, 1e-6);
        assert_eq!(delta > 0.0, side == Side::Lower);
    }
    let (low, high) = (190f64.sqrt(), 210f64.sqrt());
    close(
        at(TriggerKind::Recenter, Side::Lower).sqrt(),
        low + (high - low) / 10.0,
        1e-9,
    );
    close(
        at(TriggerKind::Recenter, Side::Upper).sqrt(),
        high - (high - low) / 10.0,
        1e-9,
    );
    close(at(TriggerKind::Window, Side::Lower), 150.0, 1e-9);
    close(at(TriggerKind::Window, Side::Upper), 245.0, 1e-9);
    assert_eq!(quote.triggers.len(), 12);
    // A trigger that is reached already is due at once.
    inputs.rules.deleverage = Bps::new(6_000);
    assert_eq!(common::quote(&inputs).due, [TriggerKind::Deleverage]);
}

#[test]
fn curvature_and_what_arbitrage_hands_back() {
    // Range 200 (1 + w)^+-1 at sigma 5 % a day: basis points of the value a day.
    for (width, expected) in [
        (0.01, 629.7),
        (0.05, 129.67),
        (0.10, 67.15),
        (0.20, 35.87),
        (0.50, 17.03),
    ] {
        let quote = quote(&inputs(200.0 / (1.0 + width), 200.0 * (1.0 + width), 50));
        let carry = quote.carry.unwrap();
        close(carry.curvature / 300.0 * 1e4, expected, 1e-3);
        // Which is half of gamma times the variance.
        let gamma = quote.sizing.at_open().gamma;
        close(
            carry.curvature,
            -0.5 * gamma * (0.05f64 * 200.0).powi(2),
            1e-12,
        );
    }
    // Solana's blocks: arbitrageurs keep 38.5, 13.5, 5.9, 2.0 % at these fees.
    for (fee_bp, kept) in [(1.0, 0.385), (4.0, 0.135), (10.0, 0.059), (30.0, 0.020)] {
        let mut inputs = example();
        inputs.conditions.fee = Some(fee_bp / 1e4);
        let carry = quote(&inputs).carry.unwrap();
        let handed_back = carry.arbitrage_fees.unwrap() / carry.curvature / (1.0 - 0.13);
        assert!(
            (1.0 - handed_back - kept).abs() < 6e-4,
            "{fee_bp}: {handed_back}"
        );
    }
}

#[test]
fn at_the_break_even_volume_takers_pay_the_rest() {
    let mut inputs = example();
    inputs.conditions.base_apr = 0.10;
    inputs.conditions.quote_apr = 0.05;
    inputs.conditions.depth = Some(common_depth());
    let quote = quote(&inputs);
    let carry = quote.carry.unwrap();
    // 0.7314757 * 200 at 10 % and 53.70 at 5 % a year.
    close(
        carry.interest_base,
        146.295144774527 * (0.10f64 / 365.0).exp_m1(),
        1e-9,
    );
    close(
        carry.interest_quote,
        53.704855225473 * (0.05f64 / 365.0).exp_m1(),
        1e-9,
    );
    let earned = carry.break_even_own_volume.unwrap() * 0.0004 * 0.87;
    close(
        earned + carry.arbitrage_fees.unwrap(),
        carry.curvature + carry.interest_base + carry.interest_quote + carry.rehedging.unwrap(),
        1e-12,
    );
    let pool = carry.break_even_pool_volume.unwrap();
    close(
        pool * carry.share_of_pool.unwrap(),
        carry.break_even_own_volume.unwrap(),
        1e-12,
    );
    close(
        carry.share_of_pool.unwrap(),
        429.239 / (429.239 + 100_000.0),
        1e-5,
    );
    // Without volatility nothing is lost but interest.
    inputs.conditions.sigma_day = Some(0.0);
    let still = common::quote(&inputs).carry.unwrap();
    close(
        still.net.unwrap(),
        -carry.interest_base - carry.interest_quote,
        1e-12,
    );
}

/// 100,000 of liquidity in whole tokens, everywhere.
fn common_depth() -> ballast_quote::Depth {
    let at = common::UNITS.sqrt_price(200f64.ln());
    let liquidity = (1e5 * 10f64.powf(7.5)) as u128;
    format!(
        "sqrt_price_x64,{}\nliquidity,{liquidity}\nfee_rate_ppm,400\ntick,liquidity_net\n-400000,{liquidity}\n400000,-{liquidity}\n",
        at.x64()
    )
    .parse()
    .unwrap()
}

#[test]
fn swaps_cost_fee_and_impact() {
    let mut inputs = inputs(190.0, 210.0, 50);
    inputs.conditions.depth = Some(common_depth());
    let quote = quote(&inputs);
    // Half of the pool's base is bought with own quote: s moves by base s^2 / L.
    let bought = 0.5 * 0.731475723873;
    let opening = quote.opening.unwrap();
    close(opening.base, -bought, 1e-6);
    let swap = opening.swap.unwrap();
    close(swap.fee, bought * 200.0 * 0.0004 / 0.9996, 1e-3);
    close(
        swap.impact.unwrap(),
        bought * bought * 200f64.powf(1.5) / 1e5,
        1e-2,
    );
    close(swap.cost, swap.fee + swap.impact.unwrap(), 1e-12);
    close(opening.cost_of_equity.unwrap(), swap.cost / 100.0, 1e-12);
    for unwinding in quote.unwinding.unwrap() {
        assert!(unwinding.possible);
        close(
            unwinding.base,
            quote.sizing.risk(unwinding.price).delta,
            1e-5,
        );
        let cost = unwinding.swap.unwrap().cost;
        close(unwinding.paid_out.unwrap(), unwinding.equity - cost, 1e-12);
        assert!(cost > 0.0004 * unwinding.base.abs() * unwinding.price * 0.999);
    }
    // Delta-neutral: own and borrowed tokens are just what the pool takes, and nothing is left to swap.
    let neutral = common::quote(&example());
    assert!(neutral.opening.unwrap().swap.is_none());
    let now = neutral
        .unwinding
        .unwrap()
        .into_iter()
        .find(|at| at.label == "price now")
        .unwrap();
    assert_eq!((now.base, now.cost_of_equity), (0.0, Some(0.0)));
    // A pool of which little is known cannot be walked through.
    let mut shallow = inputs.clone();
    let text = common_depth()
        .to_csv()
        .replace("known,-443636,443636", "known,-16100,-16090");
    shallow.conditions.depth = Some(text.parse().unwrap());
    let unwinding = common::quote(&shallow).unwinding.unwrap();
    assert!(
        unwinding
            .iter()
            .any(|at| !at.possible && at.paid_out.is_none())
    );
}

#[test]
fn what_is_not_known_is_not_nothing() {
    // No fee: arbitrage hands back something, but nobody knows how much.
    let mut inputs = example();
    inputs.conditions.fee = None;
    let carry = common::quote(&inputs).carry.unwrap();
    assert_eq!((carry.arbitrage_fees, carry.net), (None, None));
    assert_eq!(carry.break_even_own_volume, None);
    // Depth that ends between the band's edges: a rehedge at the upper one costs what nobody knows, not what it costs at the lower.
    let known = |known: &str| {
        let mut inputs = example();
        let text = common_depth()
            .to_csv()
            .replace("known,-443636,443636", known);
        inputs.conditions.depth = Some(text.parse().unwrap());
        common::quote(&inputs)
    };
    let whole = known("known,-443636,443636");
    assert!(whole.rehedging.unwrap().cost_day.is_some());
    assert!(whole.carry.unwrap().net.is_some());
    let quote = known("known,-20000,-16090");
    let rehedging = quote.rehedging.unwrap();
    assert!(rehedging.lower.is_some() && rehedging.upper.is_none());
    assert_eq!((rehedging.cost, rehedging.cost_day), (None, None));
    assert_eq!(quote.carry.unwrap().net, None);
    // A swap of opening through depth that does not suffice has no cost, not none.
    let mut inputs = self::inputs(190.0, 210.0, 50);
    let thousandth = common_depth().liquidity() / 1_000;
    let text = common_depth()
        .to_csv()
        .replace("known,-443636,443636", "known,-16096,-16094")
        .replace(
            &common_depth().liquidity().to_string(),
            &thousandth.to_string(),
        );
    inputs.conditions.depth = Some(text.parse().unwrap());
    let opening = common::quote(&inputs).opening.unwrap();
    assert!(opening.base != 0.0 && opening.swap.is_none());
    assert_eq!(opening.cost_of_equity, None);
}

#[test]
fn the_share_is_of_the_liquidity_at_the_price_asked_for() {
    let one = (1e5 * 10f64.powf(7.5)) as u128;
    // Below 205 the pool has nine times what it has above, where it stands.
    let from = common::UNITS.sqrt_price(205f64.ln()).tick().get();
    let at = common::UNITS.sqrt_price(220f64.ln());
    let text = format!(
        "sqrt_price_x64,{}\nliquidity,{one}\nfee_rate_ppm,400\ntick,liquidity_net\n-400000,{}\n{from},-{}\n400000,-{one}\n",
        at.x64(),
        9 * one,
        8 * one,
    );
    let mut inputs = example();
    inputs.conditions.depth = Some(text.parse().unwrap());
    let share = common::quote(&inputs).carry.unwrap().share_of_pool.unwrap();
    close(share, 429.239 / (429.239 + 900_000.0), 1e-5);
}

#[test]
fn what_gaps_leave() {
    let quote = quote(&example());
    let gap = |change: f64| *quote.gaps.iter().find(|gap| gap.change == change).unwrap();
    for change in [-0.2, -0.05, 0.05, 0.2] {
        let gap = gap(change);
        let risk = quote.sizing.risk(200.0 * (1.0 + change));
        close(gap.owner, risk.equity, 1e-6);
        assert_eq!((gap.bonus, gap.bad_debt), (0.0, 0.0));
        let due = risk.ltv.unwrap() >= 0.77;
        let expected = if due {
            GapEnd::Deleverage
        } else {
            GapEnd::Healthy
        };
        assert_eq!(gap.end, expected, "{change}");
    }
    // (D - t A) / (1 - t (1 + b)) is repaid, with a bonus of 3 %.
    for change in [-0.5, 0.31] {
        let gap = gap(change);
        let risk = quote.sizing.risk(200.0 * (1.0 + change));
        let repaid = (risk.debt - 0.65 * risk.assets) / (1.0 - 0.65 * 1.03);
        assert_eq!(gap.end, GapEnd::PartlyLiquidated);
        close(gap.bonus, 0.03 * repaid, 1e-5);
        close(gap.owner, risk.equity - 0.03 * repaid, 1e-6);
    }
    // Above the range the assets stay at 303.6: from 329.6 on the bonus does not fit any more, from 341.7 on the debts exceed them.
    let mut inputs = example();
    inputs.conditions.gaps = vec![0.68, 0.8, -1.0, -2.0];
    let far = common::quote(&inputs).gaps;
    assert_eq!(far.len(), 2);
    let risk = common::quote(&inputs).sizing.risk(336.0);
    assert_eq!(far[0].end, GapEnd::Liquidated);
    close(far[0].bonus, risk.equity, 1e-4);
    assert!(far[0].owner < 1e-4);
    let lost = -common::quote(&inputs).sizing.risk(360.0).equity;
    assert_eq!(far[1].end, GapEnd::BadDebt);
    close(far[1].bad_debt, lost, 1e-6);
    assert_eq!(far[1].owner, 0.0);
}

#[test]
fn hedging_at_the_edges_of_the_band() {
    let mut inputs = example();
    // Whatever LTV is there may stay: base is exchanged for quote debt, and leverage stays but for what the swap costs.
    inputs.rules.rehedge_ltv = (Bps::new(0), Bps::new(10_000 - 1));
    let quote = quote(&inputs);
    let rehedging = quote.rehedging.unwrap();
    let full = 429.239012648545 * (1.0 / 190f64.sqrt() - 1.0 / 210f64.sqrt());
    close(rehedging.band_base, full / 10.0, 1e-6);
    for (edge, sign) in [
        (rehedging.lower.unwrap(), 1.0),
        (rehedging.upper.unwrap(), -1.0),
    ] {
        close(edge.swap.base, sign * full / 10.0, 1e-5);
        let risk = quote.sizing.risk(edge.price);
        close(edge.leverage_before.unwrap(), risk.leverage.unwrap(), 1e-5);
        close(
            edge.leverage.unwrap(),
            risk.assets / (risk.equity - edge.swap.cost),
            1e-4,
        );
        assert_eq!(edge.withdrawn, 0.0);
        close(edge.swap.cost, edge.price * full / 10.0 * 0.0004, 1e-3);
    }
    // An owner who wants no more than 65 % comes down on the occasion.
    let careful = common::quote(&example()).rehedging.unwrap();
    for edge in [careful.lower.unwrap(), careful.upper.unwrap()] {
        assert!(edge.withdrawn > 0.02, "{edge:?}");
        assert!(
            edge.ltv.unwrap() < 0.6502 && edge.ltv.unwrap() > 0.64,
            "{edge:?}"
        );
    }
    // L^2 sigma^2 / (4 P d^2).
    let rate = (429.239012648545f64 * 0.05 / (full / 10.0)).powi(2) / 800.0;
    close(rehedging.per_day.unwrap(), rate, 1e-6);
    close(
        rehedging.cost_day.unwrap(),
        rate * rehedging.cost.unwrap(),
        1e-6,
    );
    // Not oftener than is allowed.
    inputs.rules.min_interval_secs = 7_200;
    let seldom = common::quote(&inputs).rehedging.unwrap();
    close(seldom.cost_day.unwrap(), 12.0 * seldom.cost.unwrap(), 1e-9);
    // And with what an action costs beside its swap, in what a day comes to, too.
    inputs.conditions.action_cost = 0.02;
    let dear = common::quote(&inputs);
    let costs = dear.rehedging.unwrap();
    close(costs.cost.unwrap(), seldom.cost.unwrap() + 0.02, 1e-12);
    close(
        costs.cost_day.unwrap(),
        seldom.cost_day.unwrap() + 12.0 * 0.02,
        1e-9,
    );
    let rehedging = dear.carry.unwrap().rehedging;
    assert_eq!(rehedging, costs.cost_day);
}

#[test]
fn a_perpetual_pays_or_costs_funding() {
    let mut inputs = example();
    inputs.conditions.base_apr = 0.10;
    // Shorts pay 0.205 % an hour: 10 October 2025.
    inputs.conditions.funding_hour = Some(-0.00205);
    let cost = quote(&inputs).hedge_cost;
    close(cost.notional, 146.295144774527, 1e-9);
    close(
        cost.perpetual_day.unwrap(),
        146.295144774527 * 24.0 * 0.00205,
        1e-9,
    );
    close(cost.borrowed_day, 146.295144774527 * 0.10 / 365.0, 1e-3);
    inputs.conditions.funding_hour = Some(cost.even_funding_hour);
    let even = quote(&inputs).hedge_cost;
    close(even.perpetual_day.unwrap(), even.borrowed_day, 1e-9);
}

#[test]
fn what_is_not_known_is_not_said() {
    let mut inputs = example();
    inputs.conditions.sigma_day = None;
    inputs.conditions.fee = None;
    let quote = quote(&inputs);
    assert!(quote.carry.is_none() && quote.rehedging.is_none() && quote.unwinding.is_none());
    assert!(quote.chances.is_empty() && !quote.gaps.is_empty());
    inputs.opening = None;
    let bare = common::quote(&inputs);
    assert!(bare.gaps.is_empty() && bare.triggers.len() == 2);
    // Below the range all is base, worth 150 here.
    let mut dear = example();
    dear.asked.lower = ballast_model::screen::Double::new(210.0);
    dear.asked.upper = ballast_model::screen::Double::new(220.0);
    dear.asked.leverage = ballast_model::screen::Double::new(1.5);
    assert!(matches!(
        Quote::new(&dear),
        Err(QuoteError::NotAffordable { hedge_value, debt_allowed: 50.0, .. }) if (hedge_value - 150.0).abs() < 1e-9
    ));
}
