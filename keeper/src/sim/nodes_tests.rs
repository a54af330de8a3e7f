//! The keeper as a whole on several nodes, of which some lag, hang or lie.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use ballast_client::Chain;
use ballast_flags::{Flag, State};
use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World,
    crash_tests::{POSITIONS, beside, landed, parts, settled, world},
    node::{Answers, Lie, Manners, Node, PassesOn},
};
use crate::{
    Keeper, KeeperEvent, Mode, Parts,
    journal::{Outcome, Record, scan},
};

const COUNT: usize = POSITIONS as usize;
const WELL: Manners = Manners {
    lag: 0,
    answers: Answers::Well,
    lie: Lie::None,
    passes_on: PassesOn::AtOnce,
};

fn lying(lie: Lie) -> Manners {
    Manners { lie, ..WELL }
}

/// Parts of a keeper that knows these nodes, the first its own.
pub(super) fn on_nodes(world: &World, disk: &Disk, nodes: &[Node]) -> Parts {
    let mut all = nodes
        .iter()
        .map(|node| Arc::new(node.clone()) as Arc<dyn Chain>);
    let chain = all.next().unwrap();
    Parts {
        chain,
        more_nodes: all.collect(),
        ..parts(world, disk, Mode::Active)
    }
}

fn nodes(world: &World, manners: &[Manners]) -> Vec<Node> {
    let node = |(index, manners): (usize, &Manners)| Node::of(world, index + 1, *manners);
    manners.iter().enumerate().map(node).collect()
}

/// Whether what the journal says became of each transaction is so.
pub(super) fn journal_agrees(world: &World, disk: &Disk) -> Result<usize, String> {
    let records = scan(&disk.bytes()).unwrap().records;
    let mut intents = std::collections::HashMap::new();
    let mut outcomes = 0;
    for record in records {
        match record {
            Record::Intent(intent) => {
                intents.insert(intent.id, intent.signature);
            }
            Record::Outcome(of) => {
                outcomes += 1;
                let inner = world.lock();
                let known = intents.get(&of.id).and_then(|it| inner.transactions.get(it));
                let truth = known.and_then(|known| Some((known.lands_at?, known.result.clone()?)));
                let agrees = match (&of.outcome, &truth) {
                    (Outcome::Landed { slot }, Some((at, Ok(())))) => slot == at,
                    (
                        Outcome::Failed { slot, .. } | Outcome::Raced { slot, .. },
                        Some((at, Err(_))),
                    ) => slot == at,
                    (Outcome::Expired { .. } | Outcome::Dropped { .. }, None) => true,
                    _ => false,
                };
                if !agrees {
                    return Err(format!("{:?}, but on chain {truth:?}", of.outcome));
                }
            }
            _ => {}
        }
    }
    Ok(outcomes)
}

/// A price move through nodes of these manners, none of which passes anything on for the first half minute of those `lost`.
async fn rehedged(seed: u64, manners: &[Manners], lost: u64) -> (World, Vec<String>, Duration) {
    let faults = Faults {
        lost,
        ..Faults::default()
    };
    let (world, disk) = world(seed, faults);
    world.lock().set_price(205);
    let nodes = nodes(&world, manners);
    let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
    let mut events = keeper.events();
    let began = Instant::now();
    let scene = async {
        if lost > 0 {
            sleep(Duration::from_secs(150)).await;
            world.lock().faults.lost = 0;
        }
        settled(&world, &disk, began).await;
    };
    beside(keeper, scene).await;
    let took = began.elapsed();
    journal_agrees(&world, &disk).unwrap();
    assert_eq!(world.lock().violations, Vec::<String>::new(), "{manners:?}");
    assert_eq!(landed(&world, ActionKind::Rehedge), COUNT, "{manners:?}");
    let mut warned = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let KeeperEvent::Warning { message } = event {
            warned.push(message);
        }
    }
    (world, warned, took)
}

