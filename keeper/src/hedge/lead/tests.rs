//! Two hedgers on one account, in an order that a seed says: each is paused anywhere, orders arrive late or never, answers are lost.
//! With the lease no order is made twice; members that take it at once, and write without looking, are caught by the same test.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use ballast_lease::rules::{may_take, through_from};
use ballast_localdb::Postgres as Server;
use ballast_venue::{
    clock::{Clock, ManualClock},
    depth::{Depth, Level},
    funding::Settlement,
    hedge::{
        gate::Gate,
        hedger::{HedgeError, Hedger, Plan},
        journal::Journal,
        target::{Exposure, Rules},
    },
    hyperliquid::bytes::{Address, Cloid},
    instrument::Instrument,
    paper::{
        exchange::{Exchange, Fees},
        venue::{PaperVenue, Tape},
    },
    venue::{Account, Done, Fill, Funding, VenueError},
};
use rust_decimal::Decimal;

use super::*;

mod renewal;

const ME: Address = Address([3; 20]);
const SHARD: u32 = ACCOUNTS_FROM + 5;
const SEEDS: u64 = 60;

#[derive(Default)]
struct Shared {
    /// Owner, epoch, through.
    lease: Option<(usize, u64, u64)>,
    intents: Vec<(OpenIntent, Option<String>)>,
}

