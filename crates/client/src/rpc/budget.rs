//! How much a node may be asked in a second and in an hour, kept by ourselves, so that the provider has nothing to refuse.
//!
//! What protects a position is never held back, nor is what decides what became of a transaction; the rest leaves a part for it, and waits.
//! In no second, and in no hour, more is asked than allowed, as long as what protects alone does not exceed it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use solana_client::rpc_request::RpcRequest;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// What a node may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcBudget {
    /// Requests in any second; 0: as many as there are.
    pub per_second: u32,
    /// Requests in any hour; 0: as many as there are.
    pub per_hour: u32,
    /// The part of what may be asked at once that is kept for what protects, basis points.
    pub reserved_bps: u32,
}

impl Default for RpcBudget {
    fn default() -> Self {
        Self {
            per_second: 0,
            per_hour: 0,
            reserved_bps: 2_500,
        }
    }
}

tokio::task_local! {
    static PROTECTS: ();
}

/// Does something whose questions are not held back: it protects a position from loss. Tasks that it spawns are not meant.
pub async fn protecting<F: Future>(what: F) -> F::Output {
    PROTECTS.scope((), what).await
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It protects, or finds out what became of what was signed.
    Protects,
    /// Everything else.
    Usual,
}

impl Purpose {
    pub fn of(request: &RpcRequest) -> Self {
        let always = matches!(
            request,
            RpcRequest::SendTransaction
                | RpcRequest::GetSignatureStatuses
                | RpcRequest::GetBlockHeight
        );
        match always || PROTECTS.try_with(|()| ()).is_ok() {
            true => Self::Protects,
            false => Self::Usual,
        }
    }
}

/// Requests that fill up again, in request-nanoseconds: one costs as many as the period has.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    period_ns: i128,
    /// Full, requests.
    most: i128,
    /// Filled up in a period, requests.
    rate: i128,
    /// What the usual leaves, requests.
    reserved: i128,
    level: i128,
}

impl Bucket {
    /// Full. What may be asked at once and what fills up in a period are together what may be asked in a period.
    fn new(allowed: u32, at_once_bps: u32, period: Duration, reserved_bps: u32) -> Option<Self> {
        let allowed = i128::from(allowed);
        let period_ns = i128::try_from(period.as_nanos()).ok()?;
        let most = (allowed * i128::from(at_once_bps) / 10_000).max(1);
        let rate = (allowed - most).max(1);
        // One request of the usual always fits.
        let reserved = (most * i128::from(reserved_bps)).div_euclid(10_000);
        (allowed > 0).then_some(Self {
            period_ns,
            most,
            rate,
            reserved: reserved.min(most - 1),
            level: most * period_ns,
        })
    }

    fn fill(&mut self, elapsed_ns: i128) {
        let full = self.most * self.period_ns;
        self.level = (self.level + elapsed_ns * self.rate).min(full);
    }

    /// How long the usual has to wait, nanoseconds.
    fn wait_ns(&self) -> i128 {
        let wanted = (1 + self.reserved) * self.period_ns;
        let missing = (wanted - self.level).max(0);
        (missing + self.rate - 1) / self.rate
    }

    /// Takes one. Whoever is not held back leaves a debt, of no more than the bucket holds.
    fn take(&mut self) {
        let least = -self.most * self.period_ns;
        self.level = (self.level - self.period_ns).max(least);
    }

    fn is_empty(&self) -> bool {
        self.level < self.period_ns
    }
}

#[derive(Debug)]
struct State {
    at: Instant,
    buckets: Vec<Bucket>,
}

/// The budget of one node.
#[derive(Debug)]
pub(super) struct Purse(Option<Mutex<State>>);

/// A request that has its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Within,
    /// Beyond what is allowed, because it protects.
    Beyond,
}

impl Purse {
    /// Full.
    pub fn new(budget: RpcBudget) -> Self {
        let RpcBudget {
            per_second,
            per_hour,
            reserved_bps,
        } = budget;
        let buckets = [
            Bucket::new(per_second, 5_000, SECOND, reserved_bps),
            Bucket::new(per_hour, 1_000, HOUR, reserved_bps),
        ];
        let buckets: Vec<_> = buckets.into_iter().flatten().collect();
        let at = Instant::now();
        Self((!buckets.is_empty()).then(|| Mutex::new(State { at, buckets })))
    }

