//! The real client, [`RpcChain`], [`Nodes`] and [`Sender`], over real connections through nodes that fail in every way that is known: what
//! it says became of a transaction is what became of it, and it sends the same bytes only.

mod agreement;
mod bundle;
mod cluster;
mod engine;
mod methods;
mod proxy;

use std::{sync::Arc, time::Duration};

use ballast_client::{
    Chain, ChainError, Expiry, Instruction, Keypair, Nodes, NodesConfig, Outcome, Prepared,
    Request, RpcChain, RpcConfig, Sender, SenderConfig,
};
use cluster::{Shared, Truth};
use proxy::{ALL, Behaviour, Fault, Manner, serve};
use tokio::time::timeout;

const MS: fn(u64) -> Duration = Duration::from_millis;
/// Within which all of a story has to end, however slow the machine.
const LIMIT: Duration = Duration::from_secs(60);

fn honest(faulty: u64, faults: &[Fault]) -> Behaviour {
    Behaviour {
        manner: Manner::Honest,
        faulty,
        faults: faults.to_vec(),
    }
}

fn always(manner: Manner) -> Behaviour {
    Behaviour {
        manner,
        ..honest(0, &ALL)
    }
}

async fn nodes(cluster: &Shared, seed: u64, behaviours: &[Behaviour]) -> Nodes {
    let mut chains: Vec<Arc<dyn Chain>> = Vec::new();
    for (index, behaviour) in behaviours.iter().enumerate() {
        let seed = seed.wrapping_mul(31).wrapping_add(index as u64);
        let url = serve(cluster, seed, behaviour.clone()).await;
        let config = RpcConfig {
            backoff_first: MS(5),
            backoff_longest: MS(20),
            seed: Some(seed),
            ..RpcConfig::new(MS(300))
        };
        chains.push(Arc::new(RpcChain::with_config(url, config, None)));
    }
    let first = chains.remove(0);
    let config = NodesConfig {
        patience: MS(100),
        // No story lasts so long: two have to agree all the time.
        alone_after: LIMIT * 2,
        ..NodesConfig::default()
    };
    Nodes::new(first, chains, config)
}

fn sender(nodes: &Nodes) -> Sender {
    let config = SenderConfig {
        poll: MS(5),
        resend: MS(20),
        deadline: LIMIT,
        record_wait: MS(0),
        ..SenderConfig::default()
    };
    Sender::new(Arc::new(nodes.clone()), config)
}

/// A transaction that nobody has sent yet; asking for its blockhash may fail as everything else.
async fn prepared(sender: &Sender, number: u8) -> Prepared {
    let payer = Keypair::new_from_array([number; 32]);
    let instruction =
        Instruction::new_with_bytes(ballast_client::ballast::ID, &[number], Vec::new());
    let request = Request::new(&payer, [instruction]).compute_limit(100_000);
    loop {
        if let Ok(prepared) = sender.prepare(&request).await {
            return prepared;
        }
    }
}

/// Sends some through such nodes, and compares what is said of each with the truth.
async fn story(seed: u64, behaviours: Vec<Behaviour>, lost: u64) -> [usize; 3] {
    let cluster = Shared::new(seed, lost, 20);
    let nodes = nodes(&cluster, seed, &behaviours).await;
    let sender = sender(&nodes);
    let mut seen = [0; 3];
    let all = async {
        let deliver = |number: u8| {
            let sender = &sender;
            async move {
                let prepared = prepared(sender, number).await;
                let outcome = sender.deliver(&prepared).await;
                (prepared, outcome)
            }
        };
        futures_util::future::join_all((1..=3).map(deliver)).await
    };
    let all = timeout(LIMIT, all).await;
    let all = all.unwrap_or_else(|_| panic!("seed {seed}: no end with {behaviours:?}"));
    for (prepared, outcome) in all {
        let signature = prepared.signature();
        let (truth, bytes) = cluster.with(|cluster| {
            let sent = cluster.sent.get(&signature).cloned().unwrap_or_default();
            (cluster.truth(&signature), sent)
        });
        let said = match &outcome {
            Outcome::Landed { slot } => Truth::Landed { slot: *slot },
            Outcome::Failed { slot, .. } => Truth::Failed { slot: *slot },
            Outcome::Expired => Truth::Lost,
            Outcome::Dropped { .. } => panic!("seed {seed}: {outcome:?} with {behaviours:?}"),
        };
        assert_eq!(said, truth, "seed {seed} with {behaviours:?}");
        assert!(bytes.len() <= 1, "seed {seed}: other bytes");
        assert!(bytes.iter().all(|bytes| *bytes == prepared.to_bytes()));
        let kind = match said {
            Truth::Landed { .. } => 0,
            Truth::Failed { .. } => 1,
            Truth::Lost => 2,
        };
        seen[kind] += 1;
    }
    seen
}

/// How many of some stories are told, and from which seed on: `BALLAST_FAULT_SEEDS`, `BALLAST_SEED`.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("BALLAST_SEED").unwrap_or(0);
    first..first + number("BALLAST_FAULT_SEEDS").unwrap_or(usual)
}

