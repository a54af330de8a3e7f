//! Several keepers between which positions are shared out: each acts for its own, whoever is paused or dies, and what a paused one has
//! signed is too old when it wakes up.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ballast_client::Chain;
use ballast_lease::TERM;
use ballast_localdb::Postgres;
use ballast_strategy::decide::ActionKind;
use solana_sdk::{signature::Keypair, signer::Signer};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    Disk, Faults, World, bytes,
    node::{Lie, Manners, Node},
    nodes_tests::{WELL, journal_agrees},
    scene::{config_with, landed, parts, settles, world},
    seeds::Seeds,
    story::paused,
};
use crate::{
    Keeper, KeeperError, Mode, Parts,
    journal::{Record, scan},
    shards::fake_table::FakeTable,
};

const POSITIONS: usize = super::scene::POSITIONS as usize;
/// After this a keeper has leases, and blockhashes that are old enough.
pub(super) const WARM: Duration = Duration::from_secs(60);
const NAMES: [&str; 2] = ["one", "two"];

/// One keeper of the group.
pub(super) struct Member {
    pub disk: Disk,
    pub nodes: [Node; 2],
    paused: watch::Sender<bool>,
}

pub(super) struct Group {
    pub world: World,
    pub table: FakeTable,
    pub members: [Member; 2],
}

impl Group {
    pub fn new(seed: u64) -> Self {
        let (world, _) = world(seed, Faults::default());
        let members = [0, 1].map(|number: usize| {
            let paused = watch::Sender::new(false);
            let node = |index| {
                let node = Node::of(&world, 2 * number + index, WELL);
                node.paused_by(paused.clone())
            };
            Member {
                disk: Disk::new(world.crash.clone()),
                nodes: [node(1), node(2)],
                paused: paused.clone(),
            }
        });
        let group = Self {
            world,
            table: FakeTable::default(),
            members,
        };
        let purse = bytes::lamports(1_000_000_000);
        let second = key(1).pubkey();
        group.world.lock().others.insert(second, purse);
        group
    }

    pub fn parts(&self, number: usize) -> Parts {
        let url = "postgres://nobody@localhost/none";
        Parts {
            leases: Some(self.table.connect(NAMES[number])),
            ..self.parts_at(number, url)
        }
    }

    /// With leases where the configuration says.
    fn parts_at(&self, number: usize, url: &str) -> Parts {
        let Member { disk, nodes, .. } = &self.members[number];
        let more = format!(
            "[nodes]\nmore_rpc_urls = [\"http://another\"]\n[shards]\nlease_url = \"{url}\"\nmember = \"{}\"\n",
            NAMES[number]
        );
        let [chain, other] = nodes.clone().map(|node| Arc::new(node) as Arc<dyn Chain>);
        Parts {
            config: config_with(Mode::Active, &more),
            chain,
            more_nodes: vec![other],
            signer: Some(Arc::new(key(number))),
            ..parts(&self.world, disk, Mode::Active)
        }
    }

    /// Lets these run beside a scene.
    pub async fn beside<T>(
        &self,
        keepers: [Option<Parts>; 2],
        scene: impl Future<Output = T>,
    ) -> T {
        let [one, two] = keepers.map(run);
        tokio::select! {
            result = scene => result,
            ended = one => panic!("{ended:?}"),
            ended = two => panic!("{ended:?}"),
        }
    }

    fn both(&self) -> [Option<Parts>; 2] {
        [0, 1].map(|number| Some(self.parts(number)))
    }

    /// Whether everything was done by then and is written down by both.
    async fn settles(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut all = true;
        for member in &self.members {
            all &= settles(&self.world, &member.disk, until).await;
        }
        all
    }

    /// What each has sent, by its journal.
    pub fn sent(&self) -> [usize; 2] {
        [0, 1].map(|number: usize| {
            let records = scan(&self.members[number].disk.bytes()).unwrap().records;
            let intents = records.iter().filter(|it| matches!(it, Record::Intent(_)));
            intents.count()
        })
    }

    pub fn violations(&self) -> Vec<String> {
        self.world.lock().violations.clone()
    }
}

