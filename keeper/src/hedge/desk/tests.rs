//! The desk with our client over HTTP against the stand-in of the venue: what it hedges, and what the flags hear of it.

use std::{fs, os::unix::fs::PermissionsExt, sync::Mutex};

use ballast_flags::{Board, Flag, State};
use ballast_strategy::{fixtures, situation::Outlook};
use ballast_venue::{
    clock::ManualClock,
    depth::{Depth, Level},
    hedge::journal::Origin,
    hyperliquid::{
        bytes::Address,
        sign::{Network, PrivateKey},
    },
    instrument::Instrument,
    paper::{
        exchange::{Exchange, Fees},
        venue::Tape,
    },
    standin::{
        StandIn,
        faults::{Fault, Faults},
    },
};
use solana_sdk::pubkey::Pubkey;
use tokio::{sync::mpsc, time::Instant};

use super::*;
use crate::{
    Mode,
    picture::{Found, MarketPicture, PositionPicture},
    sim::{bytes, config_with},
};

mod stream;

/// A full hour.
const START_MS: u64 = 498_611 * 3_600_000;
const HOUR_MS: u64 = 3_600_000;

fn key(number: u8) -> PrivateKey {
    PrivateKey::from_hex(&format!("0x{number:064x}")).unwrap()
}

struct Scene {
    clock: Arc<ManualClock>,
    tape: Arc<Mutex<Tape>>,
    faults: Arc<Mutex<Faults>>,
    stand_in: StandIn,
    owner: Address,
    folder: tempfile::TempDir,
    pictures: watch::Sender<Option<Arc<Picture>>>,
    board: Board<Pubkey>,
    sequence: u64,
    /// Whether positions are older than what was done to them.
    stale: bool,
    /// Whether one of the positions makes no sense.
    broken: bool,
}

