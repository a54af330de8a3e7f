//! A random story of a keeper on nodes that change their manners, killed anywhere. A seed tells the same story every time, to the last
//! line: everything runs on one thread and one simulated clock, in an order that nothing but the seed decides.

use std::{cell::Cell, time::Duration};

use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep};

use super::{
    Faults, World, config,
    fork::Then,
    node::{Answers, Lie, Manners, Node, PassesOn},
    nodes_tests::{BOUND, WELL, journal_agrees, nodes, on_nodes},
    scene::{LIMIT, POSITIONS, settles, world},
    seeds::draw,
};
use crate::{Keeper, Mode};

/// Within this everything that is due has been done, the time in which the keeper is down left out. Twice what it takes where one thing
/// goes wrong (`nodes_tests::BOUND`): here they follow each other, and what became of a transaction takes two nodes that say so at the same
/// time, of which one may answer so few questions that this takes minutes. What fails on chain, which is no node's doing, waits for its
/// longest pause, and for a node that says nothing. What a fork takes back is waited for until it can land no more, and done anew.
fn bound(failures: u32, forks: u32) -> Duration {
    let config = config(Mode::Active);
    (2 + forks) * BOUND + (config.timing.backoff_max + config.nodes.asked.alone_after) * failures
}

/// What came of a story.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// How long it took until everything had been done, without the pauses before restarts; or what was wrong.
    pub took: Result<Duration, String>,
    /// What happened, a line each, if that was wanted.
    pub trace: Vec<String>,
}

/// Nodes that change their manners now and then, of which one at most lies at a time and one always works, under kills, on a cluster whose
/// forks take back what was confirmed.
pub(super) struct Story {
    seed: u64,
    random: u64,
}

impl Story {
    pub fn new(seed: u64) -> Self {
        Self { seed, random: seed }
    }

    fn draw(&mut self, bound: u64) -> u64 {
        draw(&mut self.random, bound)
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
            Lie::Positions,
        ];
        let lie = lies[self.draw(lies.len() as u64) as usize];
        Manners {
            lie,
            ..self.shaky()
        }
    }

    /// New manners: the anchor works, and of the others one may lie, always the same.
    fn behave(&mut self, nodes: &[Node], anchor: usize, liar: usize) {
        let manners = (0..nodes.len()).map(|index| match index {
            _ if index == anchor => Manners {
                lag: [0, 3][self.draw(2) as usize],
                answers: [Answers::Well, Answers::Busy(20)][self.draw(2) as usize],
                ..WELL
            },
            _ if index == liar => self.liar(),
            _ => self.shaky(),
        });
        let mut manners: Vec<Manners> = manners.collect();
        outvoted(&mut manners, liar);
        for (node, manners) in nodes.iter().zip(manners) {
            node.behave(manners);
        }
    }

    /// In every third story: after how many seconds each fork wins, and how many slots it takes back. Drawn apart, so that everything else
    /// stays as it is without them.
    fn forks(&self) -> Vec<(u64, u64)> {
        let mut random = self.seed ^ 0x7461_6b65_6e00_0000;
        let mut draw = |bound| draw(&mut random, bound);
        let count = if draw(3) == 0 { 1 + draw(3) } else { 0 };
        let fork = |_| {
            let slots = [1, 3 + draw(18)][draw(2) as usize];
            (1 + draw(25), slots)
        };
        (0..count).map(fork).collect()
    }

    /// Tells it, on a runtime and a clock of its own.
    pub fn tell(self, traced: bool) -> Told {
        paused().block_on(self.happens(traced))
    }

    async fn happens(mut self, traced: bool) -> Told {
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
        if traced {
            world.lock().trace = Some(vec![format!("at {dollars} dollars {faults:?}")]);
        }
        let count = 2 + self.draw(2) as usize;
        let (anchor, liar) = (
            self.draw(count as u64) as usize,
            self.draw(count as u64 + 1) as usize,
        );
        let nodes = nodes(&world, &vec![WELL; count]);
        let changes = (0..4).map(|_| 1 + self.draw(30)).collect::<Vec<_>>();
        self.behave(&nodes, anchor, liar);
        let kills: Vec<u64> = (0..self.draw(4)).map(|_| 1 + self.draw(250)).collect();
        let forks = self.forks();
        let forks_left = Cell::new(forks.len());
        let forking = async {
            for (secs, slots) in &forks {
                sleep(Duration::from_secs(*secs)).await;
                world.lock().fork(*slots, Then::Either);
                forks_left.set(forks_left.get() - 1);
            }
            std::future::pending().await
        };
        let began = Instant::now();
        world.lock().set_price(dollars);
        let mut away = Duration::ZERO;
        let turning = async {
            for secs in changes {
                sleep(Duration::from_secs(secs)).await;
                self.behave(&nodes, anchor, liar);
            }
            std::future::pending().await
        };
        let living = async {
            for crash_at in kills.into_iter().chain(std::iter::repeat(0)) {
                world.crash.begin(crash_at);
                let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
                let mut events = keeper.events();
                world.note(|| "a keeper starts".into());
                let hearing = async {
                    while let Ok(event) = events.recv().await {
                        world.note(|| format!("{event:?}"));
                    }
                    std::future::pending::<()>().await
                };
                let settling = async {
                    while settles(&world, &disk, began + LIMIT).await {
                        let agrees = journal_agrees(&world, &disk);
                        let ends = forks.is_empty() || began.elapsed() > LIMIT;
                        if forks_left.get() == 0 && (agrees.is_ok() || ends) {
                            return true;
                        }
                    }
                    false
                };
                let done = tokio::select! {
                    biased;
                    () = world.crash.happens() => false,
                    settles = settling => {
                        if !settles {
                            return Err(format!("no end: {:?}", world.lock().transactions));
                        }
                        true
                    }
                    // Always, so that nobody is told otherwise because somebody listens.
                    () = hearing => false,
                    ended = keeper.run(std::future::pending()) => {
                        // A start needs answers; the supervisor tries again.
                        let error = ended.unwrap_err();
                        world.note(|| format!("it ends: {error}"));
                        false
                    }
                };
                if done && crash_at == 0 {
                    break;
                }
                let pause = Duration::from_millis(200 + world.lock().random(5_000));
                away += pause;
                let part = world.lock().random(1_000);
                if world.crash.has_happened() && part.is_multiple_of(2) {
                    disk.lose_power(part);
                }
                let killed = world.crash.has_happened();
                world.note(|| format!("killed {killed}, done {done}, {pause:?}"));
                sleep(pause).await;
            }
            Ok(())
        };
        let ended = tokio::select! {
            biased;
            ended = living => ended,
            ended = turning => ended,
            ended = forking => ended,
        };
        let mut trace = world.lock().trace.take().unwrap_or_default();
        if traced {
            let inner = world.lock();
            trace.extend(inner.landings.iter().map(|it| format!("{it:?}")));
            trace.push(String::from_utf8_lossy(&disk.bytes()).into_owned());
        }
        let took = ended.and_then(|()| {
            journal_agrees(&world, &disk)?;
            judged(&world, dollars, away, forks.len())
        });
        Told { took, trace }
    }
}