/// A table in memory, with the rules of the one in Postgres unless it is careless.
struct Memory {
    shared: Arc<Mutex<Shared>>,
    member: usize,
    careless: bool,
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
struct Wire {
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
impl Venue for Wire {
    async fn instrument(&self, coin: &str) -> Result<Instrument, VenueError> {
        self.venue.instrument(coin).await
    }
    async fn depth(&self, coin: &str) -> Result<Depth, VenueError> {
        self.venue.depth(coin).await
    }
    async fn account(&self) -> Result<Account, VenueError> {
        self.venue.account().await
    }
    async fn time_ms(&self) -> Result<u64, VenueError> {
        self.venue.time_ms().await
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
    async fn order(&self, cloid: Cloid) -> Result<OrderState, VenueError> {
        self.venue.order(cloid).await
    }
    async fn cancel(&self, coin: &str, cloid: Cloid) -> Result<(), VenueError> {
        self.venue.cancel(coin, cloid).await
    }
    async fn fills(&self, since_ms: u64) -> Result<Vec<Fill>, VenueError> {
        self.venue.fills(since_ms).await
    }
    async fn funding(&self, since_ms: u64) -> Result<Vec<Funding>, VenueError> {
        self.venue.funding(since_ms).await
    }
    async fn settlements(&self, coin: &str, since_ms: u64) -> Result<Vec<Settlement>, VenueError> {
        self.venue.settlements(coin, since_ms).await
    }
    async fn taker_fee(&self) -> Result<Decimal, VenueError> {
        self.venue.taker_fee().await
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

struct Member<T: Table> {
    lead: Arc<Leader<T>>,
    hedger: Hedger<Arc<Wire>>,
    paused_until_ms: u64,
    led: usize,
}

struct Stage<T: Table> {
    clock: Arc<ManualClock>,
    tape: Arc<Mutex<Tape>>,
    wire: Arc<Wire>,
    members: Vec<Member<T>>,
    _folder: tempfile::TempDir,
    strangers: usize,
}

/// What is to be hedged; within one of it nothing is traded.
const DELTA: i64 = 10;

impl<T: Table> Stage<T> {
    fn new(connect: impl Fn(usize) -> Connect<T>) -> Self {
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
    async fn stand(&mut self, member: usize) -> bool {
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
    async fn act(&mut self, member: usize, now_ms: u64, late_ms: u64) {
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
    async fn turn(&mut self, member: usize, late_ms: u64) {
        if self.stand(member).await {
            self.act(member, self.clock.now_ms(), late_ms).await;
        }
    }

    async fn pause(&self, for_ms: u64) {
        self.clock.advance(for_ms);
        self.wire.deliver().await;
    }

    /// All that was traded, and the position.
    fn traded(&self) -> (Decimal, Decimal) {
        let mut tape = self.tape.lock().unwrap();
        let exchange = tape.at(0);
        let fills = &exchange.ledger(ME).unwrap().fills;
        let traded = fills.iter().map(|record| record.fill.size).sum();
        (traded, exchange.account(ME).unwrap().position("SOL"))
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What came of a seed.
struct Played {
    traded: Decimal,
    position: Decimal,
    /// Whether both led at some time.
    both: bool,
    /// Trades that a member took for a stranger's.
    strangers: usize,
}

/// Plays a seed. With every second one the other member has its turn while one is paused in the middle of its own.
async fn play(seed: u64, careless: bool) -> Played {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let mut stage = Stage::new(|member| {
        let shared = Arc::clone(&shared);
        Arc::new(move || {
            Ok(Memory {
                shared: Arc::clone(&shared),
                member,
                careless,
            })
        })
    });
    let mut random = Random(seed);
    for step in 0..120 {
        stage.pause(500 + random.below(2_500)).await;
        let member = random.below(2) as usize;
        // In the end the weather clears.
        if step >= 80 {
            stage.turn(member, 0).await;
            continue;
        }
        let now_ms = stage.clock.now_ms();
        let paused = &mut stage.members[member].paused_until_ms;
        if *paused > now_ms {
            continue;
        }
        if random.below(8) == 0 {
            *paused = now_ms + random.below(150_000);
        }
        let late = |random: &mut Random| random.below(2) * (1 + random.below(9_000));
        if !stage.stand(member).await {
            continue;
        }
        let before_ms = stage.clock.now_ms();
        if random.below(3) == 0 {
            stage.pause(random.below(90_000)).await;
            if seed % 2 == 1 {
                let late_ms = late(&mut random);
                stage.turn(1 - member, late_ms).await;
            }
        }
        let stale = random.below(2) == 0;
        let now_ms = if stale {
            before_ms
        } else {
            stage.clock.now_ms()
        };
        let late_ms = late(&mut random);
        stage.act(member, now_ms, late_ms).await;
    }
    let (traded, position) = stage.traded();
    Played {
        traded,
        position,
        both: stage.members.iter().all(|member| member.led > 0),
        strangers: stage.strangers,
    }
}

#[tokio::test]
async fn with_the_lease_two_hedgers_make_no_order_twice() {
    let mut both = 0;
    for seed in 0..SEEDS {
        let played = play(seed, false).await;
        let wanted = Decimal::from(DELTA - 1);
        let came = (played.traded, played.position);
        assert_eq!(came, (wanted, -wanted), "seed {seed}");
        // Who was paused for longer than its lease does not know what the other did meanwhile.
        if seed % 2 == 0 {
            assert_eq!(
                played.strangers, 0,
                "seed {seed}: the other's orders are ours"
            );
        }
        both += u64::from(played.both);
    }
    assert!(
        both > SEEDS / 3,
        "they took turns in {both} of {SEEDS} seeds"
    );
}

#[tokio::test]
async fn members_that_take_the_lease_at_once_are_caught_by_the_same_test() {
    let mut twice = 0;
    for seed in 0..SEEDS {
        let played = play(seed, true).await;
        twice += u64::from(played.traded > Decimal::from(DELTA - 1));
    }
    assert!(twice > 0, "no seed shows it");
}

#[tokio::test]
async fn on_postgres_the_next_leader_waits_settles_and_knows_the_last_ones_orders() {
    let Some(server) = Server::shared_or_skip() else {
        return;
    };
    let url = server.database().unwrap();
    let mut stage: Stage<Leases> = Stage::new(|member| {
        let url = url.clone();
        Arc::new(move || {
            let (client, _) = Postgres::client(&url).map_err(|error| error.to_string())?;
            Leases::new(client, &format!("member {member}")).map_err(|error| error.to_string())
        })
    });
    // The first leads; its order arrives, and its answer does not. Then it is gone.
    stage.turn(0, 1_000).await;
    stage.pause(2_000).await;
    let wanted = Decimal::from(DELTA - 1);
    assert_eq!(stage.traded(), (wanted, -wanted));
    for _ in 0..28 {
        stage.turn(1, 0).await;
        stage.pause(2_000).await;
    }
    assert_eq!(stage.members[1].led, 0, "the lease still holds");
    stage.pause(6_000).await;
    stage.turn(1, 0).await;
    stage.turn(1, 0).await;
    assert_eq!((stage.members[1].led, stage.strangers), (2, 0));
    // The first comes back, and follows. What it did it finds out when it leads again.
    stage.turn(0, 0).await;
    assert_eq!(stage.members[0].led, 1);
    stage.pause(70_000).await;
    stage.turn(0, 0).await;
    assert_eq!((stage.members[0].led, stage.strangers), (2, 0));
    assert_eq!(stage.traded(), (wanted, -wanted));
    assert_eq!(stage.members[0].hedger.books().open().count(), 0);
}
