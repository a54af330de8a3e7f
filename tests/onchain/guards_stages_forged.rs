//! Evidence for a risk stage that somebody puts up, or hides, for a moment.

use ballast_abi::whirlpool::layout;
use ballast_client::{BallastError, Side, Signer, instruction};
use ballast_localnet::{Localnet, PricePost, UsdPrice};

use crate::support::{Scene, accepted, refused};

impl Scene {
    /// Seconds of evidence of the market that have added up.
    async fn evidence_secs(&self) -> i64 {
        self.market().await.stage.market_evidence_secs
    }

    /// Time passes with good prices, and an honest keeper looks.
    async fn honest_look(&self, after_secs: u64) {
        self.wait(after_secs, 200).await;
        accepted(self.look().await);
    }

    /// Somebody pushes the pool to a price, shows it, and pushes it back, all within a second.
    async fn flash(&self, dollars: f64, back: f64) {
        self.pool(dollars).await;
        accepted(self.look().await);
        self.pool(back).await;
    }
}

#[tokio::test]
async fn a_pool_pushed_for_a_moment_proves_nothing_where_somebody_answers() {
    let scene = Scene::new().await;
    scene.honest_look(20).await;
    for _ in 0..10 {
        scene.wait(9, 200).await;
        scene.flash(205.0, 200.0).await;
        assert_eq!(scene.evidence_secs().await, 0);
        scene.honest_look(1).await;
    }
    assert_eq!(scene.stage().await, 0);
}

#[tokio::test]
async fn a_pool_held_away_over_a_second_is_worth_the_time_until_somebody_answers() {
    let scene = Scene::new().await;
    scene.honest_look(20).await;
    for _ in 0..10 {
        scene.pool(205.0).await;
        scene.honest_look(1).await;
        assert!(scene.evidence_secs().await <= 2);
        scene.pool(200.0).await;
        // The answer of a second later takes its time, and holds until the next look.
        scene.honest_look(1).await;
        scene.honest_look(8).await;
    }
    assert_eq!(scene.evidence_secs().await, 0);
    assert_eq!(scene.stage().await, 0);
}

#[tokio::test]
async fn a_pool_pushed_back_for_a_moment_hides_nothing() {
    let scene = Scene::new().await;
    scene.pool(205.0).await;
    for _ in 0..4 {
        assert_eq!(scene.market().await.stage.stage, 0);
        scene.honest_look(9).await;
        scene.flash(200.0, 205.0).await;
        scene.honest_look(1).await;
    }
    assert_eq!(scene.market().await.stage.stage, 1);
}

#[tokio::test]
async fn tokens_lent_out_or_brought_for_a_moment_prove_and_hide_nothing() {
    for side in [Side::Base, Side::Quote] {
        let scene = Scene::new().await;
        scene.open(1).await;
        scene.wait(20, 200).await;
        let (market, lender) = (&scene.world.market, &scene.world.lender);
        let key = lender.pubkey();
        let refresh = || instruction::refresh_stage(market);
        // All but a hundredth of what is lent, taken out and brought back around a look.
        let reserve = scene.reserve(side).await;
        let taken = reserve.liquidity - reserve.total_debt_up().unwrap() / 100;
        let shares_of = |amount: u64| {
            let all = u128::from(reserve.total_assets_down().unwrap());
            let shares = u128::from(reserve.supply_shares) * u128::from(amount) / all;
            u64::try_from(shares).unwrap()
        };
        let withdraw = |amount| instruction::withdraw(market, &key, side, shares_of(amount), 0);
        let deposit = |amount| instruction::deposit(market, &key, side, amount, 0);
        // What comes out is rounded down.
        let forged = vec![withdraw(taken), refresh(), deposit(taken - 10)];
        accepted(scene.world.send(lender, forged).await);
        assert_eq!(scene.market().await.stage.last_seen, 1, "{side:?}");
        // For longer than a slot it is there.
        scene.wait(1, 200).await;
        accepted(scene.world.send(lender, vec![withdraw(taken - 20)]).await);
        accepted(scene.look().await);
        assert_eq!(scene.market().await.stage.last_seen, 2, "{side:?}");
        // And brought for a moment, it hides nothing.
        scene.wait(1, 200).await;
        let half = taken / 2;
        let hidden = vec![deposit(half), refresh(), withdraw(half - 10)];
        accepted(scene.world.send(lender, hidden).await);
        assert_eq!(scene.market().await.stage.last_seen, 2, "{side:?}");
        scene.wait(1, 200).await;
        accepted(scene.world.send(lender, vec![deposit(half)]).await);
        accepted(scene.look().await);
        assert_eq!(scene.market().await.stage.last_seen, 1, "{side:?}");
    }
}

