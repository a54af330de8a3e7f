//! Pools with narrow ticks, and little in them. A swap is given three tick arrays, which are 264 ticks where the spacing is 1, or 176
//! where it begins at the end of the first; from a pool on one side of the oracle's price to the largest loss on the other it is some
//! two hundred.

use ballast_client::{Bps, PositionContext};
use ballast_localnet::{Localnet, UsdPrice, WorldConfig};

use crate::support::{Scene, Sent};

/// Where in its tick array the pool's price stands.
const PHASES: [i32; 11] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80];
/// As far as the pool may be from the oracle's price, but for rounding.
const FURTHEST: f64 = 0.0099;
/// As far as it may be so that 176 ticks are enough.
const NEAR: f64 = 0.007;
/// The pool program's error for a swap that comes to the end of its tick arrays.
const SEQUENCE_ENDED: u32 = 6_038;

/// A pool that the worked example's swap moves by two percent.
fn thin(tick_spacing: u16) -> WorldConfig {
    WorldConfig {
        tick_spacing,
        background_value: 20_000_000_000,
        ..WorldConfig::standard().unwrap()
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

/// Whether a swap went as far as it could, or was refused because its tick arrays had ended.
fn went(sent: &Sent) -> bool {
    match sent {
        Ok(_) => true,
        Err(error) => {
            let code = error.failure().and_then(|failure| failure.code());
            assert_eq!(code, Some(SEQUENCE_ENDED), "{error}");
            false
        }
    }
}

/// Swaps of protective actions with the pool on the side from which they move it furthest: how many went, and were refused.
async fn swaps(tick_spacing: u16, away: f64) -> [usize; 2] {
    let scene = Scene::with(thin(tick_spacing)).await;
    let position = scene.open(1).await;
    let start = scene.svm.save();
    let mut all = vec![];
    for ticks in PHASES {
        at(&scene, 250.0, ticks, -away).await;
        let before = scene.ltv_bps(&position).await;
        let sent = scene.deleverage_swap(&position, &scene.keeper).await;
        all.push(went(&sent));
        assert!(sent.is_err() || scene.ltv_bps(&position).await < before);
        scene.svm.restore(&start);
        for (dollars, away) in [(180.0, away), (225.0, -away)] {
            at(&scene, dollars, ticks, away).await;
            let before = error(&scene, &position).await;
            let sent = scene.rehedge(&position, &scene.keeper).await;
            all.push(went(&sent));
            assert!(sent.is_err() || error(&scene, &position).await < before);
            scene.svm.restore(&start);
        }
    }
    let went = all.iter().filter(|went| **went).count();
    [went, all.len() - went]
}

#[tokio::test]
async fn a_swap_that_moves_a_thin_pool_far_goes_as_far_as_its_cap_lets_it() {
    for tick_spacing in [2, 4, 8] {
        let [went, refused] = swaps(tick_spacing, FURTHEST).await;
        assert_eq!((went, refused), (3 * PHASES.len(), 0), "{tick_spacing}");
    }
    // As does one where the spacing is 1, unless the pool is further away than that.
    assert_eq!(swaps(1, NEAR).await, [3 * PHASES.len(), 0]);
}

/// Named under the limits of THREATS.
#[tokio::test]
async fn with_ticks_of_one_a_thin_pool_that_is_far_away_can_refuse_a_swap() {
    let [went, refused] = swaps(1, FURTHEST).await;
    assert!(went > 0 && refused > 0, "{went} went, {refused} refused");
}
