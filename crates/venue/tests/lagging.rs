//! A venue whose reads lag behind its answers: what it has filled, it does not show yet.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use ballast_venue::{
    clock::ManualClock,
    depth::{Depth, Level},
    hedge::{
        exposure::Exposure,
        hedger::{HedgeError, Hedger, Plan},
        journal::Journal,
        report::Outcome,
        target::Rules,
    },
    hyperliquid::bytes::Address,
    instrument::Instrument,
    paper::{
        exchange::{Exchange, Fees},
        venue::{PaperVenue, Tape},
    },
    venue::{Account, Done, Fill, Order, Relay, Venue, VenueError},
};
use rust_decimal::Decimal;

const ME: Address = Address([1; 20]);

/// What the account shows: itself and its fills.
type Shown = (Account, Vec<Fill>);

/// While it lags, account and fills are those of before.
#[derive(Clone)]
struct Lagging {
    venue: Arc<PaperVenue>,
    lags: Arc<AtomicBool>,
    /// Whether an order's answer is lost.
    loses: Arc<AtomicBool>,
    before: Arc<Mutex<Option<Shown>>>,
}

#[async_trait]
impl Relay for Lagging {
    type Target = PaperVenue;

    fn target(&self) -> &Self::Target {
        &self.venue
    }

    async fn account(&self) -> Result<Account, VenueError> {
        if self.lags.load(Ordering::Relaxed)
            && let Some((account, _)) = &*self.before.lock().unwrap()
        {
            return Ok(account.clone());
        }
        self.target().account().await
    }
    async fn place(&self, order: &Order) -> Result<Done, VenueError> {
        let before = (
            self.target().account().await?,
            self.target().fills(0).await?,
        );
        *self.before.lock().unwrap() = Some(before);
        let done = self.target().place(order).await;
        if self.loses.load(Ordering::Relaxed) {
            return Err(VenueError::Unknown("the answer is lost".into()));
        }
        done
    }
    async fn fills(&self, since_ms: u64) -> Result<Vec<Fill>, VenueError> {
        if self.lags.load(Ordering::Relaxed)
            && let Some((_, fills)) = &*self.before.lock().unwrap()
        {
            return Ok(fills.clone());
        }
        self.target().fills(since_ms).await
    }
}

/// What happens to the order's answer.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Read,
    Lost,
    /// Read, and then the process ended.
    ReadBeforeAnEnd,
}

/// Five are sold at once; until that is shown nothing more is.
async fn sold_once(answer: Answer) {
    let sol = Instrument {
        coin: "SOL".into(),
        asset: 0,
        size_places: 2,
        max_leverage: 20,
    };
    let level = |price: u32| Level {
        price: price.into(),
        size: 50.into(),
    };
    let mut exchange = Exchange::new(1, Fees::default(), [sol]);
    exchange.deposit(ME, 10_000.into());
    let depth = Depth {
        bids: vec![level(99)],
        asks: vec![level(101)],
    };
    exchange.set_depth(0, 100.into(), depth);
    let tape = Arc::new(Mutex::new(Tape::new(exchange, Vec::new())));
    let clock = Arc::new(ManualClock::at(1));
    let venue = Lagging {
        venue: Arc::new(PaperVenue::new(tape, clock.clone(), ME, 0)),
        lags: Arc::new(AtomicBool::new(true)),
        loses: Arc::new(AtomicBool::new(answer == Answer::Lost)),
        before: Arc::default(),
    };
    let plan = Plan {
        account: ME,
        coin: "SOL".into(),
        rules: Rules {
            band: Decimal::new(1, 1),
            cap_bps: 500.into(),
            depth_share: Decimal::ONE,
        },
        expires_after_ms: 5_000,
    };
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let (journal, entries) = Journal::open(&folder.path().join("journal")).unwrap();
        Hedger::new(plan.clone(), venue.clone(), journal, &entries)
    };
    let mut hedger = open();
    // Long 5 base elsewhere: 5 are sold here.
    let exposure = || Exposure::of(5.into());
    let first = hedger.step(exposure(), clock.advance(1_000)).await.unwrap();
    match first.outcome {
        Outcome::Traded { filled } => assert!(filled > Decimal::ZERO),
        Outcome::Unknown => assert!(answer == Answer::Lost),
        other => panic!("{other:?}"),
    }
    if answer == Answer::ReadBeforeAnEnd {
        drop(hedger);
        hedger = open();
    }
    for _ in 0..3 {
        let again = hedger.step(exposure(), clock.advance(1_000)).await;
        assert!(matches!(again, Err(HedgeError::Venue(_))), "{again:?}");
    }
    venue.lags.store(false, Ordering::Relaxed);
    let shown = hedger.step(exposure(), clock.advance(1_000)).await.unwrap();
    assert!(matches!(shown.outcome, Outcome::Idle(_)), "{shown:?}");
    let position = hedger.books().position("SOL").unwrap();
    assert!(
        (position + Decimal::from(5)).abs() <= Decimal::new(11, 2),
        "{position}"
    );
}

#[tokio::test]
async fn what_was_answered_and_is_not_shown_yet_is_not_traded_again() {
    sold_once(Answer::Read).await;
}

#[tokio::test]
async fn nor_is_it_after_a_lost_answer() {
    sold_once(Answer::Lost).await;
}

#[tokio::test]
async fn nor_is_it_after_a_restart() {
    sold_once(Answer::ReadBeforeAnEnd).await;
}
