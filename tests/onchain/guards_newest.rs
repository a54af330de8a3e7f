//! Nobody takes risk or tokens at a price of before a gap, as long as the market has been shown one of after it.

use ballast_client::{BallastError, DecreaseArgs, instruction};
use ballast_localnet::Localnet;

use crate::{
    lifecycle::automation,
    support::{NOTHING, Scene, accepted, refused},
    two::MORE,
};

/// A newest price at which LTV is above the initial one, and four seconds older prices of before.
impl Scene {
    async fn gapped(&self) {
        self.svm.pass_time(60).await.unwrap();
        self.post_with_average(112, 112, 0).await;
        let show = instruction::refresh_price(&self.world.market);
        accepted(self.send(&self.keeper, show).await);
        self.post_with_average(200, 200, 4).await;
    }

    /// The same without the gap.
    async fn without_gap(&self) {
        self.svm.pass_time(60).await.unwrap();
        self.post_with_average(200, 200, 4).await;
    }
}

#[tokio::test]
async fn nothing_is_paid_out_that_the_newest_price_does_not_leave() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let liquidity = scene.model(&position).await.0.liquidity;
    let payout = DecreaseArgs {
        liquidity: liquidity / 50,
        pay_quote: 100_000,
        ..NOTHING
    };
    let saved = scene.svm.save();
    scene.without_gap().await;
    accepted(scene.decrease(&position, payout).await);
    scene.svm.restore(&saved);
    scene.gapped().await;
    refused(
        scene.decrease(&position, payout).await,
        BallastError::InitialLtvExceeded,
    );
    // What pays nothing out asks no price.
    let kept = DecreaseArgs {
        pay_quote: 0,
        ..payout
    };
    accepted(scene.decrease(&position, kept).await);
}

#[tokio::test]
async fn nothing_is_opened_or_increased_that_the_newest_price_would_not_let() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let saved = scene.svm.save();
    scene.without_gap().await;
    accepted(scene.try_open(scene.example(2)).await);
    accepted(scene.increase(&position, MORE).await);
    scene.svm.restore(&saved);
    scene.gapped().await;
    for sent in [
        scene.try_open(scene.example(2)).await,
        scene.increase(&position, MORE).await,
    ] {
        refused(sent, BallastError::InitialLtvExceeded);
    }
}

/// The owner's own recentering too, in place and into another Whirlpool position; and fees that would be provided with more debt.
#[tokio::test]
async fn nothing_is_recentered_or_compounded_that_the_newest_price_would_not_let() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    scene.automate(&position, automation()).await;
    scene.earn().await;
    let ticks = scene.ticks_around(200, 512);
    let (owner, keeper) = (&scene.alice, &scene.keeper);
    let saved = scene.svm.save();
    for gap in [false, true] {
        for which in 0..3 {
            scene.svm.restore(&saved);
            match gap {
                true => scene.gapped().await,
                false => scene.without_gap().await,
            }
            let sent = match which {
                0 => scene.recenter(&position, owner, ticks).await,
                1 => {
                    let both = [ticks.tick_lower, ticks.tick_upper];
                    scene.world.create_tick_arrays(both).await.unwrap();
                    scene.recenter_replacing(&position, owner, ticks).await
                }
                _ => scene.compound(&position, keeper).await,
            };
            match gap {
                true => refused(sent, BallastError::InitialLtvExceeded),
                false => drop(accepted(sent)),
            }
        }
    }
}