/// Who lies of accounts is outvoted by two that speak. With one nobody knows who is right, and what does not protect waits for a person.
fn outvoted(manners: &mut [Manners], liar: usize) {
    let lies = manners.get(liar).is_some_and(|it| it.lie == Lie::Positions);
    let enough = manners.len() > 2;
    for (index, other) in manners.iter_mut().enumerate().filter(|_| lies) {
        match index == liar {
            true if !enough => other.lie = Lie::None,
            false if enough => (other.answers, other.lag) = (Answers::Well, other.lag.min(4)),
            _ => {}
        }
    }
}

fn judged(world: &World, dollars: i64, away: Duration, forks: usize) -> Result<Duration, String> {
    let inner = world.lock();
    if !inner.violations.is_empty() {
        return Err(format!("{:?}", inner.violations));
    }
    let last = inner.landings.iter().map(|landing| landing.slot).max();
    let results = inner.transactions.values().map(|it| it.result.as_ref());
    let failures = results.filter(|it| matches!(it, Some(Err(_)))).count();
    let failures = u32::try_from(failures).unwrap();
    drop(inner);
    let done = done(world);
    if !is_enough(dollars, &done) {
        return Err(format!("at {dollars} dollars {done:?}"));
    }
    let slots = last.unwrap_or(0) - ballast_strategy::fixtures::SLOT;
    let took = Duration::from_millis(slots * 400).saturating_sub(away);
    let forks = u32::try_from(forks).unwrap();
    if took > bound(failures, forks) {
        return Err(format!(
            "it took {took:?}, {failures} failed on chain, {forks} forks"
        ));
    }
    Ok(took)
}

/// What was done to each position.
pub(super) fn done(world: &World) -> Vec<(Pubkey, ActionKind)> {
    let inner = world.lock();
    let mut done: Vec<_> = inner
        .landings
        .iter()
        .map(|landing| (landing.position, landing.action))
        .collect();
    done.sort_unstable();
    done
}

/// Whether this is what is to be done at a price. At 205 each position is rehedged. At 290 it is brought to safety, in one way or
/// another: while one waits for its next attempt another goes first. Nothing is done twice.
pub(super) fn is_enough(dollars: i64, done: &[(Pubkey, ActionKind)]) -> bool {
    let of = |number: u8| Pubkey::new_from_array([100 + number; 32]);
    let twice = done.windows(2).any(|two| two[0] == two[1]);
    let mut positions = (0..POSITIONS).map(of);
    let all = positions.all(|position| done.iter().any(|(it, _)| *it == position));
    let fitting = |kind: ActionKind| match dollars {
        205 => kind == ActionKind::Rehedge,
        _ => kind >= ActionKind::Rehedge && kind != ActionKind::Liquidate,
    };
    all && !twice && done.iter().all(|(_, kind)| fitting(*kind))
}

pub(super) fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
}