#[tokio::test(start_paused = true)]
async fn expiry_is_not_believed_of_a_node_that_lies() {
    // While transactions are lost, whoever believes it signs another one that could land as well.
    for lie in [Lie::Expired, Lie::ShortBlockhash, Lie::Unknown] {
        for manners in [
            vec![lying(lie), WELL],
            vec![WELL, lying(lie)],
            vec![lying(lie), WELL, WELL],
        ] {
            rehedged(50, &manners, 100).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_that_node_alone_it_would_act_twice() {
    let (world, disk) = world(
        50,
        Faults {
            lost: 60,
            ..Faults::default()
        },
    );
    world.lock().set_price(205);
    let nodes = nodes(&world, &[lying(Lie::Expired)]);
    let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
    beside(keeper, sleep(Duration::from_secs(120))).await;
    let violations = world.lock().violations.clone();
    assert!(
        violations.iter().any(|it| it.contains("could still land")),
        "{violations:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_lies_is_noticed_and_reported() {
    for (lie, lost, word) in [
        (Lie::Landed, 100, "the others deny"),
        (Lie::Slots(1_000_000), 0, "cannot have reached"),
    ] {
        let (_, warned, _) = rehedged(51, &[lying(lie), WELL, WELL], lost).await;
        let of_liar = |it: &&String| it.starts_with("rpc-1 (http://node-1)");
        let told: Vec<&String> = warned.iter().filter(of_liar).collect();
        assert!(told.iter().any(|it| it.contains(word)), "{lie:?}: {warned:?}");
        let others = |it: &String| it.starts_with("rpc-2") || it.starts_with("rpc-3");
        assert!(!warned.iter().any(others), "{lie:?}: {warned:?}");
    }
    let lagging = Manners { lag: 75, ..WELL };
    let (_, warned, _) = rehedged(52, &[lagging, WELL], 0).await;
    assert!(warned.iter().any(|it| it.starts_with("rpc-1") && it.contains("behind")), "{warned:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lie_about_a_transaction_raises_the_flag() {
    let (world, disk) = world(
        53,
        Faults {
            lost: 100,
            ..Faults::default()
        },
    );
    world.lock().set_price(205);
    let nodes = nodes(&world, &[WELL, lying(Lie::Landed), WELL]);
    let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
    let flags = keeper.flags();
    let state = || {
        let now = flags.borrow().clone();
        let mut all = now.verdict.judgements.iter();
        let found = all.find(|it| it.flag == Flag::EndpointsDisagree).unwrap();
        (found.state, found.note.clone())
    };
    let scene = async {
        sleep(Duration::from_secs(40)).await;
        assert_eq!(state().0, State::Quiet);
        sleep(Duration::from_secs(120)).await;
        let (state, note) = state();
        assert_eq!(state, State::Raised, "{note}");
        assert!(note.contains("What rpc-2 said of a transaction others deny"), "{note}");
    };
    beside(keeper, scene).await;
}

/// A second, and what a simulated answer takes, for each of the few questions of an action.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test(start_paused = true)]
async fn nodes_that_fail_hold_nobody_up_for_long() {
    let hangs = Manners {
        answers: Answers::Hangs,
        ..WELL
    };
    let gone = Manners {
        answers: Answers::Gone,
        ..WELL
    };
    for bad in [
        hangs,
        gone,
        lying(Lie::WouldFail),
        lying(Lie::Slots(500)),
        Manners { lag: 75, ..WELL },
        Manners {
            passes_on: PassesOn::Never,
            ..WELL
        },
    ] {
        for manners in [vec![bad, WELL, WELL], vec![WELL, bad, WELL]] {
            let (_, _, took) = rehedged(54, &manners, 0).await;
            assert!(took < SOON, "{bad:?}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_one_node_left_it_is_believed_after_a_while() {
    let hangs = Manners {
        answers: Answers::Hangs,
        ..WELL
    };
    let (world, _, took) = rehedged(55, &[hangs, WELL], 0).await;
    // It was done at once; to be sure of it took a minute.
    let last = world.lock().landings.last().unwrap().slot - ballast_strategy::fixtures::SLOT;
    assert!(last < 75, "{last}");
    assert!(took > Duration::from_secs(60) && took < Duration::from_secs(90), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_blockhash_that_is_none_is_taken_of_another_node_next_time() {
    let (_, _, took) = rehedged(56, &[lying(Lie::NoBlockhash), WELL], 0).await;
    assert!(took < BOUND, "{took:?}");
}

/// Within this of a price's move everything that is due has been done, while one node works: what was signed on a lie is waited for until it
/// can land no more (some 75 s, and once more for what follows it), a node that says nothing of transactions any more is waited for (60 s),
/// and starts are tried again.
const BOUND: Duration = Duration::from_secs(240);

/// Nodes that change their manners now and then, of which one at most lies at a time and one always works, under kills.
struct Story {
    seed: u64,
    random: u64,
}

impl Story {
    fn draw(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// Honest, but perhaps of no use.
    fn shaky(&mut self) -> Manners {
        let answers = match self.draw(8) {
            0 => Answers::Hangs,
            1 => Answers::Gone,
            2 => Answers::Busy(60),
            3 => Answers::Garbage(60),
            _ => Answers::Well,
        };
        let passes_on = match self.draw(6) {
            0 => PassesOn::Later(5 + self.draw(100)),
            1 => PassesOn::Twice,
            2 => PassesOn::Never,
            _ => PassesOn::AtOnce,
        };
        Manners {
            lag: [0, 0, 4, 40, 100][self.draw(5) as usize],
            answers,
            passes_on,
            lie: Lie::None,
        }
    }

    fn liar(&mut self) -> Manners {
        let lies = [
            Lie::Landed,
            Lie::Expired,
            Lie::Unknown,
            Lie::Slots(500),
            Lie::Slots(u64::MAX / 2),
            Lie::ShortBlockhash,
            Lie::NoBlockhash,
            Lie::WouldFail,
            Lie::Fork(20),
        ];
        let lie = lies[self.draw(lies.len() as u64) as usize];
        Manners {
            lie,
            ..self.shaky()
        }
    }

    /// New manners: the anchor works, and of the others one may lie, always the same.
    fn behave(&mut self, nodes: &[Node], anchor: usize, liar: usize) {
        for (index, node) in nodes.iter().enumerate() {
            let manners = if index == anchor {
                Manners {
                    lag: [0, 3][self.draw(2) as usize],
                    answers: [Answers::Well, Answers::Busy(20)][self.draw(2) as usize],
                    ..WELL
                }
            } else if index == liar {
                self.liar()
            } else {
                self.shaky()
            };
            node.behave(manners);
        }
    }

    /// Tells it; how long it took until everything had been done, without the pauses before restarts.
    async fn tell(mut self) -> Result<Duration, String> {
        let dollars = [205, 290][self.draw(2) as usize];
        let faults = Faults {
            no_answer: self.draw(4),
            lost: self.draw(3) * 25,
            // What fails on chain may make something else go first, which the other price's expectation does not know.
            fails: if dollars == 205 { self.draw(3) * 15 } else { 0 },
            lags: self.draw(30),
            lag_slots: self.draw(5),
        };
        let (world, disk) = world(self.seed, faults);
        let count = 2 + self.draw(2) as usize;
        let (anchor, liar) = (
            self.draw(count as u64) as usize,
            self.draw(count as u64 + 1) as usize,
        );
        let nodes = nodes(&world, &vec![WELL; count]);
        let changes = (0..4).map(|_| 1 + self.draw(30)).collect::<Vec<_>>();
        self.behave(&nodes, anchor, liar);
        let kills: Vec<u64> = (0..self.draw(4)).map(|_| 1 + self.draw(250)).collect();
        let began = Instant::now();
        world.lock().set_price(dollars);
        let mut away = Duration::ZERO;
        let turning = async {
            for secs in changes {
                sleep(Duration::from_secs(secs)).await;
                self.behave(&nodes, anchor, liar);
            }
            std::future::pending::<()>().await
        };
        let living = async {
            for crash_at in kills.into_iter().chain(std::iter::repeat(0)) {
                world.crash.begin(crash_at);
                let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
                let done = tokio::select! {
                    biased;
                    () = world.crash.happens() => false,
                    () = settled(&world, &disk, began) => true,
                    ended = keeper.run(std::future::pending()) => {
                        // A start needs answers; the supervisor tries again.
                        assert!(ended.is_err());
                        false
                    }
                };
                if done && crash_at == 0 {
                    return;
                }
                let pause = Duration::from_millis(200 + world.lock().random(5_000));
                away += pause;
                let part = world.lock().random(1_000);
                if world.crash.has_happened() && part.is_multiple_of(2) {
                    disk.lose_power(part);
                }
                sleep(pause).await;
            }
        };
        tokio::select! {
            () = living => {}
            () = turning => {}
        }
        let inner = world.lock();
        if !inner.violations.is_empty() {
            return Err(format!("{:?}", inner.violations));
        }
        let last = inner.landings.iter().map(|landing| landing.slot).max();
        drop(inner);
        journal_agrees(&world, &disk)?;
        let done = done(&world);
        if done != expected(dollars) {
            return Err(format!("at {dollars} dollars {done:?}"));
        }
        let slots = last.unwrap_or(0) - ballast_strategy::fixtures::SLOT;
        let took = Duration::from_millis(slots * 400).saturating_sub(away);
        if took > BOUND {
            return Err(format!("it took {took:?}"));
        }
        Ok(took)
    }
}

/// What was done to each position.
fn done(world: &World) -> Vec<(Pubkey, ActionKind)> {
    let inner = world.lock();
    let mut done: Vec<_> = inner
        .landings
        .iter()
        .map(|landing| (landing.position, landing.action))
        .collect();
    done.sort_unstable();
    done
}

/// What is to be done at a price, as a run without any fault shows.
fn expected(dollars: i64) -> &'static [(Pubkey, ActionKind)] {
    static EXPECTED: OnceLock<[Vec<(Pubkey, ActionKind)>; 2]> = OnceLock::new();
    let run = |dollars| {
        let faultless = move || {
            let runtime = paused();
            runtime.block_on(async {
                let (world, disk) = world(1, Faults::default());
                world.lock().set_price(dollars);
                let keeper = Keeper::new(parts(&world, &disk, Mode::Active));
                beside(keeper, settled(&world, &disk, Instant::now())).await;
                done(&world)
            })
        };
        // No runtime inside another one.
        std::thread::spawn(faultless).join().unwrap()
    };
    let both = EXPECTED.get_or_init(|| [run(205), run(290)]);
    &both[usize::from(dollars != 205)]
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
}

#[test]
fn without_faults_each_position_is_rehedged_or_brought_to_safety() {
    let kinds = |dollars| {
        let of = |number: u8| Pubkey::new_from_array([100 + number; 32]);
        let all = expected(dollars).iter();
        for number in 0..POSITIONS {
            assert!(all.clone().any(|(position, _)| *position == of(number)));
        }
        all.map(|(_, kind)| *kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(205), [ActionKind::Rehedge; COUNT]);
    let protecting = kinds(290);
    assert!(protecting.iter().all(|kind| kind.protects()), "{protecting:?}");
    assert!(protecting.iter().any(|kind| *kind > ActionKind::Rehedge), "{protecting:?}");
}

/// `BALLAST_SEED`: the first; `BALLAST_NODE_SEEDS`: how many.
#[test]
fn whatever_nodes_do_and_wherever_it_is_killed_it_acts_once_and_in_time() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("BALLAST_SEED").unwrap_or(1);
    let count: u64 = number("BALLAST_NODE_SEEDS").unwrap_or(200);
    println!("BALLAST_SEED={first} BALLAST_NODE_SEEDS={count}");
    let (mut wrong, mut longest) = (Vec::new(), (Duration::ZERO, 0));
    for seed in first..first + count {
        let told = paused().block_on(Story { seed, random: seed }.tell());
        match told {
            Ok(took) => longest = longest.max((took, seed)),
            Err(why) => wrong.push(format!("BALLAST_SEED={seed}: {why}")),
        }
    }
    let (took, seed) = longest;
    println!("the longest took {took:?} (seed {seed})");
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
}
