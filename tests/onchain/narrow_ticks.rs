//! Pools with narrow ticks, and little in them: from a pool on one side of the oracle's price to the largest loss on the other a swap
//! walks through no more ticks than the arrays that it is given hold, wherever in the first it begins. Else the pool program would
//! refuse it, and not do a part.

use ballast_client::{Bps, PositionContext};
use ballast_localnet::{Localnet, UsdPrice, WorldConfig};

use crate::support::{Scene, accepted};

/// Where in its tick array the pool's price stands.
const PHASES: [i32; 11] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80];
/// A pool that the worked example's swap moves by two percent.
fn thin(tick_spacing: u16) -> WorldConfig {
    let standard = WorldConfig::standard().unwrap();
    WorldConfig {
        background_value: 20_000_000_000,
        ..standard.with_tick_spacing(tick_spacing).unwrap()
    }
}

/// The oracle's price at so many ticks above so many dollars, and the pool away from it.
async fn at(scene: &Scene, dollars: f64, ticks: i32, away: f64) {
    let price = dollars * 1.0001f64.powi(ticks);
    let usd = UsdPrice::from_f64(price).unwrap();
    scene.world.move_price(usd).await.unwrap();
    scene.pool(price * (1.0 + away)).await;
    scene.svm.pass_time(2).await.unwrap();
    scene.world.post_price(usd).await.unwrap();
}

async fn error(scene: &Scene, position: &PositionContext) -> u128 {
    let (model, oracle) = scene.model(position).await;
    model.hedge_error(oracle, Bps::ONE).unwrap().unsigned_abs()
}

#[tokio::test]
async fn a_swap_that_moves_a_thin_pool_far_goes_as_far_as_its_cap_lets_it() {
    for tick_spacing in [1, 2, 4, 8] {
        let scene = Scene::with(thin(tick_spacing)).await;
        let position = scene.open(1).await;
        let start = scene.svm.save();
        // The pool as far away as it may be, but for rounding, on the side from which the swap moves it furthest.
        let limits = scene.world.market.market.limits;
        let away = f64::from(limits.max_pool_deviation_bps - 1) / 1e4;
        for ticks in PHASES {
            at(&scene, 250.0, ticks, -away).await;
            let before = scene.ltv_bps(&position).await;
            accepted(scene.deleverage_swap(&position, &scene.keeper).await);
            assert!(scene.ltv_bps(&position).await < before);
            scene.svm.restore(&start);
            for (dollars, away) in [(180.0, away), (225.0, -away)] {
                at(&scene, dollars, ticks, away).await;
                let before = error(&scene, &position).await;
                // The owner's are bound by no allowance.
                accepted(scene.rehedge(&position, &scene.alice).await);
                assert!(error(&scene, &position).await < before);
                scene.svm.restore(&start);
            }
        }
    }
}
