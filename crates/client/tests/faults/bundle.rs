//! The bundle lane against an engine that fails in every way that is known: each transaction lands once, as one and the same bytes, however
//! many ways it takes, and what is said became of it is what became of it.

use std::sync::Mutex;

use ballast_client::{
    BundleConfig, BundleLane, BundleTraffic, Fallback, FallbackReason, Lane, OnFallback, Pubkey,
    tip_instruction, tip_lamports,
};
use solana_sdk::signer::Signer;

use super::{
    engine::{DEEDS, Deed, Engine},
    *,
};

/// How long an engine has for an answer, and for a block.
const TIMEOUT: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_millis(100);

struct Scene {
    cluster: Shared,
    engine: Engine,
    lane: Arc<BundleLane>,
    sender: Sender,
    fallbacks: Arc<Mutex<Vec<Fallback>>>,
}

async fn scene(seed: u64, deed: Deed, behaviours: &[Behaviour], lost: u64, fails: u64) -> Scene {
    let cluster = Shared::new(seed, lost, fails);
    let engine = Engine::start(&cluster, deed).await;
    scene_at(seed, cluster, engine, behaviours).await
}

async fn scene_at(seed: u64, cluster: Shared, engine: Engine, behaviours: &[Behaviour]) -> Scene {
    let nodes = nodes(&cluster, seed, behaviours).await;
    let fallbacks = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&fallbacks);
    let config = BundleConfig {
        endpoint: engine.url.as_str().into(),
        tip_accounts: engine.tip_accounts.clone(),
        timeout: TIMEOUT,
        patience: PATIENCE,
    };
    let on_fallback: OnFallback = Arc::new(move |fallback: &Fallback| {
        told.lock().unwrap().push(fallback.clone());
    });
    let chain = Arc::new(nodes.clone());
    let lane = Arc::new(BundleLane::new(config, chain, Some(on_fallback)));
    Scene {
        sender: sender(&nodes).with_lane(lane.clone()),
        cluster,
        engine,
        lane,
        fallbacks,
    }
}

/// A transaction that nobody has sent yet, with a tip or without.
async fn tipping(sender: &Sender, number: u8, to: Option<Pubkey>) -> Prepared {
    let payer = Keypair::new_from_array([number; 32]);
    let program = ballast_client::ballast::ID;
    let mut all = vec![Instruction::new_with_bytes(program, &[number], Vec::new())];
    all.extend(to.map(|to| tip_instruction(&payer.pubkey(), &to, 1_000)));
    let request = Request::new(&payer, all).compute_limit(100_000);
    loop {
        if let Ok(prepared) = sender.prepare(&request).await {
            return prepared;
        }
    }
}

impl Scene {
    /// Delivers one that tips, and compares what is said of it with the truth.
    async fn deliver(&self, seed: u64, number: u8) -> Truth {
        let to = self.engine.tip_accounts[usize::from(number) % 2];
        let prepared = tipping(&self.sender, number, Some(to)).await;
        let delivered = timeout(LIMIT, self.sender.deliver(&prepared)).await;
        let outcome = delivered.unwrap_or_else(|_| panic!("seed {seed}: no end"));
        let signature = prepared.signature();
        let truth = self.cluster.with(|cluster| cluster.truth(&signature));
        let said = match &outcome {
            Outcome::Landed { slot } => Truth::Landed { slot: *slot },
            Outcome::Failed { slot, .. } => Truth::Failed { slot: *slot },
            Outcome::Expired => Truth::Lost,
            Outcome::Dropped { .. } => panic!("seed {seed}: {outcome:?}"),
        };
        assert_eq!(said, truth, "seed {seed}");
        self.only_these_bytes(seed, &prepared);
        truth
    }

    /// Engine and nodes saw no other bytes of it.
    fn only_these_bytes(&self, seed: u64, prepared: &Prepared) {
        let signature = prepared.signature();
        self.cluster.with(|cluster| {
            let sent = cluster.sent.get(&signature).into_iter().flatten();
            for bytes in sent {
                assert_eq!(*bytes, prepared.to_bytes(), "seed {seed}");
            }
        });
        self.engine.heard(|heard| {
            let of_this = |one: &&ballast_client::VersionedTransaction| {
                one.message == prepared.transaction().message
            };
            for one in heard.bundles.iter().filter(of_this) {
                assert_eq!(one, prepared.transaction(), "seed {seed}");
            }
        });
    }

    fn public(&self) -> u64 {
        self.cluster.with(|cluster| cluster.public)
    }

    fn reasons(&self) -> Vec<FallbackReason> {
        let told = self.fallbacks.lock().unwrap();
        told.iter().map(|fallback| fallback.why.clone()).collect()
    }
}

#[tokio::test]
async fn what_the_engine_lands_no_node_sees_before() {
    let scene = scene(1, Deed::Lands, &[always(Manner::Honest)], 0, 0).await;
    for number in 1..=5 {
        let truth = scene.deliver(1, number).await;
        assert!(matches!(truth, Truth::Landed { .. }), "{truth:?}");
    }
    assert_eq!(scene.public(), 0);
    let taken = scene.lane.traffic().taken;
    assert_eq!((taken, scene.reasons()), (5, Vec::new()));
    assert_eq!(scene.engine.heard(|heard| heard.bundles.len()), 5);
}

