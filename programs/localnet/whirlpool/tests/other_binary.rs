//! The stand-in and another Whirlpool binary live the same random lives and must end up with the same bytes.
//!
//! Ignored by default, because it needs `BALLAST_WHIRLPOOL_SO` and `BALLAST_WHIRLPOOL_ID`; run it with `--include-ignored`.

mod support;

use std::collections::BTreeMap;

use ballast_abi::{Address, whirlpool::layout};
use support::*;

/// Everything of a life that must not depend on the binary: bytes without the pool's own address and bump, lamports, tokens.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    accounts: BTreeMap<String, (u64, Vec<u8>)>,
    tokens: Vec<u64>,
}

fn picture(life: &Life) -> Picture {
    let mut accounts = BTreeMap::new();
    let mut add = |name: String, address: &Address, masked: std::ops::Range<usize>| {
        let Some(mut account) = life.world.account(address) else {
            return;
        };
        account.data[masked].fill(0);
        accounts.insert(name, (account.lamports, account.data));
    };
    add(
        "pool".into(),
        &life.pool.address,
        layout::pool::BUMP..layout::pool::BUMP + 1,
    );
    for (position, _) in &life.positions {
        let pool = layout::position::POOL;
        add(
            format!("position {}", position.mint),
            &position.address,
            pool..pool + 32,
        );
    }
    for (start, kind) in &life.arrays {
        let pool = match kind {
            ArrayKind::Fixed => layout::fixed_tick_array::POOL,
            ArrayKind::Dynamic => layout::dynamic_tick_array::POOL,
        };
        add(
            format!("array {start}"),
            &life.pool.tick_array(*start),
            pool..pool + 32,
        );
    }
    let mut tokens = vec![life.pool.vault_a, life.pool.vault_b];
    for trader in &life.traders {
        tokens.extend([trader.account_a, trader.account_b]);
    }
    Picture {
        accounts,
        tokens: tokens
            .iter()
            .map(|account| life.world.balance(account))
            .collect(),
    }
}

fn assert_same(ours: &Picture, theirs: &Picture, context: &str) {
    for (name, account) in &ours.accounts {
        let other = theirs.accounts.get(name);
        if Some(account) != other {
            let first =
                other.and_then(|other| account.1.iter().zip(&other.1).position(|(a, b)| a != b));
            panic!(
                "{context}: {name} differs, first at byte {first:?}; lamports {} and {:?}, lengths {} and {:?}",
                account.0,
                other.map(|other| other.0),
                account.1.len(),
                other.map(|other| other.1.len()),
            );
        }
    }
    assert_eq!(ours.accounts.len(), theirs.accounts.len(), "{context}");
    assert_eq!(ours.tokens, theirs.tokens, "{context}: token amounts");
}

#[test]
#[ignore = "needs another binary: BALLAST_WHIRLPOOL_SO and BALLAST_WHIRLPOOL_ID"]
fn the_same_life_leaves_the_same_bytes() {
    let foreign = Deployment::foreign().expect("set BALLAST_WHIRLPOOL_SO and BALLAST_WHIRLPOOL_ID");
    let seed = seed();
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    let mut costs: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    for number in 0..pools(60) {
        let mut rng = rng(seed, number);
        let spec = random_spec(&mut rng);
        let mut ours = Life::new(&Deployment::stand_in(), spec);
        let mut theirs = Life::new(&foreign, spec);
        for step in 0..120 {
            let op = ours.draw(&mut rng);
            let (one, other) = (ours.apply(&op), theirs.apply(&op));
            let context = format!("seed {seed}, pool {number} {spec:?}, step {step}, {op:?}");
            let name = format!("{op:?}")
                .split([' ', '{'])
                .next()
                .unwrap_or_default()
                .to_string();
            assert_eq!(
                verdict(&op, &one),
                verdict(&op, &other),
                "{context}\nours: {one:?}\ntheirs: {other:?}"
            );
            assert_same(&picture(&ours), &picture(&theirs), &context);
            if let (Ok(one), Ok(other)) = (&one, &other) {
                costs
                    .entry(name.clone())
                    .or_default()
                    .push((one.compute_units, other.compute_units));
            }
            let verdict = verdict(&op, &one).map_or_else(|code| code, |()| "ok".into());
            *tally.entry(format!("{name} {verdict}")).or_default() += 1;
        }
    }
    println!("outcomes: {tally:#?}");
    for (name, pairs) in costs {
        let mean =
            |pick: fn(&(u64, u64)) -> u64| pairs.iter().map(pick).sum::<u64>() / pairs.len() as u64;
        println!(
            "{name}: {} times, mean compute units {} here, {} there",
            pairs.len(),
            mean(|pair| pair.0),
            mean(|pair| pair.1)
        );
    }
}