/// Liquidity that leaves, or comes, with the look: the pool says that it was changed in this very second.
#[tokio::test]
async fn liquidity_taken_out_or_brought_for_a_moment_proves_and_hides_nothing() {
    let scene = Scene::new().await;
    let whirlpool = scene.world.market.market.whirlpool;
    let all = scene.world.pool().await.unwrap().liquidity;
    let set = async |liquidity: u128| {
        let now_secs = scene.svm.now_secs();
        scene
            .patch(&whirlpool, |data| {
                let mut put =
                    |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
                put(layout::pool::LIQUIDITY, &liquidity.to_le_bytes());
                put(layout::pool::REWARD_LAST_UPDATED, &now_secs.to_le_bytes());
            })
            .await;
    };
    let seen = async || scene.market().await.stage.last_seen;
    // An hour of looks, so that the average is known.
    for _ in 0..7 {
        scene.honest_look(600).await;
    }
    let (gone, calm) = (all / 100, seen().await);
    // Out and in again around a look, as often as somebody likes.
    for _ in 0..4 {
        scene.wait(9, 200).await;
        set(gone).await;
        accepted(scene.look().await);
        assert_eq!(seen().await, calm);
        set(all).await;
        scene.honest_look(1).await;
    }
    assert_eq!(scene.evidence_secs().await, 0);
    assert_eq!(scene.stage().await, 0);
    // Gone for longer than a second it is seen, and what is brought around a look hides nothing.
    set(gone).await;
    scene.honest_look(1).await;
    assert_ne!(seen().await, calm);
    for _ in 0..4 {
        scene.wait(9, 200).await;
        set(all).await;
        accepted(scene.look().await);
        assert_ne!(seen().await, calm);
        set(gone).await;
        scene.honest_look(1).await;
    }
    assert_eq!(scene.market().await.stage.stage, 1);
}

#[tokio::test]
async fn a_missing_price_account_of_the_markets_own_is_silence() {
    for side in [Side::Base, Side::Quote] {
        let scene = Scene::new().await;
        scene.wait(10, 200).await;
        assert_eq!(scene.stage().await, 0);
        let prices = scene.world.market.prices;
        let own = match side {
            Side::Base => prices.base,
            Side::Quote => prices.quote,
        };
        // Closed: no lamports, no data, nobody's.
        scene
            .copy_account(&own, &own, |account| *account = Default::default())
            .await;
        for (secs, stage) in [(89, 0), (1, 1), (209, 1), (1, 2)] {
            scene.svm.pass_time(secs).await.unwrap();
            accepted(scene.look().await);
            assert_eq!(
                scene.market().await.stage.stage,
                stage,
                "{side:?} after {secs} s"
            );
        }
        // Another account that does not exist proves nothing.
        let mut other = scene.world.market.clone();
        match side {
            Side::Base => other.prices.base = Scene::fresh_address("nothing"),
            Side::Quote => other.prices.quote = Scene::fresh_address("nothing"),
        }
        let sent = scene.send(&scene.keeper, instruction::refresh_stage(&other));
        refused(sent.await, BallastError::PriceWrongOwner);
    }
}

#[tokio::test]
async fn what_the_markets_own_account_holds_of_another_feed_or_half_verified_is_silence() {
    use ballast_abi::pyth::Verification;
    let scene = Scene::new().await;
    scene.wait(10, 200).await;
    assert_eq!(scene.stage().await, 0);
    scene.svm.pass_time(300).await.unwrap();
    let now = scene.svm.now_secs();
    let mut partial = PricePost::good(Side::Base, UsdPrice::dollars(200), now);
    partial.verification = Verification::Partial { signatures: 12 };
    let quote = PricePost::good(Side::Quote, UsdPrice::ONE, now);
    accepted(scene.world.post(&[partial, quote]).await);
    assert_eq!(scene.stage().await, 2);
}

#[tokio::test]
async fn a_market_that_names_no_accounts_hears_no_silence() {
    let scene = Scene::new().await;
    scene
        .change_market(|market| {
            market.base_price_account = Default::default();
            market.quote_price_account = Default::default();
        })
        .await;
    scene.svm.pass_time(500).await.unwrap();
    refused(scene.look().await, BallastError::PriceStale);
    // The all-zero address, which stands for none, is no account either.
    let mut none = scene.world.market.clone();
    none.prices.base = Default::default();
    let sent = scene.send(&scene.keeper, instruction::refresh_stage(&none));
    refused(sent.await, BallastError::PriceWrongOwner);
}
