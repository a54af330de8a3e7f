//! What keepers may lose: what is charged, to which allowance, and whom a drained one stops.

use ballast_client::{BallastError, BallastEvent, PositionContext, Reaction, Receipt};
use ballast_localnet::{UsdPrice, WorldConfig};
use ballast_model::{Bps, Position as PositionModel, SqrtPrice, value_up};

use crate::{
    lifecycle::automation,
    support::{Scene, accepted, refused},
};

/// A price at which the position is hedged outside its band, inside twice the band.
const INSIDE: f64 = 198.6;
/// Raw quote units of rounding and impact in a trade of some tenths of a base token.
const DUST: u64 = 2_000;

impl Scene {
    /// What keepers have lost: of the daily and of the defensive allowance.
    async fn lost(&self, position: &PositionContext) -> [u64; 2] {
        let stored = self.world.reload(position).await.unwrap().position;
        [stored.recent_loss, stored.defensive_loss]
    }

    /// As if keepers had lost that much just now.
    async fn drain(&self, position: &PositionContext, daily: u64, defensive: u64) {
        let now_secs = self.svm.now_secs();
        self.change_position(position, |position| {
            (position.recent_loss, position.defensive_loss) = (daily, defensive);
            (
                position.recent_loss_at_secs,
                position.defensive_loss_at_secs,
            ) = (now_secs, now_secs);
        })
        .await;
    }

    /// The oracle's price and the pool's.
    async fn stand(&self, oracle: f64, pool: f64) {
        let price = UsdPrice::from_f64(oracle).unwrap();
        self.world.post_price(price).await.unwrap();
        self.pool(pool).await;
    }

    async fn equity_at(&self, position: &PositionContext, at: SqrtPrice) -> i128 {
        self.model(position).await.0.value(at).unwrap().equity()
    }
}

/// All that either allowance is by default: a fifth of a percent of equity.
fn all_of_it(model: &PositionModel, at: SqrtPrice) -> u64 {
    u64::try_from(model.value(at).unwrap().equity() / 500).unwrap()
}

fn rehedged(receipt: &Receipt) -> u64 {
    let found = receipt.events.iter().find_map(|event| match event {
        BallastEvent::Rehedged(event) => Some(event.base_traded),
        _ => None,
    });
    found.expect("no rehedge")
}

#[tokio::test]
async fn a_pool_as_far_from_the_price_as_its_fee_costs_no_allowance() {
    // A fee of 4 basis points: on the wrong side by that much, by more, and to the other side.
    for (oracle, pool, fair) in [
        (INSIDE, INSIDE * 0.999_62, true),
        (INSIDE, INSIDE * 0.999_5, false),
        (201.4, 201.4 * 1.000_38, true),
        (201.4, 201.4 * 1.000_5, false),
        (201.4, 201.4 * 0.999, true),
    ] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.stand(oracle, pool).await;
        let (before, at) = scene.model(&position).await;
        let equity = before.value(at).unwrap().equity();
        accepted(scene.rehedge(&position, &scene.keeper).await);
        let lost = equity - scene.equity_at(&position, at).await;
        let [daily, defensive] = scene.lost(&position).await;
        assert_eq!(
            (daily == 0, defensive),
            (fair, 0),
            "{pool}: {daily} of {lost}"
        );
    }
}

#[tokio::test]
async fn what_exceeds_a_fair_price_is_charged_to_the_unit() {
    for (oracle, pool) in [(INSIDE, 197.8), (201.4, 202.2)] {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        scene.stand(oracle, pool).await;
        let (before, at) = scene.model(&position).await;
        let equity = before.value(at).unwrap().equity();
        let receipt = accepted(scene.rehedge(&position, &scene.keeper).await);
        let lost = equity - scene.equity_at(&position, at).await;
        let fee = (value_up(rehedged(&receipt), at).unwrap() * 800).div_ceil(1_000_000 - 400);
        let charged = u64::try_from(lost - i128::try_from(fee).unwrap()).unwrap();
        assert_eq!(scene.lost(&position).await, [charged, 0]);
        assert!(charged > 40_000, "{charged}");
    }
}

#[tokio::test]
async fn who_drains_the_daily_allowance_does_not_stop_the_defence() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (model, at) = scene.model(&position).await;
    let limit = all_of_it(&model, at);
    // Outside the band, inside twice the band.
    scene.stand(INSIDE, 198.1).await;
    scene.drain(&position, limit, 0).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::DailyLossExceeded,
    );
    // The owner is not bound by it.
    let saved = scene.svm.save();
    accepted(scene.rehedge(&position, &scene.alice).await);
    scene.svm.restore(&saved);
    // Outside twice the band it is the other allowance.
    scene.stand(196.0, 195.5).await;
    scene.drain(&position, limit, 0).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    let [daily, defensive] = scene.lost(&position).await;
    assert_eq!(daily, limit);
    assert!(defensive > DUST, "{defensive}");
    scene.svm.restore(&saved);
    // Which has its own end.
    scene.stand(196.0, 195.5).await;
    scene.drain(&position, 0, limit).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::DailyLossExceeded,
    );
    // A market may set it higher.
    scene
        .change_market(|market| market.safety.max_defensive_loss_bps = 200)
        .await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
}

