//! What holds of losses that are shown, of settlements and of head starts, as the model reckons it.

use ballast_client::{
    BallastEvent, Market, Position, Pubkey, SqrtPrice,
    ballast::events::{LeftToFirstKeepers, LossShown, Settled},
};
use ballast_model::{value_down, value_up};

use super::{
    Played, SIDES,
    health::ROUNDING,
    picture::{Held, Picture},
};

/// What an event says of the position that it is of.
pub(super) fn check_net(
    before: &Picture,
    after: &Picture,
    [was, is]: [&Held; 2],
    event: &BallastEvent,
    played: &Played,
) {
    let turn = |keeper: &Pubkey| check_turn(&was.position.position, keeper, after.market.now_secs);
    match event {
        BallastEvent::LossShown(event) => check_shown(after, is, event),
        BallastEvent::Settled(event) => check_settled(before, after, [was, is], event, played),
        BallastEvent::LeftToFirstKeepers(event) => check_left(after, [was, is], event),
        BallastEvent::Rehedged(event) => turn(&event.keeper),
        BallastEvent::Recentered(event) => turn(&event.keeper),
        BallastEvent::Compounded(event) => turn(&event.keeper),
        _ => {}
    }
}

fn goes_first(stored: &Position, keeper: &Pubkey) -> bool {
    *keeper == stored.owner || stored.first_keepers.contains(keeper)
}

/// Where the owner has named keepers, others have waited.
fn check_turn(stored: &Position, keeper: &Pubkey, now_secs: i64) {
    let head_start_secs = i64::from(stored.head_start_secs);
    if head_start_secs > 0 && !goes_first(stored, keeper) {
        let waited_secs = now_secs - stored.due_since_secs;
        assert!(
            stored.due_need > 0 && waited_secs >= head_start_secs,
            "a keeper waited {waited_secs} s, others go first for {head_start_secs} s"
        );
    }
}

/// Who leaves something to others does nothing else.
fn check_left(after: &Picture, [was, is]: [&Held; 2], event: &LeftToFirstKeepers) {
    let (was, mut is) = (was.position.position, is.position.position);
    assert!(was.head_start_secs > 0 && !goes_first(&was, &event.keeper));
    assert_eq!(
        event.others_from_secs,
        after.market.now_secs + i64::from(was.head_start_secs)
    );
    assert_eq!(is.due_since_secs, after.market.now_secs);
    (is.due_need, is.due_since_secs) = (was.due_need, was.due_since_secs);
    assert_eq!(
        bytemuck::bytes_of(&was),
        bytemuck::bytes_of(&is),
        "more than a note was left"
    );
}

/// What is shown is what the collateral does not cover, in proportion to both debts.
fn check_shown(after: &Picture, is: &Held, event: &LossShown) {
    let at = after.market.oracle_sqrt_price().unwrap();
    let model = after.model(&is.position, after.market.now_secs);
    let value = model.value(at).unwrap();
    let missing = (-value.equity()).max(0);
    let shown = value_up(event.loss_base, at).unwrap() + u128::from(event.loss_quote);
    let shown = i128::try_from(shown).unwrap();
    assert!(
        (missing - ROUNDING..=missing + ROUNDING).contains(&shown),
        "a loss of {shown} is shown, {missing} are missing"
    );
    let lost = [event.loss_base, event.loss_quote];
    assert_eq!(
        SIDES.map(|side| is.position.position.shown_loss(side)),
        lost
    );
    // The same part of both, but for a unit.
    let [base, quote] = lost.map(u128::from);
    let [owed_base, owed_quote] = [model.debt.base, model.debt.quote].map(u128::from);
    let difference = (base * owed_quote).abs_diff(quote * owed_base);
    assert!(
        difference <= owed_base + owed_quote,
        "{base} of {owed_base} and {quote} of {owed_quote} are shown"
    );
}

