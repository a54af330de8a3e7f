//! Under a lease that was not renewed lately nothing is signed, though the table would still write.

use std::time::Duration;

use ballast_lease::TERM;
use tokio::time::advance;

use super::*;

fn stage() -> Stage<Memory> {
    let shared = Arc::new(Mutex::new(Shared::default()));
    Stage::new(|member| {
        let shared = Arc::clone(&shared);
        Arc::new(move || {
            Ok(Memory {
                shared: Arc::clone(&shared),
                member,
                careless: false,
            })
        })
    })
}

async fn pass(stage: &Stage<Memory>, secs: u64) {
    advance(Duration::from_secs(secs)).await;
    stage.pause(secs * 1_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_has_not_renewed_for_a_third_of_the_term_signs_nothing_before_it_has() {
    let wanted = Decimal::from(DELTA - 1);
    for (secs, trades) in [(TERM / 3 - 1, true), (TERM / 3 + 1, false)] {
        let mut stage = stage();
        assert!(stage.stand(0).await);
        // It waits for a venue that is slow; the lease holds for long yet.
        pass(&stage, secs).await;
        stage.act(0, stage.clock.now_ms(), 0).await;
        let came = if trades { wanted } else { Decimal::ZERO };
        assert_eq!(stage.traded().0, came, "after {secs} s");
        stage.turn(0, 0).await;
        assert_eq!(stage.traded().0, wanted, "after {secs} s and a renewal");
        assert_eq!(stage.members[0].hedger.books().open().count(), 0);
    }
}

/// The other has it, because this one was away for too long.
#[tokio::test(start_paused = true)]
async fn a_leader_that_has_lost_its_lease_while_it_was_away_signs_nothing() {
    let mut stage = stage();
    assert!(stage.stand(0).await);
    pass(&stage, TERM + 1).await;
    stage.turn(1, 0).await;
    let wanted = Decimal::from(DELTA - 1);
    assert_eq!(stage.traded().0, wanted);
    // Whatever its own clock says.
    let now_ms = stage.clock.now_ms();
    stage.act(0, now_ms - 1_000 * TERM, 0).await;
    stage.act(0, now_ms, 0).await;
    assert!(!stage.stand(0).await);
    assert_eq!(stage.traded().0, wanted);
}
