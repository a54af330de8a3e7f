//! Members on a real Postgres, paused anywhere, with nodes that lag and nodes that are ahead: what one holder signed never can land
//! once the next one has signed. A member that breaks the rules is caught by the same test.

use std::sync::Arc;

use ballast_lease::{Lease, Leases, Refusal, TERM, rules::height_to_take};
use ballast_localdb::Postgres;
use postgres::{Client, NoTls};

const MEMBERS: usize = 3;
const SHARD: u32 = 7;
const STEPS: u64 = 500;
/// How far ahead a node may be.
const AHEAD: u64 = 60;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What a member goes by when it takes a lease.
#[derive(Clone, Copy, PartialEq)]
enum Taker {
    /// The lower of two heights.
    Right,
    /// One node alone.
    OneNode,
}

/// A member between two steps: it may be paused here for as long as it likes.
enum At {
    Idle,
    /// It has read the heights.
    Wants(u64),
    Holds(Lease),
    /// It has chosen a blockhash and signed.
    Signed(Lease, u64),
}

struct Member {
    leases: Leases,
    at: At,
    /// Its nodes' heights, off from the chain's.
    off: [i64; 2],
    paused_until: u64,
}

/// An intent that was written: from then on until its last valid height it may land.
#[derive(Debug)]
struct Written {
    epoch: u64,
    from: u64,
    last_valid: u64,
}

struct Told {
    written: Vec<Written>,
    refused: usize,
}

fn connect(url: &str, member: usize) -> Leases {
    let client = Client::connect(url, NoTls).unwrap();
    Leases::new(client, &format!("member {member}")).unwrap()
}

/// Lets members do as they like, in an order that the seed says.
fn play(server: &Postgres, seed: u64, taker: Taker) -> Told {
    let url = server.database().unwrap();
    let mut random = Random(seed);
    let mut height = 1_000u64;
    let mut members: Vec<_> = (0..MEMBERS)
        .map(|member| Member {
            leases: connect(&url, member),
            at: At::Idle,
            off: [0, 0],
            paused_until: 0,
        })
        .collect();
    let mut told = Told {
        written: Vec::new(),
        refused: 0,
    };
    for step in 0..STEPS {
        height += random.below(4);
        let index = random.below(MEMBERS as u64) as usize;
        let member = &mut members[index];
        if random.below(20) == 0 {
            // One node of two may be ahead; the other, or both, lag.
            let lag = |random: &mut Random| -(random.below(40) as i64);
            member.off = [lag(&mut random), lag(&mut random)];
            if random.below(2) == 0 {
                let ahead = random.below(2) as usize;
                member.off[ahead] = random.below(AHEAD + 1) as i64;
            }
            if taker == Taker::OneNode {
                member.off[0] = AHEAD as i64;
            }
        }
        if random.below(12) == 0 {
            member.paused_until = step + random.below(120);
        }
        if member.paused_until > step {
            continue;
        }
        act(member, step, height, taker, &mut random, &mut told);
    }
    told
}

fn act(
    member: &mut Member,
    step: u64,
    height: u64,
    taker: Taker,
    random: &mut Random,
    told: &mut Told,
) {
    let seen = member.off.map(|off| height.saturating_add_signed(off));
    let now = match taker {
        Taker::Right => height_to_take(seen),
        Taker::OneNode => seen[0],
    };
    member.at = match std::mem::replace(&mut member.at, At::Idle) {
        At::Idle => At::Wants(now),
        At::Wants(height) => match member.leases.take(SHARD, height).unwrap() {
            Some(lease) => At::Holds(lease),
            None => At::Idle,
        },
        At::Holds(lease) if random.below(3) == 0 || !lease.may_sign_at(now) => {
            match member.leases.renew(&lease, now).unwrap() {
                Some(lease) => At::Holds(lease),
                None => At::Idle,
            }
        }
        At::Holds(lease) => {
            // Blockhashes of all ages; the fresh ones outlive any lease.
            let known = (0..30).map(|age| ((), now + 150 - 5 * age));
            match lease.choose(known) {
                Some(((), last_valid)) => At::Signed(lease, last_valid),
                None => At::Idle,
            }
        }
        At::Signed(lease, last_valid) => {
            let signature = format!("{step}");
            let written = member
                .leases
                .write_intent(&lease, &signature, last_valid, b"signed")
                .unwrap();
            match written {
                Ok(()) => {
                    told.written.push(Written {
                        epoch: lease.epoch,
                        from: height,
                        last_valid,
                    });
                    At::Holds(lease)
                }
                Err(Refusal::Unsettled { .. }) => {
                    told.refused += 1;
                    settle(member, lease.epoch);
                    At::Holds(lease)
                }
                Err(Refusal::Lost | Refusal::OutlivesLease { .. }) => {
                    told.refused += 1;
                    At::Idle
                }
            }
        }
    };
}