#[tokio::test]
async fn whatever_the_engine_does_it_lands_once_and_as_the_same_bytes() {
    for deed in DEEDS {
        let scene = scene(2, deed, &[always(Manner::Honest)], 0, 0).await;
        let truth = scene.deliver(2, 1).await;
        assert!(matches!(truth, Truth::Landed { .. }), "{deed:?}: {truth:?}");
        let reasons = scene.reasons();
        let as_expected = match deed {
            Deed::Lands => reasons.is_empty(),
            Deed::LandsUnheard | Deed::Hangs | Deed::TooMany => {
                matches!(reasons[..], [FallbackReason::Unanswered(_)])
            }
            Deed::Refuses | Deed::Garbage | Deed::Nameless => {
                matches!(reasons[..], [FallbackReason::Refused(_)])
            }
            Deed::NeverLands | Deed::Lies => reasons == [FallbackReason::NotLanded],
        };
        assert!(as_expected, "{deed:?}: {reasons:?}");
        assert_eq!(scene.public() > 0, deed != Deed::Lands, "{deed:?}");
        let BundleTraffic {
            taken,
            refused,
            unanswered,
            not_landed,
        } = scene.lane.traffic();
        let fell = usize::try_from(refused + unanswered + not_landed).unwrap();
        assert_eq!(fell, reasons.len(), "{deed:?}");
        let took = matches!(deed, Deed::Lands | Deed::NeverLands | Deed::Lies);
        assert_eq!(taken, u64::from(took), "{deed:?}");
    }
}

#[tokio::test]
async fn what_it_says_of_an_engine_holds_no_key() {
    for deed in [Deed::Refuses, Deed::Hangs, Deed::TooMany] {
        let scene = scene(3, deed, &[always(Manner::Honest)], 0, 0).await;
        scene.deliver(3, 1).await;
        let told = format!(
            "{:?} {}",
            scene.fallbacks.lock().unwrap(),
            scene.lane.label()
        );
        assert!(
            !told.contains("SECRET") && told.contains("127.0.0.1"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn an_engine_that_does_not_answer_is_left_alone_for_a_while() {
    let scene = scene(4, Deed::Hangs, &[always(Manner::Honest)], 0, 0).await;
    for number in 1..=6 {
        scene.deliver(4, number).await;
    }
    let heard = scene.engine.heard(|heard| heard.bundles.len());
    assert!(heard < 6, "it was asked {heard} times");
    assert!(scene.reasons().contains(&FallbackReason::Resting));
    // What it refuses is that transaction's trouble, and says nothing of the next.
    let refusing = Engine::start(&scene.cluster, Deed::Refuses).await;
    let behaviours = [always(Manner::Honest)];
    let scene = scene_at(5, scene.cluster.clone(), refusing, &behaviours).await;
    scene.deliver(5, 11).await;
    scene.engine.will(Deed::Lands);
    let before = scene.public();
    scene.deliver(5, 12).await;
    assert_eq!(scene.public(), before);
}

#[tokio::test]
async fn without_a_tip_the_engine_is_not_asked() {
    let scene = scene(6, Deed::Lands, &[always(Manner::Honest)], 0, 0).await;
    for to in [None, Some(Pubkey::new_from_array([99; 32]))] {
        let prepared = tipping(&scene.sender, 1, to).await;
        let paid = tip_lamports(prepared.transaction(), &scene.engine.tip_accounts);
        assert_eq!(paid, None);
        let outcome = scene.sender.deliver(&prepared).await;
        assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
    }
    assert_eq!(scene.engine.heard(|heard| heard.bundles.len()), 0);
    assert!(scene.public() >= 2);
}

#[tokio::test]
async fn the_engine_tells_of_which_accounts_it_takes_tips() {
    let scene = scene(7, Deed::Lands, &[always(Manner::Honest)], 0, 0).await;
    let told = scene.lane.engines_tip_accounts().await.unwrap();
    assert_eq!(told, scene.engine.tip_accounts);
}

/// Any deed, nodes that fail as well, transactions that fail or never land.
#[tokio::test]
async fn any_engine_before_any_nodes() {
    use futures_util::StreamExt;
    let seeds = seeds(45);
    println!("seeds {seeds:?}");
    let told = futures_util::stream::iter(seeds).map(|seed| async move {
        let deed = DEEDS[(seed % 9) as usize];
        let behaviours = [honest(20, &ALL), honest(20, &ALL)];
        let scene = scene(seed, deed, &behaviours, 20, 20).await;
        let both = futures_util::future::join(scene.deliver(seed, 1), scene.deliver(seed, 2)).await;
        [both.0, both.1]
    });
    let mut seen = [0; 3];
    for truths in told.buffer_unordered(8).collect::<Vec<_>>().await {
        for truth in truths {
            let kind = match truth {
                Truth::Landed { .. } => 0,
                Truth::Failed { .. } => 1,
                Truth::Lost => 2,
            };
            seen[kind] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

/// Whoever takes a transaction up after a restart knows nothing of its way.
#[tokio::test]
async fn a_lane_that_has_forgotten_everything_hands_in_the_same_bytes() {
    let cluster = Shared::new(8, 0, 0);
    let engine = Engine::start(&cluster, Deed::NeverLands).await;
    let behaviours = [always(Manner::Honest)];
    let first = scene_at(8, cluster.clone(), engine.clone(), &behaviours).await;
    let prepared = tipping(&first.sender, 1, Some(engine.tip_accounts[0])).await;
    first.lane.submit(prepared.transaction()).await.unwrap();
    drop(first);
    let again = Prepared::from_bytes(&prepared.to_bytes(), prepared.last_valid_block_height());
    let second = scene_at(8, cluster, engine, &behaviours).await;
    let outcome = second.sender.deliver(&again.unwrap()).await;
    assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
    second.only_these_bytes(8, &prepared);
    let bundles = second.engine.heard(|heard| heard.bundles.len());
    assert!(bundles >= 2 && second.public() >= 1, "{bundles}");
}