#[tokio::test]
async fn who_drains_both_allowances_stops_neither_a_fair_rehedge_nor_a_deleverage() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let (model, at) = scene.model(&position).await;
    let limit = all_of_it(&model, at);
    let start = scene.svm.save();
    // At the oracle's price or better, inside twice the band and outside.
    for (oracle, pool) in [(INSIDE, INSIDE + 0.02), (196.0, 196.02)] {
        scene.stand(oracle, pool).await;
        scene.drain(&position, limit, limit).await;
        accepted(scene.rehedge(&position, &scene.keeper).await);
        assert_eq!(scene.lost(&position).await, [limit; 2]);
        scene.svm.restore(&start);
    }
    // However much it loses within the trade's cap.
    scene.stand(250.0, 251.0).await;
    scene.drain(&position, limit, limit).await;
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    assert_eq!(scene.lost(&position).await, [limit; 2]);
}

#[tokio::test]
async fn twice_the_band_is_where_the_defence_begins() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let mut seen = [false; 2];
    for cents in (19_500..19_900).step_by(20) {
        let saved = scene.svm.save();
        let dollars = f64::from(cents) / 100.0;
        scene.stand(dollars, dollars - 0.5).await;
        let (model, at) = scene.model(&position).await;
        let error = model.hedge_error(at, Bps::ONE).unwrap().unsigned_abs();
        let full = u128::from(model.full_base_up().unwrap());
        if error * 10_000 > full * 500 {
            let defensive = error * 10_000 > full * 1_000;
            accepted(scene.rehedge(&position, &scene.keeper).await);
            let [daily, other] = scene.lost(&position).await;
            assert_eq!((daily == 0, other > 0), (defensive, defensive), "{dollars}");
            seen[usize::from(defensive)] = true;
        }
        scene.svm.restore(&saved);
    }
    assert_eq!(seen, [true; 2]);
}

#[tokio::test]
async fn an_owners_stricter_limit_binds_keepers() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let strict = |max_daily_loss_bps| ballast_client::Automation {
        max_daily_loss_bps,
        ..automation()
    };
    scene.stand(INSIDE, 197.8).await;
    scene.automate(&position, strict(1)).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::DailyLossExceeded,
    );
    scene.automate(&position, strict(19)).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
}

#[tokio::test]
async fn a_loss_counts_at_the_newest_price_known_if_it_is_worse_there() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.stand(INSIDE, INSIDE).await;
    let saved = scene.svm.save();
    accepted(scene.rehedge(&position, &scene.keeper).await);
    let [fair, _] = scene.lost(&position).await;
    assert!(fair < DUST, "{fair}");
    scene.svm.restore(&saved);
    // As if a newer price had been shown than the one that the keeper shows, which is allowed for some seconds.
    let (model, at) = scene.model(&position).await;
    let newest = ballast_model::price::scale_up(at, Bps::new(10_020)).unwrap();
    let (base, quote) = later(&scene).await;
    scene
        .change_market(|market| {
            market.newest_sqrt_price_x64 = newest.x64().into();
            (
                market.last_base_publish_secs,
                market.last_quote_publish_secs,
            ) = (base, quote);
        })
        .await;
    let equity = model.value(newest).unwrap().equity();
    let receipt = accepted(scene.rehedge(&position, &scene.keeper).await);
    let lost = equity - scene.equity_at(&position, newest).await;
    // Less base had to be sold at the newest price: what the rest costs is charged too.
    let needed = model.hedge_error(newest, Bps::ONE).unwrap().unsigned_abs();
    assert!(needed < u128::from(rehedged(&receipt)));
    let needed = u64::try_from(needed).unwrap();
    let fee = (value_up(needed, newest).unwrap() * 800).div_ceil(1_000_000 - 400);
    let [charged, _] = scene.lost(&position).await;
    assert_eq!(i128::from(charged), lost - i128::try_from(fee).unwrap());
    assert!(charged > 10 * fair.max(1_000), "{charged}");
}

