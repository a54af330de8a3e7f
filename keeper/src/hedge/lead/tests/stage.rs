//! Two hedgers on one account at a paper venue, with a table in memory, a clock by hand, and a way to the venue that may be slow.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use ballast_lease::rules::{may_take, through_from};
use ballast_venue::{
    clock::{Clock, ManualClock},
    depth::{Depth, Level},
    hedge::{
        exposure::Exposure,
        gate::Gate,
        hedger::{HedgeError, Hedger, Plan},
        journal::Journal,
        target::Rules,
    },
    hyperliquid::bytes::Address,
    instrument::Instrument,
    paper::{
        exchange::{Exchange, Fees},
        venue::{PaperVenue, Tape},
    },
    venue::{Done, Relay, VenueError},
};
use rust_decimal::Decimal;

use super::super::*;

const ME: Address = Address([3; 20]);
const SHARD: u32 = ACCOUNTS_FROM + 5;

#[derive(Default)]
pub struct Shared {
    /// Owner, epoch, through.
    lease: Option<(usize, u64, u64)>,
    intents: Vec<(OpenIntent, Option<String>)>,
}

/// A table in memory, with the rules of the one in Postgres unless it is careless.
pub struct Memory {
    pub shared: Arc<Mutex<Shared>>,
    pub member: usize,
    pub careless: bool,
}

impl Table for Memory {
    fn take(&mut self, shard: u32, secs: u64) -> Result<Option<Lease>, String> {
        let mut shared = self.shared.lock().unwrap();
        let epoch = match shared.lease {
            Some((_, _, through)) if !self.careless && !may_take(through, secs) => return Ok(None),
            Some((_, epoch, _)) => epoch + 1,
            None => 1,
        };
        let through = through_from(secs);
        shared.lease = Some((self.member, epoch, through));
        Ok(Some(Lease {
            shard,
            epoch,
            through,
            renewed_at: secs,
        }))
    }

    fn renew(&mut self, lease: &Lease, secs: u64) -> Result<Option<Lease>, String> {
        let mut shared = self.shared.lock().unwrap();
        let Some((_, _, through)) = shared
            .lease
            .as_mut()
            .filter(|(owner, epoch, _)| (*owner, *epoch) == (self.member, lease.epoch))
        else {
            return Ok(None);
        };
        *through = through_from(secs).max(*through);
        Ok(Some(Lease {
            through: *through,
            renewed_at: secs,
            ..*lease
        }))
    }

    fn write(
        &mut self,
        lease: &Lease,
        name: &str,
        last_secs: u64,
        bytes: &[u8],
    ) -> Result<Result<(), Refusal>, String> {
        let mut shared = self.shared.lock().unwrap();
        let held = shared
            .lease
            .filter(|(owner, epoch, _)| (*owner, *epoch) == (self.member, lease.epoch));
        let open = |(intent, outcome): &&(OpenIntent, Option<String>)| {
            intent.epoch < lease.epoch && outcome.is_none()
        };
        let open = shared.intents.iter().filter(open).count() as u64;
        match held {
            _ if self.careless => {}
            None => return Ok(Err(Refusal::Lost)),
            Some((_, _, through)) if last_secs > through => {
                return Ok(Err(Refusal::OutlivesLease { through }));
            }
            Some(_) if open > 0 => return Ok(Err(Refusal::Unsettled { open })),
            Some(_) => {}
        }
        let intent = OpenIntent {
            epoch: lease.epoch,
            signature: name.into(),
            last_valid: last_secs,
            bytes: bytes.into(),
        };
        shared.intents.push((intent, None));
        Ok(Ok(()))
    }

    fn open(&mut self, _shard: u32) -> Result<Vec<OpenIntent>, String> {
        let shared = self.shared.lock().unwrap();
        let open = shared
            .intents
            .iter()
            .filter(|(_, outcome)| outcome.is_none());
        Ok(open.map(|(intent, _)| intent.clone()).collect())
    }

    fn settle(&mut self, _shard: u32, name: &str, outcome: &str) -> Result<(), String> {
        let mut shared = self.shared.lock().unwrap();
        let mut intents = shared.intents.iter_mut();
        let known = intents.find(|(intent, outcome)| intent.signature == name && outcome.is_none());
        if let Some((_, known)) = known {
            *known = Some(outcome.into());
        }
        Ok(())
    }

    fn outcomes(&mut self, _shard: u32, from_secs: u64) -> Result<Vec<(String, String)>, String> {
        let shared = self.shared.lock().unwrap();
        let late = shared
            .intents
            .iter()
            .filter(|(intent, _)| intent.last_valid >= from_secs);
        Ok(late
            .filter_map(|(intent, outcome)| Some((intent.signature.clone(), outcome.clone()?)))
            .collect())
    }
}

/// The way to the venue: an order may be on it for long.
pub struct Wire {
    venue: PaperVenue,
    clock: Arc<ManualClock>,
    /// How long the next order takes; 0: it is there at once, and answered.
    next_ms: AtomicU64,
    on_its_way: Mutex<Vec<(u64, Order)>>,
}

impl Wire {
    async fn deliver(&self) {
        let now_ms = self.clock.now_ms();
        let due: Vec<Order> = {
            let mut waiting = self.on_its_way.lock().unwrap();
            let due = waiting.extract_if(.., |(at, _)| *at <= now_ms);
            due.map(|(_, order)| order).collect()
        };
        for order in due {
            // Too late a one is refused.
            let _ = self.venue.place(&order).await;
        }
    }
}