/// What came before this epoch comes to its end: it has landed, or never can.
fn settle(member: &mut Member, epoch: u64) {
    for open in member.leases.open_intents(SHARD).unwrap() {
        if open.epoch < epoch {
            member
                .leases
                .settle(SHARD, &open.signature, "expired")
                .unwrap();
        }
    }
}

/// Pairs of intents of different holders that could land at the same height.
fn overlaps(written: &[Written]) -> usize {
    let pairs = written
        .iter()
        .flat_map(|old| written.iter().map(move |new| (old, new)));
    pairs
        .filter(|(old, new)| old.epoch < new.epoch && new.from <= old.last_valid)
        .count()
}

fn seeds() -> u64 {
    std::env::var("BALLAST_LEASE_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(24)
}

fn server() -> Option<Arc<Postgres>> {
    Postgres::shared_or_skip()
}

#[test]
fn what_two_holders_sign_never_is_valid_at_the_same_height() {
    let Some(server) = server() else { return };
    let (mut epochs, mut intents, mut refused) = (0, 0, 0);
    for seed in 0..seeds() {
        let told = play(&server, seed, Taker::Right);
        assert_eq!(
            overlaps(&told.written),
            0,
            "seed {seed}: {:?}",
            told.written
        );
        let last = told.written.iter().map(|intent| intent.epoch).max();
        epochs += last.unwrap_or(0);
        intents += told.written.len();
        refused += told.refused;
    }
    println!("{intents} intents in {epochs} epochs, {refused} refused, no overlap");
    // It was put to the test: leases went from hand to hand, and late ones were turned away.
    assert!(epochs > 2 * seeds() && intents > 12 * seeds() as usize && refused > 0);
}

#[test]
fn a_taker_that_asks_one_node_which_is_ahead_is_caught() {
    let Some(server) = server() else { return };
    let caught = (0..seeds())
        .filter(|seed| overlaps(&play(&server, *seed, Taker::OneNode).written) > 0)
        .count();
    assert!(caught > 0, "no overlap in {} seeds", seeds());
}

#[test]
fn of_many_who_take_at_once_one_succeeds() {
    let Some(server) = server() else { return };
    let url = server.database().unwrap();
    for round in 0..10u64 {
        let height = 1_000 + round * 2 * TERM;
        let takers = (0..6).map(|member| {
            let url = url.clone();
            std::thread::spawn(move || connect(&url, member).take(SHARD, height).unwrap())
        });
        let takers: Vec<_> = takers.collect();
        let leases = takers.into_iter().filter_map(|taker| taker.join().unwrap());
        let leases: Vec<_> = leases.collect();
        assert_eq!(leases.len(), 1, "round {round}");
        assert_eq!(leases[0].epoch, round + 1);
    }
}

#[test]
fn an_intent_is_refused_when_it_should_be() {
    let Some(server) = server() else { return };
    let url = server.database().unwrap();
    let mut one = connect(&url, 1);
    let mut other = connect(&url, 2);
    let old = one.take(SHARD, 100).unwrap().unwrap();
    assert_eq!((old.epoch, old.through), (1, 160));
    let write = |leases: &mut Leases, lease: &Lease, name: &str, last_valid| {
        leases.write_intent(lease, name, last_valid, b"x").unwrap()
    };
    assert_eq!(
        write(&mut one, &old, "a", 161),
        Err(Refusal::OutlivesLease { through: 160 })
    );
    assert_eq!(write(&mut one, &old, "a", 160), Ok(()));
    assert_eq!(other.take(SHARD, 160).unwrap(), None);
    let new = other.take(SHARD, 161).unwrap().unwrap();
    assert_eq!(new.epoch, 2);
    // The old holder is out, whatever it believes.
    assert_eq!(write(&mut one, &old, "b", 120), Err(Refusal::Lost));
    assert_eq!(one.renew(&old, 110).unwrap(), None);
    // The new one first settles what the old one left.
    assert_eq!(
        write(&mut other, &new, "c", 200),
        Err(Refusal::Unsettled { open: 1 })
    );
    let open = other.open_intents(SHARD).unwrap();
    assert_eq!((open.len(), open[0].signature.as_str()), (1, "a"));
    other.settle(SHARD, "a", "landed").unwrap();
    assert_eq!(write(&mut other, &new, "c", 200), Ok(()));
}

#[test]
fn of_many_leases_each_is_taken_and_renewed_by_itself() {
    let Some(server) = server() else { return };
    let url = server.database().unwrap();
    let (mut one, mut other) = (connect(&url, 1), connect(&url, 2));
    let shards = |leases: &[Lease]| {
        let mut shards: Vec<_> = leases.iter().map(|lease| lease.shard).collect();
        shards.sort_unstable();
        shards
    };
    let held = one.take_all(&[3, 1, 2], 100).unwrap();
    assert_eq!(shards(&held), [1, 2, 3]);
    // What somebody holds is left out, what is free is not.
    let others = other.take_all(&[1, 2, 3, 4], 160).unwrap();
    assert_eq!((shards(&others), others[0].epoch), (vec![4], 1));
    let stolen = other.take_all(&[2], 161).unwrap();
    assert_eq!((shards(&stolen), stolen[0].epoch), (vec![2], 2));
    let renewed = one.renew_all(&held, 165).unwrap();
    assert_eq!(shards(&renewed), [1, 3]);
    assert!(
        renewed
            .iter()
            .all(|lease| (lease.through, lease.renewed_at) == (225, 165))
    );
    assert_eq!(one.take_all(&[], 300).unwrap(), []);
    assert_eq!(one.renew_all(&[], 300).unwrap(), []);
    let owners = one.owners(&[1, 2, 3, 4, 5], 221).unwrap();
    // The fourth ended at 220, the second holds through 221.
    assert_eq!(
        owners,
        [("member 1".to_owned(), 2), ("member 2".to_owned(), 1)]
    );

    let written = one.write_intent(&renewed[0], "a", 200, b"x").unwrap();
    assert_eq!(written, Ok(()));
    let open = one.open_of(&[1, 2, 3]).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].0, open[0].1.signature.as_str()),
        (renewed[0].shard, "a")
    );
    // What has no outcome is never forgotten, and what may still land neither.
    assert_eq!(one.forget(&[1, 2, 3], 300).unwrap(), 0);
    one.settle(renewed[0].shard, "a", "landed").unwrap();
    assert_eq!(one.forget(&[1, 2, 3], 200).unwrap(), 0);
    assert_eq!(one.forget(&[4], 300).unwrap(), 0);
    assert_eq!(one.forget(&[1, 2, 3], 201).unwrap(), 1);
}

#[test]
fn who_was_not_heard_of_for_a_term_or_has_left_is_no_member() {
    let Some(server) = server() else { return };
    let url = server.database().unwrap();
    let (mut one, mut other) = (connect(&url, 1), connect(&url, 2));
    assert_eq!(one.beat(100).unwrap(), ["member 1"]);
    assert_eq!(other.beat(160).unwrap(), ["member 1", "member 2"]);
    assert_eq!(other.beat(161).unwrap(), ["member 2"]);
    // Nodes that lag do not take it out.
    assert_eq!(one.beat(130).unwrap(), ["member 1", "member 2"]);
    assert_eq!(other.members(161).unwrap(), ["member 1", "member 2"]);
    one.leave().unwrap();
    assert_eq!(other.beat(162).unwrap(), ["member 2"]);
}