#[tokio::test]
async fn what_is_not_due_at_the_newest_price_known_is_not_due() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    let (_, inside) = scene.model(&position).await;
    let (base, quote) = later(&scene).await;
    let newer = async |publish: (i64, i64)| {
        scene
            .change_market(|market| {
                market.newest_sqrt_price_x64 = inside.x64().into();
                (
                    market.last_base_publish_secs,
                    market.last_quote_publish_secs,
                ) = publish;
            })
            .await;
    };
    scene.price(197).await;
    newer((base, quote)).await;
    refused(
        scene.rehedge(&position, &scene.keeper).await,
        BallastError::RehedgeNotDue,
    );
    scene.price(216).await;
    newer((base, quote)).await;
    let args = scene.ticks_around(216, 512);
    refused(
        scene.recenter(&position, &scene.keeper, args).await,
        BallastError::RecenterNotDue,
    );
    // An exit at the window's edge.
    scene.exit_at(&position, 215, Reaction::ExitIntoQuote).await;
    refused(
        scene.exit(&position, &scene.keeper).await,
        BallastError::ExitNotDue,
    );
    let newest = scene.model(&position).await.1;
    let move_newest = async |sqrt_price: SqrtPrice| {
        scene
            .change_market(|market| market.newest_sqrt_price_x64 = sqrt_price.x64().into())
            .await;
    };
    move_newest(newest).await;
    let saved = scene.svm.save();
    accepted(scene.exit(&position, &scene.keeper).await);
    scene.svm.restore(&saved);
    // A deleverage that only the owner asks for; the market's needs no second price but for a swap.
    scene.price(225).await;
    newer((base, quote)).await;
    let (_, used) = scene.model(&position).await;
    let ltv_bps = scene.ltv_bps(&position).await;
    let trigger = |deleverage_trigger_ltv_bps| {
        move |policy: &mut ballast_client::Policy| {
            policy.deleverage_trigger_ltv_bps = deleverage_trigger_ltv_bps;
            policy.deleverage_target_ltv_bps = 6_000;
        }
    };
    assert!((7_000..7_700).contains(&ltv_bps), "{ltv_bps}");
    scene.change_policy(&position, trigger(ltv_bps - 50)).await;
    move_newest(inside).await;
    for sent in [
        scene.deleverage(&position, &scene.keeper).await,
        scene.deleverage_swap(&position, &scene.keeper).await,
    ] {
        refused(sent, BallastError::DeleverageNotDue);
    }
    move_newest(used).await;
    let saved = scene.svm.save();
    accepted(scene.deleverage_swap(&position, &scene.keeper).await);
    scene.svm.restore(&saved);
    move_newest(inside).await;
    scene
        .change_market(|market| market.limits.deleverage_ltv_bps = ltv_bps - 50)
        .await;
    refused(
        scene.deleverage_swap(&position, &scene.keeper).await,
        BallastError::DeleverageNotDue,
    );
    accepted(scene.deleverage(&position, &scene.keeper).await);
}

/// Publish times just after those of the price accounts.
async fn later(scene: &Scene) -> (i64, i64) {
    let snapshot = scene.world.snapshot().await.unwrap();
    let publish = [&snapshot.base_price, &snapshot.quote_price].map(|price| price.publish_time);
    (publish[0] + 1, publish[1] + 1)
}

#[tokio::test]
async fn a_recentering_is_charged_what_its_swap_costs_beyond_a_fair_price() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.stand(216.0, 216.0).await;
    let saved = scene.svm.save();
    let args = scene.ticks_around(216, 512);
    let charged = async || {
        accepted(scene.recenter(&position, &scene.keeper, args).await);
        scene.lost(&position).await
    };
    let [fair, other] = charged().await;
    assert_eq!(other, 0);
    scene.svm.restore(&saved);
    scene.pool(216.3).await;
    let [dear, other] = charged().await;
    assert_eq!(other, 0);
    assert!(dear > fair + 50_000, "{dear} {fair}");
}

#[tokio::test]
async fn of_a_part_only_what_it_has_traded_costs_a_fair_price() {
    let config = WorldConfig {
        background_value: 1_000_000_000,
        ..WorldConfig::standard().unwrap()
    };
    let scene = Scene::with(config).await;
    let position = scene.open(1).await;
    scene.price(193).await;
    let receipt = accepted(scene.rehedge(&position, &scene.keeper).await);
    let event = receipt.events.iter().find_map(|event| match event {
        BallastEvent::Rehedged(event) => Some(event),
        _ => None,
    });
    let event = event.expect("rehedged");
    // A part: more than half of it is left.
    assert!(event.hedge_error_after.abs() * 2 > event.hedge_error_before.abs());
    let fee_ppm = u64::from(scene.world.pool().await.unwrap().fee_rate_ppm);
    let free = event.quote_traded * 2 * fee_ppm / 1_000_000 + 10;
    let [daily, defensive] = scene.lost(&position).await;
    let charged = daily + defensive;
    assert!(event.swap_loss > 2 * free, "{} {free}", event.swap_loss);
    let (found, least) = (charged + free + DUST, event.swap_loss);
    assert!(found >= least, "{charged} and {free} of {least}");
}