async fn run(parts: Option<Parts>) -> Result<(), KeeperError> {
    match parts {
        Some(parts) => Keeper::new(parts).run(std::future::pending()).await,
        None => std::future::pending().await,
    }
}

fn key(number: usize) -> Keypair {
    Keypair::new_from_array([5 + u8::try_from(number).unwrap(); 32])
}

async fn each_acts_for_its_own(group: &Group, keepers: [Option<Parts>; 2]) {
    let scene = async {
        sleep(WARM).await;
        group.world.lock().set_price(205);
        assert!(group.settles(Duration::from_secs(120)).await);
    };
    group.beside(keepers, scene).await;
    assert_eq!(group.violations(), Vec::<String>::new());
    let [one, two] = group.sent();
    assert!(one > 0 && two > 0, "{one} {two}");
    // Nothing was sent that did not land.
    assert_eq!(one + two, POSITIONS);
    assert_eq!(landed(&group.world, ActionKind::Rehedge), POSITIONS);
}

#[tokio::test(start_paused = true)]
async fn each_of_two_keepers_acts_for_its_own_positions() {
    let group = Group::new(1);
    let keepers = group.both();
    each_acts_for_its_own(&group, keepers).await;
    // What was signed could not land after the leases.
    for (_, intent, outcome) in group.table.intents() {
        assert_eq!(outcome.as_deref(), Some("landed"));
        let world = group.world.lock();
        let signature = intent.signature.parse().unwrap();
        let landed_at = world.transactions[&signature].lands_at.unwrap();
        assert!(intent.last_valid <= landed_at - 500 + TERM, "{intent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_two_keepers_acts_for_its_own_positions_with_leases_in_postgres() {
    let Some(server) = Postgres::shared_or_skip() else {
        return;
    };
    let url = server.database().unwrap();
    let group = Group::new(2);
    let keepers = [0, 1].map(|number| Some(group.parts_at(number, &url)));
    each_acts_for_its_own(&group, keepers).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_is_replaced_and_nothing_is_done_twice() {
    let group = Group::new(3);
    group.beside(group.both(), sleep(WARM)).await;
    // The first is killed.
    group.world.lock().set_price(205);
    let alone = [None, Some(group.parts(1))];
    let began = Instant::now();
    let settled = group.beside(alone, group.settles(Duration::from_secs(300)));
    assert!(settled.await);
    let took = began.elapsed();
    assert_eq!(group.violations(), Vec::<String>::new());
    assert_eq!(landed(&group.world, ActionKind::Rehedge), POSITIONS);
    assert_eq!(group.sent(), [0, POSITIONS]);
    // A term until the other is missed, and the ends of the leases.
    assert!(took < Duration::from_secs(120), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn without_the_table_nothing_is_done_but_what_protects() {
    let group = Group::new(4);
    group.table.answers(false);
    let scene = async {
        sleep(WARM).await;
        group.world.lock().set_price(205);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(group.sent(), [0, 0]);
        // A rehedge would do, but nobody does it.
        group.world.lock().set_price(290);
        sleep(Duration::from_secs(60)).await;
        let kinds: Vec<ActionKind> = {
            let world = group.world.lock();
            world
                .landings
                .iter()
                .map(|landing| landing.action)
                .collect()
        };
        assert!(
            !kinds.is_empty() && kinds.iter().all(|kind| kind.protects()),
            "{kinds:?}"
        );
        group.table.answers(true);
        assert!(group.settles(Duration::from_secs(300)).await);
    };
    let first = [Some(group.parts(0)), None];
    group.beside(first, scene).await;
    assert!(group.table.intents().len() == landed(&group.world, ActionKind::Rehedge));
    assert_eq!(group.violations(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_both_may_do_the_keeper_whose_position_it_is_does_first() {
    let group = Group::new(5);
    let scene = async {
        sleep(WARM).await;
        {
            let mut world = group.world.lock();
            // Nothing has to be hedged, so that a deleverage comes first for both.
            world.change_positions(|position| position.policy.delta_band_bps = 10_000);
            world.set_price(250);
        }
        assert!(group.settles(Duration::from_secs(60)).await);
    };
    group.beside(group.both(), scene).await;
    // The other one sent nothing, not even in vain.
    assert_eq!(group.violations(), Vec::<String>::new());
    let world = group.world.lock();
    assert_eq!(world.transactions.len(), POSITIONS);
    assert!(
        world
            .landings
            .iter()
            .all(|landing| landing.action.protects())
    );
    drop(world);
    let [one, two] = group.sent();
    assert!(one > 0 && two > 0, "{one} {two}");
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

/// Prices move again and again, while keepers are paused just before they send, for long or short, and of each keeper's two nodes
/// one is ahead or lags. Returns what was wrong, and how many were paused.
async fn pauses(seed: u64, mutant: bool) -> (Vec<String>, usize) {
    let group = Group::new(seed);
    let random = Arc::new(Mutex::new(Random(seed)));
    let draw = |bound| random.lock().unwrap().below(bound);
    if mutant {
        group.table.forget_the_rules(100);
    }
    for member in &group.members {
        let [first, second] = &member.nodes;
        let lag = draw(15);
        first.behave(Manners { lag, ..WELL });
        let lie = [Lie::None, Lie::Ahead(draw(15))][draw(2) as usize];
        second.behave(Manners { lie, ..WELL });
    }
    let count = Arc::new(Mutex::new(0));
    group.table.on_write({
        let gates = [0, 1].map(|number: usize| group.members[number].paused.clone());
        let (random, count) = (Arc::clone(&random), Arc::clone(&count));
        Arc::new(move |name| {
            if random.lock().unwrap().below(2) == 0 {
                *count.lock().unwrap() += 1;
                let number = usize::from(name == NAMES[1]);
                gates[number].send_replace(true);
            }
        })
    });
    let waking = async |number: usize| {
        let gate = &group.members[number].paused;
        let mut paused = gate.subscribe();
        while paused.wait_for(|paused| *paused).await.is_ok() {
            sleep(Duration::from_millis(1_000 + draw(90_000))).await;
            gate.send_replace(false);
        }
    };
    let scene = async {
        sleep(WARM).await;
        for dollars in [205, 200, 205, 200] {
            group.world.lock().set_price(dollars);
            let done = group.settles(Duration::from_secs(1_200)).await;
            if !done || !group.violations().is_empty() {
                return done;
            }
        }
        true
    };
    let scene = async {
        let (one, two) = (waking(0), waking(1));
        tokio::select! {
            done = scene => done,
            () = async { tokio::join!(one, two); } => false,
        }
    };
    let done = group.beside(group.both(), scene).await;
    let mut wrong = group.violations();
    if !done {
        let transactions = group.world.lock().transactions.clone();
        wrong.push(format!("no end: {transactions:?}"));
    }
    for member in &group.members {
        wrong.extend(journal_agrees(&group.world, &member.disk).err());
    }
    let count = *count.lock().unwrap();
    (wrong, count)
}

const STORIES: &str = "BALLAST_SHARD_SEEDS";
const USUAL: u64 = 12;

/// New seeds in every run, unless `BALLAST_SEED` names the first.
#[test]
fn a_paused_keeper_wakes_up_and_nothing_that_it_has_signed_lands_beyond_its_lease() {
    let test = "a_paused_keeper_wakes_up_and_nothing_that_it_has_signed_lands_beyond_its_lease";
    let seeds = Seeds::of(test, STORIES, USUAL);
    let mut woken = 0;
    for seed in seeds.all() {
        let (wrong, paused) = paused().block_on(pauses(seed, false));
        assert!(wrong.is_empty(), "BALLAST_SEED={seed}: {wrong:#?}");
        woken += paused;
    }
    println!("{woken} pauses in {} seeds", seeds.count);
    // A few may have nobody who sleeps at the wrong moment.
    assert!(woken > 0 || seeds.count < USUAL);
}

#[test]
fn keepers_whose_leases_check_nothing_are_caught_by_the_same_story() {
    let caught = (1..=USUAL).filter(|seed| {
        let (wrong, _) = paused().block_on(pauses(*seed, true));
        // What was done twice, or could have been.
        wrong
            .iter()
            .any(|wrong| wrong.contains("although nothing was due"))
            || wrong.iter().any(|wrong| wrong.contains("could still land"))
    });
    let caught = caught.count();
    println!("caught in {caught} of {USUAL} seeds");
    assert!(caught > 0);
}
