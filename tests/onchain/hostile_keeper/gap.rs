//! What no allowance bounds.

use super::{
    Act, Cast, PROPOSED, Play,
    path::{AGES_SECS, Moment},
};

/// After a gap to the market's trigger, with a hedge from before it, a deleverage trades much and may lose the
/// market's cap of that. Once: then LTV has to rise from the market's target again.
#[tokio::test]
async fn after_a_gap_a_hostile_deleverage_costs_the_markets_cap_of_what_is_traded_once() {
    let mut play = Play::new(Cast::Hostile, PROPOSED).await;
    let moment = Moment {
        prices: [250.0; AGES_SECS.len()],
        pool: 250.0,
    };
    play.step(&moment).await;
    let (before, at) = play.scene.model(&play.position).await;
    play.attack(&moment).await;
    let harm = play.outcome.by_hostile[&Act::Deleverage].harm;
    let equity = before.value(at).unwrap().equity();
    let traded = ballast_model::value_up(before.debt.base, at).unwrap();
    let part = harm as f64 / equity as f64;
    println!("{harm} of {equity}: {part:.4}, {traded} traded");
    assert!(
        harm > 0 && harm.unsigned_abs() * 100 <= traded,
        "{harm} of {traded}"
    );
    // More than a hostile keeper takes in three days without a gap.
    assert!((0.02..0.03).contains(&part), "{part}");
    play.attack(&moment).await;
    assert_eq!(play.outcome.by_hostile[&Act::Deleverage].count, 1);
}