/// Some at a time.
async fn stories(usual: u64, lost: u64, behaviours: impl Fn(u64) -> Vec<Behaviour>) -> [usize; 3] {
    use futures_util::StreamExt;
    let seeds = seeds(usual);
    println!("seeds {seeds:?}");
    let told = futures_util::stream::iter(seeds).map(|seed| story(seed, behaviours(seed), lost));
    let fold = |mut sum: [usize; 3], seen: [usize; 3]| {
        (0..3).for_each(|kind| sum[kind] += seen[kind]);
        std::future::ready(sum)
    };
    told.buffer_unordered(8).fold([0; 3], fold).await
}

#[tokio::test]
async fn each_fault_alone_on_all_nodes_is_survived() {
    let all = ALL.map(|fault| async move {
        let both = |_| vec![honest(40, &[fault]), honest(40, &[fault])];
        (fault, stories(2, 30, both).await)
    });
    for (fault, seen) in futures_util::future::join_all(all).await {
        assert!(seen[0] > 0, "{fault:?}: {seen:?}");
    }
}

#[tokio::test]
async fn any_faults_on_three_nodes_of_which_one_lies() {
    let lies = [
        Manner::Landed,
        Manner::Expired,
        Manner::RollsBack,
        Manner::Lags(60),
        Manner::Silent,
    ];
    let seen = stories(30, 50, |seed| {
        let liar = Behaviour {
            manner: lies[(seed % 5) as usize],
            ..honest(10, &ALL)
        };
        let mut all = vec![honest(20, &ALL), honest(20, &ALL)];
        all.insert((seed / 5 % 3) as usize, liar);
        all
    })
    .await;
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[tokio::test]
async fn of_two_nodes_a_liar_decides_nothing() {
    for manner in [Manner::Landed, Manner::Expired, Manner::RollsBack] {
        let seen = stories(4, 80, |_| vec![always(manner), always(Manner::Honest)]).await;
        assert!(seen[0] + seen[1] > 0 && seen[2] > 0, "{manner:?} {seen:?}");
    }
}

#[tokio::test]
async fn a_node_that_lies_about_expiry_is_believed_where_it_is_the_only_one() {
    let cluster = Shared::new(1, 100, 0);
    let alone = nodes(&cluster, 1, &[always(Manner::Expired)]).await;
    let signature = Default::default();
    let believed = alone.expiry(&signature, 1_150).await.unwrap();
    assert!(matches!(believed, Expiry::Expired { .. }), "{believed:?}");
    let two = nodes(
        &cluster,
        1,
        &[always(Manner::Expired), always(Manner::Honest)],
    )
    .await;
    assert_eq!(two.expiry(&signature, 1_150).await, Ok(Expiry::NotYet));
}

#[tokio::test]
async fn a_silent_node_costs_its_patience_once() {
    let cluster = Shared::new(1, 0, 0);
    let chain = |url| RpcChain::new(url, LIMIT);
    let silent = Arc::new(chain(serve(&cluster, 1, always(Manner::Silent)).await));
    let honest = Arc::new(chain(serve(&cluster, 2, always(Manner::Honest)).await));
    let config = NodesConfig {
        patience: MS(200),
        ..NodesConfig::default()
    };
    let two = Nodes::new(silent.clone(), vec![honest], config);
    for _ in 0..20 {
        assert_eq!(two.slot().await, Ok(1_000));
    }
    // A few more where the other one is slow for once.
    let asked = silent.traffic().requests;
    assert!(asked < 10, "{asked}");
    let seen = two.survey().await;
    assert_eq!(seen[0].slot, None);
    assert!(seen[1].condition < seen[0].condition, "{seen:?}");
}

/// A slot that nobody has reached would make everything look old that comes later.
#[tokio::test]
async fn the_first_that_speaks_is_not_believed_before_another_has_spoken() {
    let cluster = Shared::new(1, 0, 0);
    let honest = always(Manner::Honest);
    for behaviours in [
        [always(Manner::Future), honest.clone()],
        [honest.clone(), always(Manner::Future)],
    ] {
        let two = nodes(&cluster, 1, &behaviours).await;
        for _ in 0..3 {
            let slot = two.slot().await.unwrap();
            assert!((1_000..2_000).contains(&slot), "{slot}");
        }
    }
    // Where the other says nothing at all there is nobody else to believe.
    let alone = nodes(&cluster, 1, &[honest, always(Manner::Silent)]).await;
    assert_eq!(alone.slot().await, Ok(1_000));
}

#[tokio::test]
async fn a_blockhash_is_not_taken_for_used_up_before_it_can_be() {
    let cluster = Shared::new(1, 0, 0);
    let behaviours = [always(Manner::ShortBlockhash), always(Manner::NoBlockhash)];
    let two = nodes(&cluster, 1, &behaviours).await;
    // Nobody else gives one, so that it is used; but the other node's height says how long.
    let blockhash = two.latest_blockhash().await.unwrap();
    assert!(blockhash.last_valid_block_height >= 1_150, "{blockhash:?}");
}

#[tokio::test]
async fn where_nobody_answers_the_first_one_says_why() {
    let cluster = Shared::new(1, 0, 0);
    let none = nodes(
        &cluster,
        1,
        &[honest(100, &[Fault::Unavailable]), always(Manner::Silent)],
    )
    .await;
    let error = none.slot().await.unwrap_err();
    assert!(matches!(error, ChainError::Busy { .. }), "{error:?}");
}