    /// Takes a request; or how long it has to wait.
    pub fn take(&self, purpose: Purpose) -> Result<Taken, Duration> {
        let Some(state) = &self.0 else {
            return Ok(Taken::Within);
        };
        // Every change of it is whole.
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let elapsed = now.saturating_duration_since(state.at);
        state.at = now;
        let elapsed_ns = i128::try_from(elapsed.as_nanos()).unwrap_or(i128::MAX / 4);
        let buckets = &mut state.buckets;
        buckets.iter_mut().for_each(|it| it.fill(elapsed_ns));
        let wait_ns = buckets.iter().map(Bucket::wait_ns).max().unwrap_or(0);
        if purpose == Purpose::Usual && wait_ns > 0 {
            let wait_ns = u64::try_from(wait_ns).unwrap_or(u64::MAX);
            return Err(Duration::from_nanos(wait_ns));
        }
        let beyond = buckets.iter().any(Bucket::is_empty);
        buckets.iter_mut().for_each(Bucket::take);
        Ok(if beyond { Taken::Beyond } else { Taken::Within })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::time::advance;

    use super::*;

    fn purse(per_second: u32, per_hour: u32) -> Purse {
        Purse::new(RpcBudget {
            per_second,
            per_hour,
            ..RpcBudget::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn without_bounds_nobody_waits() {
        let purse = Purse::new(RpcBudget::default());
        for _ in 0..10_000 {
            assert_eq!(purse.take(Purpose::Usual), Ok(Taken::Within));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_usual_waits_and_leaves_a_part() {
        // Ten at once and ten a second; of the ten, two are kept.
        let purse = purse(20, 0);
        let mut usual = 0;
        while purse.take(Purpose::Usual).is_ok() {
            usual += 1;
        }
        assert_eq!(usual, 8);
        let wait = purse.take(Purpose::Usual).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert_eq!(purse.take(Purpose::Protects), Ok(Taken::Within));
        assert_eq!(purse.take(Purpose::Protects), Ok(Taken::Within));
        assert_eq!(purse.take(Purpose::Protects), Ok(Taken::Beyond));
        // The debt is paid before the usual goes on.
        let wait = purse.take(Purpose::Usual).unwrap_err();
        advance(wait).await;
        assert_eq!(wait, Duration::from_millis(400));
        assert_eq!(purse.take(Purpose::Usual), Ok(Taken::Within));
    }

    #[tokio::test(start_paused = true)]
    async fn however_much_protects_the_usual_goes_on_in_the_end() {
        let purse = purse(20, 0);
        for _ in 0..100_000 {
            purse.take(Purpose::Protects).unwrap();
        }
        let wait = purse.take(Purpose::Usual).unwrap_err();
        assert!(wait <= Duration::from_secs(2), "{wait:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_is_not_used_up_in_a_minute() {
        let purse = purse(0, 36_000);
        let mut taken = 0;
        while purse.take(Purpose::Usual).is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 3_600 * 3 / 4);
        advance(Duration::from_secs(10)).await;
        let mut later = 0;
        while purse.take(Purpose::Usual).is_ok() {
            later += 1;
        }
        assert_eq!(later, 90);
    }

    #[test]
    fn sending_and_outcomes_are_never_held_back_and_what_protects_neither() {
        for (request, purpose) in [
            (RpcRequest::SendTransaction, Purpose::Protects),
            (RpcRequest::GetSignatureStatuses, Purpose::Protects),
            (RpcRequest::GetBlockHeight, Purpose::Protects),
            (RpcRequest::GetMultipleAccounts, Purpose::Usual),
            (RpcRequest::GetProgramAccounts, Purpose::Usual),
        ] {
            assert_eq!(Purpose::of(&request), purpose, "{request}");
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let inside = protecting(async { Purpose::of(&RpcRequest::GetMultipleAccounts) }).await;
            assert_eq!(inside, Purpose::Protects);
            assert_eq!(
                Purpose::of(&RpcRequest::GetMultipleAccounts),
                Purpose::Usual
            );
        });
    }

    proptest! {
        #[test]
        fn in_no_second_and_no_hour_more_is_asked(
            per_second in 4u32..40,
            per_hour in 100u32..1_000,
            steps in proptest::collection::vec((0u64..400, 1u32..12), 1..200),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async {
                let purse = purse(per_second, per_hour);
                let (mut now_ms, mut taken) = (0, Vec::new());
                for (pause, wanted) in steps {
                    now_ms += pause;
                    advance(Duration::from_millis(pause)).await;
                    for _ in 0..wanted {
                        if purse.take(Purpose::Usual).is_ok() {
                            taken.push(now_ms);
                        }
                    }
                    let within = |ms: u64| taken.iter().filter(|at| now_ms - **at < ms).count();
                    prop_assert!(within(1_000) <= per_second as usize);
                    prop_assert!(within(3_600_000) <= per_hour as usize);
                }
                Ok(())
            })?;
        }
    }
}