impl Scene {
    async fn new(hourly: Decimal) -> Self {
        let clock = Arc::new(ManualClock::at(START_MS));
        let owner = key(1).address();
        let sol = Instrument {
            coin: "SOL".into(),
            asset: 0,
            size_places: 2,
            max_leverage: 20,
        };
        let mut exchange = Exchange::new(START_MS, Fees::default(), [sol]);
        exchange.deposit(owner, 100_000.into());
        exchange.set_funding(0, hourly, hourly);
        let level = |cents: i64| Level {
            price: Decimal::new(cents, 2),
            size: 100.into(),
        };
        let depth = Depth {
            bids: vec![level(20_290)],
            asks: vec![level(20_310)],
        };
        exchange.set_depth(0, 203.into(), depth);
        let tape = Arc::new(Mutex::new(Tape::new(exchange, [])));
        let faults = Arc::new(Mutex::new(Faults::none()));
        let stand_in = StandIn::start(
            0,
            Network::Testnet,
            Arc::clone(&tape),
            clock.clone(),
            Arc::clone(&faults),
        );
        let stand_in = stand_in.await.unwrap();
        stand_in.set_agent(key(2).address(), Some(owner));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent");
        fs::write(&file, format!("0x{:064x}", 2)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let rules = ballast_flags::Rules::default();
        Self {
            clock,
            tape,
            faults,
            stand_in,
            owner,
            folder,
            pictures: watch::Sender::new(None),
            board: Board::new(rules, std::iter::empty(), true),
            sequence: 0,
            stale: false,
            broken: false,
        }
    }

    fn config(&self, mode: Mode) -> Config {
        let hedge = format!(
            "[hedge]\nvenue = \"hyperliquid\"\nnetwork = \"testnet\"\nurl = \"{}\"\naccount = \"{}\"\n\
             agent_key = \"{}\"\nowners = [\"{}\"]\n[[hedge.perps]]\ncoin = \"SOL\"\nmarkets = [\"{}\"]\n\
             band = \"0.1\"\nmax_position = 20\n",
            self.stand_in.url(),
            self.owner,
            self.folder.path().join("agent").display(),
            fixtures::OWNER,
            bytes::context().address,
        );
        let mut config = config_with(mode, &hedge);
        config.journal_dir = self.folder.path().to_owned();
        config
    }

    fn desk(
        &self,
        mode: Mode,
    ) -> (
        Desk,
        mpsc::Receiver<Heard>,
        tokio::sync::broadcast::Receiver<KeeperEvent>,
    ) {
        let config = self.config(mode);
        let (ear, heard) = mpsc::channel(1_024);
        let events = Events::default();
        let told = events.subscribe();
        let around = Around {
            control: Control::new(mode, events.clone(), None),
            pictures: self.pictures.subscribe(),
            events,
            ear,
            now: watch::Sender::default(),
        };
        let tools = Tools {
            clock: Some(self.clock.clone()),
            ..Tools::default()
        };
        let hedge = config.hedge.clone().unwrap();
        (
            Desk::open(&config, &hedge, tools, around).unwrap(),
            heard,
            told,
        )
    }

    /// Publishes positions of the worked example in a market at a price.
    fn show(&mut self, dollars: i64, found: Found) {
        let context = bytes::context();
        let mut snapshot = fixtures::snapshot(dollars);
        let stored = fixtures::position();
        fixtures::book_debts(&mut snapshot, &stored);
        let newest = Some(Arc::new(snapshot));
        let mut market = MarketPicture {
            newest: newest.clone(),
            on_chain: newest,
            volatility_ticks: None,
            fee_yield: None,
            positions_read: true,
            positions: Default::default(),
            context: Arc::new(context.clone()),
        };
        for number in 1..=3 {
            let mut stored = stored;
            if self.broken && number == 2 {
                stored.tick_upper = stored.tick_lower;
            }
            market.positions.insert(PositionPicture {
                address: Pubkey::new_from_array([number; 32]),
                slot: 1,
                position: Arc::new(stored),
                outlook: Outlook::default(),
                found,
                in_flight: 0,
                stale: self.stale,
            });
        }
        let mut picture = Picture::empty();
        self.sequence += 1;
        picture.sequence = self.sequence;
        picture.slot_seen = Some(Instant::now());
        picture.markets.insert(context.address, market);
        self.pictures.send_replace(Some(Arc::new(picture)));
    }

    async fn tick(&mut self, desk: &mut Desk, heard: &mut mpsc::Receiver<Heard>) {
        self.clock.advance(3_000);
        desk.tick().await;
        let now_secs = self.now_secs();
        while let Ok(news) = heard.try_recv() {
            match news {
                Heard::Funding {
                    settled_secs,
                    hourly_ppb,
                } => self.board.funding(settled_secs, hourly_ppb),
                Heard::HedgeSent => self.board.hedge_sent(now_secs),
                Heard::HedgeFill(fill) => self.board.hedge_fill(fill, now_secs),
                Heard::Endpoints(_) | Heard::Flow { .. } => {}
            }
        }
    }

    fn now_secs(&self) -> i64 {
        i64::try_from(self.clock.now_ms() / 1_000).unwrap()
    }

    fn state(&mut self, flag: Flag) -> State {
        let judged = self.board.judge(self.now_secs());
        let mut judgements = judged.judgements.into_iter();
        judgements.find(|judged| judged.flag == flag).unwrap().state
    }

    fn held(&self) -> Decimal {
        let mut tape = self.tape.lock().unwrap();
        tape.at(0).account(self.owner).unwrap().position("SOL")
    }

    fn trades(&self) -> usize {
        let mut tape = self.tape.lock().unwrap();
        tape.at(0).ledger(self.owner).unwrap().fills.len()
    }
}

#[tokio::test]
async fn over_http_one_order_brings_the_book_into_the_band_and_a_lost_answer_makes_no_second() {
    let mut scene = Scene::new(Decimal::new(125, 7)).await;
    scene.show(203, Found::Nothing);
    let (mut desk, mut heard, _) = scene.desk(Mode::Active);
    scene.faults.lock().unwrap().force(Fault::LoseAnswer);
    for _ in 0..6 {
        scene.tick(&mut desk, &mut heard).await;
    }
    let perp = &desk.now.perps["SOL"];
    let (low, high) = perp.residual.unwrap();
    assert_eq!(low, high);
    let net = low + scene.held();
    assert!(
        net.abs() <= Decimal::new(11, 2) && scene.held() > Decimal::ZERO,
        "{net}"
    );
    assert_eq!((perp.position, scene.trades()), (Some(scene.held()), 1));
    assert_eq!(desk.now.orders, [("filled", 1)].into());
    assert_eq!(scene.state(Flag::HedgeFills), State::Quiet);
    // What was deleveraged away is told of and hedged again.
    let (mut desk, mut heard, mut told) = {
        drop(desk);
        scene.desk(Mode::Active)
    };
    let held = scene.held();
    scene
        .tape
        .lock()
        .unwrap()
        .at(0)
        .deleverage(scene.owner, 0, held, 203.into());
    for _ in 0..3 {
        scene.tick(&mut desk, &mut heard).await;
    }
    assert_eq!((scene.held(), scene.trades()), (held, 3));
    let mut others = Vec::new();
    while let Ok(event) = told.try_recv() {
        if let KeeperEvent::Hedge(HedgeEvent::OthersTrade { by, .. }) = event {
            others.push(by);
        }
    }
    assert_eq!(others, [Origin::Deleveraging]);
}

#[tokio::test]
async fn what_is_due_on_the_chain_is_left_to_it_until_patience_ends() {
    use ballast_strategy::decide::ActionKind;
    for found in [
        Found::Due(ActionKind::Rehedge),
        // Anybody may do what this keeper does not, and is seen later than the price.
        Found::Blocked(ActionKind::Liquidate),
    ] {
        let mut scene = Scene::new(Decimal::ZERO).await;
        scene.show(203, found);
        let (mut desk, mut heard, _) = scene.desk(Mode::Active);
        scene.tick(&mut desk, &mut heard).await;
        assert_eq!(
            (scene.trades(), desk.now.perps["SOL"].open_on_chain),
            (0, 3)
        );
        assert!(
            desk.now.perps["SOL"].doing.contains("due on the chain"),
            "{:?}",
            desk.now
        );
        desk.hedge.chain_patience = Duration::ZERO;
        scene.tick(&mut desk, &mut heard).await;
        assert_eq!(
            (scene.trades(), desk.now.perps["SOL"].open_on_chain),
            (1, 0)
        );
    }
    // What is blocked for everybody is hedged at once.
    let mut scene = Scene::new(Decimal::ZERO).await;
    scene.show(203, Found::Blocked(ActionKind::Rehedge));
    let (mut desk, mut heard, _) = scene.desk(Mode::Active);
    scene.tick(&mut desk, &mut heard).await;
    assert_eq!(
        (scene.trades(), desk.now.perps["SOL"].open_on_chain),
        (1, 0)
    );
}

#[tokio::test]
async fn what_landed_and_is_not_read_yet_is_not_hedged() {
    let mut scene = Scene::new(Decimal::ZERO).await;
    scene.stale = true;
    scene.show(203, Found::Nothing);
    let (mut desk, mut heard, _) = scene.desk(Mode::Active);
    scene.tick(&mut desk, &mut heard).await;
    assert_eq!(
        (scene.trades(), desk.now.perps["SOL"].open_on_chain),
        (0, 3)
    );
    scene.stale = false;
    scene.show(203, Found::Nothing);
    scene.tick(&mut desk, &mut heard).await;
    assert_eq!(
        (scene.trades(), desk.now.perps["SOL"].open_on_chain),
        (1, 0)
    );
}

#[tokio::test]
async fn a_position_that_cannot_be_valued_is_named_and_its_hedge_is_kept() {
    let mut scene = Scene::new(Decimal::ZERO).await;
    scene.show(203, Found::Nothing);
    let (mut desk, mut heard, _) = scene.desk(Mode::Active);
    scene.tick(&mut desk, &mut heard).await;
    let held = scene.held();
    assert!(held > Decimal::ZERO);
    scene.broken = true;
    scene.show(203, Found::Nothing);
    for _ in 0..3 {
        scene.tick(&mut desk, &mut heard).await;
    }
    assert_eq!(scene.held(), held);
    let doing = &desk.now.perps["SOL"].doing;
    let named = Pubkey::new_from_array([2; 32]).to_string();
    assert!(doing.contains(&named), "{doing}");
}

#[tokio::test]
async fn the_band_grows_with_what_trading_costs_and_is_waited_for() {
    // Averse to risk: a narrow band; hardly so: a wide one, in which all of it stays.
    for (aversion, trades) in [(Decimal::TEN, 1), (Decimal::new(1, 4), 0)] {
        let mut scene = Scene::new(Decimal::ZERO).await;
        scene.show(203, Found::Nothing);
        let (mut desk, mut heard, _) = scene.desk(Mode::Active);
        desk.coins[0].perp.risk_aversion = Some(aversion);
        scene.tick(&mut desk, &mut heard).await;
        assert_eq!(scene.trades(), 0, "the cost is not known yet");
        scene.tick(&mut desk, &mut heard).await;
        let band = desk.now.perps["SOL"].band;
        assert!(band >= Decimal::new(1, 1), "{band}");
        assert_eq!(scene.trades(), trades, "{aversion}: {band}");
        assert!((band > Decimal::ONE) == (trades == 0), "{aversion}: {band}");
    }
}

#[tokio::test]
async fn funding_far_from_the_usual_raises_its_flag_the_usual_does_not_and_too_little_is_unknown() {
    for (hourly, state) in [
        (Decimal::new(125, 7), State::Quiet),
        (Decimal::new(7, 5), State::Raised),
    ] {
        let mut scene = Scene::new(hourly).await;
        scene.show(203, Found::Nothing);
        let (mut desk, mut heard, _) = scene.desk(Mode::Active);
        scene.tick(&mut desk, &mut heard).await;
        assert_eq!(scene.state(Flag::FundingSpike), State::Unknown);
        scene.clock.advance(3 * HOUR_MS);
        // Funding is looked at now and then.
        desk.coins[0].funding_due = Instant::now();
        scene.tick(&mut desk, &mut heard).await;
        assert_eq!(scene.state(Flag::FundingSpike), state, "{hourly}");
        assert_eq!(desk.now.perps["SOL"].settled.len(), 3);
        // It was paid on what is held, and counts.
        let pnl = desk.now.perps["SOL"].pnl.unwrap();
        assert!(pnl.funding.is_zero());
        scene.tick(&mut desk, &mut heard).await;
        let pnl = desk.now.perps["SOL"].pnl.unwrap();
        assert!(pnl.funding < Decimal::ZERO, "{pnl:?}");
    }
}

#[tokio::test]
async fn an_agent_that_the_venue_does_not_know_fails_orders_and_raises_their_flag() {
    let mut scene = Scene::new(Decimal::ZERO).await;
    scene.show(203, Found::Nothing);
    let (mut desk, mut heard, mut told) = scene.desk(Mode::Active);
    scene.stand_in.set_agent(key(2).address(), None);
    for _ in 0..3 {
        scene.tick(&mut desk, &mut heard).await;
    }
    assert_eq!(
        (scene.state(Flag::HedgeFills), scene.trades()),
        (State::Raised, 0)
    );
    let mut troubles = Vec::new();
    while let Ok(event) = told.try_recv() {
        if let KeeperEvent::Hedge(HedgeEvent::Trouble { kind, .. }) = event {
            troubles.push(kind);
        }
    }
    assert_eq!(troubles, [TroubleKind::Agent]);
}

#[tokio::test]
async fn a_mode_that_does_not_send_needs_no_key_and_signs_nothing() {
    let mut scene = Scene::new(Decimal::ZERO).await;
    fs::remove_file(scene.folder.path().join("agent")).unwrap();
    scene.show(203, Found::Nothing);
    for mode in [Mode::Halted, Mode::Observe, Mode::Paper] {
        let (mut desk, mut heard, _) = scene.desk(mode);
        scene.tick(&mut desk, &mut heard).await;
        assert!(
            desk.now.perps["SOL"].doing.starts_with("would buy"),
            "{mode}: {:?}",
            desk.now
        );
        assert_eq!(scene.trades(), 0);
    }
    let config = scene.config(Mode::Active);
    let (ear, _) = mpsc::channel(1);
    let around = Around {
        control: Control::new(Mode::Active, Events::default(), None),
        pictures: scene.pictures.subscribe(),
        events: Events::default(),
        ear,
        now: watch::Sender::default(),
    };
    let hedge = config.hedge.clone().unwrap();
    let opened = Desk::open(&config, &hedge, Tools::default(), around);
    assert!(matches!(opened, Err(DeskError::Key(_))));
}