#[async_trait]
impl Relay for Wire {
    type Target = PaperVenue;

    fn target(&self) -> &Self::Target {
        &self.venue
    }

    async fn place(&self, order: &Order) -> Result<Done, VenueError> {
        match self.next_ms.swap(0, Ordering::SeqCst) {
            0 => self.venue.place(order).await,
            late => {
                let at = self.clock.now_ms() + late;
                self.on_its_way.lock().unwrap().push((at, order.clone()));
                Err(VenueError::Unknown("the connection broke".into()))
            }
        }
    }
}

/// The lease as the only gate.
struct Behind<T: Table>(Arc<Leader<T>>);

#[async_trait]
impl<T: Table> Gate for Behind<T> {
    async fn admit(&self, order: &Order) -> Result<(), String> {
        self.0.admit(order).await
    }
    async fn ended(&self, order: &Order, end: &End) {
        self.0.ended(order, end).await;
    }
}

pub struct Member<T: Table> {
    pub lead: Arc<Leader<T>>,
    pub hedger: Hedger<Arc<Wire>>,
    pub paused_until_ms: u64,
    pub led: usize,
}

pub struct Stage<T: Table> {
    pub clock: Arc<ManualClock>,
    pub tape: Arc<Mutex<Tape>>,
    pub wire: Arc<Wire>,
    pub members: Vec<Member<T>>,
    _folder: tempfile::TempDir,
    pub strangers: usize,
}

/// What is to be hedged; within one of it nothing is traded.
pub const DELTA: i64 = 10;

impl<T: Table> Stage<T> {
    pub fn new(connect: impl Fn(usize) -> Connect<T>) -> Self {
        let start_ms = 1_795_000_000_000;
        let clock = Arc::new(ManualClock::at(start_ms));
        let sol = Instrument {
            coin: "SOL".into(),
            asset: 0,
            size_places: 2,
            max_leverage: 20,
        };
        let level = |price: i64| Level {
            price: price.into(),
            size: 1_000.into(),
        };
        let mut exchange = Exchange::new(start_ms, Fees::default(), [sol]);
        exchange.deposit(ME, 100_000.into());
        let depth = Depth {
            bids: vec![level(99)],
            asks: vec![level(101)],
        };
        exchange.set_depth(0, 100.into(), depth);
        let tape = Arc::new(Mutex::new(Tape::new(exchange, [])));
        let wire = Arc::new(Wire {
            venue: PaperVenue::new(Arc::clone(&tape), clock.clone(), ME, 0),
            clock: Arc::clone(&clock),
            next_ms: AtomicU64::new(0),
            on_its_way: Mutex::default(),
        });
        let folder = tempfile::tempdir().unwrap();
        let member = |member: usize| {
            let lead = Arc::new(Leader::new(SHARD, connect(member)));
            let file = folder.path().join(format!("journal-{member}"));
            let (journal, entries) = Journal::open(&file).unwrap();
            let plan = Plan {
                account: ME,
                coin: "SOL".into(),
                rules: Rules {
                    band: Decimal::ONE,
                    cap_bps: 100.into(),
                    depth_share: Decimal::ONE,
                },
                expires_after_ms: 5_000,
            };
            let hedger = Hedger::new(plan, Arc::clone(&wire), journal, &entries);
            Member {
                hedger: hedger.with_gate(Arc::new(Behind(Arc::clone(&lead)))),
                lead,
                paused_until_ms: 0,
                led: 0,
            }
        };
        Self {
            members: vec![member(0), member(1)],
            clock,
            tape,
            wire: Arc::clone(&wire),
            _folder: folder,
            strangers: 0,
        }
    }

    /// A member asks for the lease.
    pub async fn stand(&mut self, member: usize) -> bool {
        let member = &mut self.members[member];
        let since_ms = member.hedger.books().fills_since_ms();
        let standing = member.lead.stand(self.wire.as_ref(), since_ms).await;
        let Ok(Standing::Leads(oids)) = standing else {
            return false;
        };
        member.hedger.know_partners(oids).unwrap();
        member.led += 1;
        true
    }

    /// A member that believes to lead goes on, by a clock that may be wrong; its order takes so long.
    pub async fn act(&mut self, member: usize, now_ms: u64, late_ms: u64) {
        self.wire.next_ms.store(late_ms, Ordering::SeqCst);
        let hedger = &mut self.members[member].hedger;
        match hedger.step(Exposure::of(DELTA.into()), now_ms).await {
            Ok(report) => self.strangers += report.alerts.len(),
            Err(HedgeError::Venue(_)) => {}
            Err(error) => panic!("{error}"),
        }
        self.wire.next_ms.store(0, Ordering::SeqCst);
    }

    /// Both, without a pause.
    pub async fn turn(&mut self, member: usize, late_ms: u64) {
        if self.stand(member).await {
            self.act(member, self.clock.now_ms(), late_ms).await;
        }
    }

    pub async fn pause(&self, for_ms: u64) {
        self.clock.advance(for_ms);
        self.wire.deliver().await;
    }

    /// All that was traded, and the position.
    pub fn traded(&self) -> (Decimal, Decimal) {
        let mut tape = self.tape.lock().unwrap();
        let exchange = tape.at(0);
        let fills = &exchange.ledger(ME).unwrap().fills;
        let traded = fills.iter().map(|record| record.fill.size).sum();
        (traded, exchange.account(ME).unwrap().position("SOL"))
    }
}