/// After a week without a price a position loses no more than the bonus on what was brought.
fn check_settled(
    before: &Picture,
    after: &Picture,
    [was, is]: [&Held; 2],
    event: &Settled,
    played: &Played,
) {
    let (snapshot, now_secs) = (&before.market, after.market.now_secs);
    let market = &snapshot.market;
    let heard = [
        (&snapshot.base_price, market.last_base_publish_secs),
        (&snapshot.quote_price, market.last_quote_publish_secs),
    ]
    .map(|(price, shown_secs)| price.publish_time.max(shown_secs));
    let silent_secs = heard.map(|heard_secs| now_secs - heard_secs);
    assert!(
        silent_secs
            .iter()
            .any(|secs| *secs >= Market::SETTLEMENT_SECS),
        "settled after {silent_secs:?} without a price"
    );
    let at = SqrtPrice::new(event.sqrt_price_x64).unwrap();
    let newest = market.newest_sqrt_price_x64.get();
    assert!(newest == 0 || at.x64() == newest, "settled at {at}");
    let worth_up = |base, quote| value_up(base, at).unwrap() + u128::from(quote);
    let worth_down = |base, quote| value_down(base, at).unwrap() + u128::from(quote);
    let signed = |value: u128| i128::try_from(value).unwrap();

    let least_bps = i64::from(market.limits.liquidation_bonus_bps);
    let longest_secs = silent_secs.into_iter().max().unwrap();
    let begun = was.position.position;
    let since_secs = now_secs - begun.due_since_secs;
    let goes_on = begun.due_need == u32::MAX && begun.liquidity.get() == 0;
    let waited_secs = match since_secs <= longest_secs && goes_on {
        true => since_secs,
        false => 0,
    };
    // For a day only the owner brings anything, where nothing is lost.
    let open_secs = waited_secs.min(longest_secs - Market::SETTLEMENT_SECS) - 86_400;
    let nothing = event.brought_base == 0 && event.brought_quote == 0;
    let booked = played
        .events
        .iter()
        .any(|event| matches!(event, BallastEvent::BadDebtBooked(_)));
    assert!(
        nothing || open_secs >= 0 || (event.by == begun.owner && !booked),
        "somebody has settled after {waited_secs} s, which is the owner's time"
    );
    // The liquidation bonus, and 5 % for each day since then, until it doubles each month; 30 days later at the expense of lenders too.
    let grown = |secs: i64| match least_bps + secs.max(0) * 500 / 86_400 {
        bonus_bps if bonus_bps < 90_000 => bonus_bps,
        _ => {
            let doubles_secs = secs - (90_000 - least_bps) * 86_400 / 500;
            let times = u32::try_from(doubles_secs / (30 * 86_400)).unwrap();
            90_000 * 2_i64.pow(times.min(15))
        }
    };
    assert_eq!(i64::from(event.bonus_bps), grown(open_secs));
    let of_lenders = grown(open_secs - 30 * 86_400);
    assert_eq!(i64::from(event.lenders_bonus_bps), of_lenders);
    let bonus_bps = u128::from(event.bonus_bps);
    let rounding = ROUNDING * (2 + i128::from(event.bonus_bps) / 10_000);
    let brought = worth_up(event.brought_base, event.brought_quote);
    let bonus = signed((brought * bonus_bps).div_ceil(10_000));
    let received = worth_down(event.received_base, event.received_quote);
    assert!(
        signed(received) <= signed(brought) + bonus,
        "{received} for {brought}"
    );
    let value = |picture: &Picture, held: &Held| {
        let model = picture.model(&held.position, now_secs);
        model.value(at).unwrap()
    };
    let fees = signed(worth_down(event.fees_base, event.fees_quote));
    let had = value(before, was).equity() + fees;
    let has = value(after, is).equity();
    assert!(
        had - has <= bonus + rounding,
        "a settlement took {} of {had}, the bonus is {bonus}",
        had - has
    );
    let stored = &is.position.position;
    let owed = value(before, was).debt;
    let spared = signed((owed * u128::from(event.lenders_bonus_bps)).div_ceil(10_000));
    assert!(
        had < spared || has >= -rounding,
        "a settlement left {has} of {had}, lenders bear {spared} at most"
    );
    assert_eq!(stored.liquidity.get(), 0, "liquidity after a settlement");
    assert!(
        !event.complete || stored.is_debt_free(),
        "debt after a settlement"
    );
    if booked {
        assert!(event.complete, "written off before all was paid");
        let left = worth_down(stored.idle_base, stored.idle_quote);
        assert!(
            signed(left) <= rounding,
            "{left} are left to the owner of a position that was written off"
        );
    }
}
