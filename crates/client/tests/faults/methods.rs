//! Every question of the client, under every fault: within its time it is answered with what is so, or with an error that says what
//! happened. Never with something else.

use std::collections::BTreeSet;

use ballast_client::{
    AccountFilter, BundleConfig, BundleLane, Pubkey, Signature, VersionedTransaction, ballast,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, future::BoxFuture, future::join_all, stream};

use super::{proxy::MORE, *};

/// An answer as text, to be compared.
type Answer = Result<String, ChainError>;

/// What is asked about.
struct About {
    /// It has landed.
    transaction: VersionedTransaction,
    signature: Signature,
    /// Of its block.
    slot: u64,
    /// Of a transaction that is in no block.
    nowhere: Signature,
    address: Pubkey,
}

enum Ask {
    /// One node or several.
    Any(for<'a> fn(&'a dyn Chain, &'a About) -> BoxFuture<'a, Answer>),
    /// One node.
    One(for<'a> fn(&'a RpcChain, &'a About) -> BoxFuture<'a, Answer>),
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Value,
    /// One for each that was asked for: one that is missing is noticed.
    Each,
    /// Any number: nobody knows how many there are.
    List,
    /// `null`, if the node does not have it.
    Perhaps,
    /// As [`Self::Each`], of what two nodes have to say before it is believed.
    Witnessed,
}

struct Question {
    name: &'static str,
    shape: Shape,
    ask: Ask,
}

macro_rules! any {
    ($name:literal, $shape:ident, |$chain:ident, $about:ident| $ask:expr) => {
        Question {
            name: $name,
            shape: Shape::$shape,
            ask: Ask::Any(|$chain, $about| {
                Box::pin(async move { Ok(format!("{:?}", $ask.await?)) })
            }),
        }
    };
}

macro_rules! one {
    ($name:literal, $shape:ident, |$chain:ident, $about:ident| $ask:expr) => {
        Question {
            name: $name,
            shape: Shape::$shape,
            ask: Ask::One(|$chain, $about| {
                Box::pin(async move { Ok(format!("{:?}", $ask.await?)) })
            }),
        }
    };
}

/// Everything that is asked of a node, in each way in which it is asked.
fn questions() -> Vec<Question> {
    vec![
        any!("accounts", Each, |chain, about| chain
            .accounts(&[about.address, Pubkey::default()])),
        any!("account", Each, |chain, about| chain
            .account(&about.address)),
        any!("clock", Each, |chain, _about| chain.clock()),
        any!("program_accounts", List, |chain, _about| {
            let bytes = vec![1, 2, 3];
            let filter = AccountFilter { offset: 8, bytes };
            async move { chain.program_accounts(&ballast::ID, &[filter]).await }
        }),
        any!("latest_blockhash", Value, |chain, _about| chain
            .latest_blockhash()),
        any!("block_height", Witnessed, |chain, _about| chain
            .block_height()),
        any!("slot", Value, |chain, _about| chain.slot()),
        any!("first_available_slot", Value, |chain, _about| chain
            .first_available_slot()),
        any!("simulate", Value, |chain, about| chain
            .simulate(&about.transaction)),
        any!("submit", Value, |chain, about| chain
            .submit(&about.transaction)),
        any!("status", Witnessed, |chain, about| chain
            .status(&about.signature, false)),
        any!("status, with history", Witnessed, |chain, about| chain
            .status(&about.signature, true)),
        any!("expiry", Witnessed, |chain, about| chain
            .expiry(&about.signature, 10)),
        any!("standing", Witnessed, |chain, about| chain
            .standing(&about.signature, about.slot)),
        any!("standing, in another block", Witnessed, |chain, about| {
            chain.standing(&about.signature, about.slot - 1)
        }),
        any!("standing, of what is in none", Witnessed, |chain, about| {
            chain.standing(&about.nowhere, about.slot)
        }),
        any!("transaction", Perhaps, |chain, about| chain
            .transaction(&about.signature)),
        any!("signed_transaction", Perhaps, |chain, about| chain
            .signed_transaction(&about.signature)),
        any!("newest_signature", List, |chain, about| chain
            .newest_signature(&about.address)),
        any!("signatures", List, |chain, about| chain
            .signatures(&about.address, 10)),
        any!("history", List, |chain, about| chain.history(
            &about.address,
            Some(&about.signature),
            10
        )),
        any!("recent_fees", List, |chain, about| chain
            .recent_fees(std::slice::from_ref(&about.address))),
        any!("rent_lamports", Value, |chain, _about| chain
            .rent_lamports(165)),
        one!("genesis_hash", Value, |chain, _about| chain.genesis_hash()),
        one!("statuses", Each, |chain, about| {
            let both = [about.signature, Signature::default()];
            async move { chain.statuses(&both).await }
        }),
    ]
}

/// What nodes have to be asked for all this.
const METHODS: [&str; 15] = [
    "getBlockHeight",
    "getFirstAvailableBlock",
    "getGenesisHash",
    "getLatestBlockhash",
    "getMinimumBalanceForRentExemption",
    "getMultipleAccounts",
    "getProgramAccounts",
    "getRecentPrioritizationFees",
    "getSignatureStatuses",
    "getSignaturesForAddress",
    "getSlot",
    "getTransaction",
    "sendTransaction",
    "simulateTransaction",
    "getTipAccounts",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unreachable,
    Busy,
    Refused,
    BadAnswer,
}

fn kind(error: &ChainError) -> Kind {
    match error {
        ChainError::Unreachable { .. } => Kind::Unreachable,
        ChainError::Busy { .. } => Kind::Busy,
        ChainError::Refused { .. } => Kind::Refused,
        ChainError::BadAnswer { .. } => Kind::BadAnswer,
    }
}

/// What a fault makes of a question to one node; `None`: nothing.
fn error_of(fault: Fault, name: &str, shape: Shape) -> Option<Kind> {
    match fault {
        Fault::Delay | Fault::Duplicate => None,
        Fault::Drop | Fault::Deaf | Fault::HalfOpen | Fault::CutShort => Some(Kind::Unreachable),
        Fault::TooManyAfter | Fault::TooMany | Fault::Unavailable | Fault::TooMuchInside => {
            Some(Kind::Busy)
        }
        Fault::Preflight | Fault::BlockhashNotFound => (name == "submit").then_some(Kind::Refused),
        Fault::Behind | Fault::Redirect => Some(Kind::Refused),
        Fault::OneLess => match shape {
            // A block height is asked for first, which is no list.
            Shape::Witnessed if name == "block_height" => None,
            Shape::Each | Shape::Witnessed => Some(Kind::BadAnswer),
            Shape::Value | Shape::List | Shape::Perhaps => None,
        },
        Fault::Null if shape == Shape::Perhaps => None,
        Fault::Truncated
        | Fault::Garbage
        | Fault::OtherQuestion
        | Fault::Batch
        | Fault::NoResult
        | Fault::Null
        | Fault::OtherKind => Some(Kind::BadAnswer),
    }
}

/// A cluster in which no time passes, and something in it that has landed.
fn cluster_and_about() -> (Shared, About) {
    let payer = Keypair::new_from_array([1; 32]);
    let instruction = Instruction::new_with_bytes(ballast::ID, &[1], Vec::new());
    let signed = solana_sdk::transaction::Transaction::new_signed_with_payer(
        &[instruction],
        Some(&solana_sdk::signer::Signer::pubkey(&payer)),
        &[&payer],
        Default::default(),
    );
    let transaction = VersionedTransaction::from(signed);
    let cluster = Shared::new(1, 0, 0);
    cluster.with(|cluster| {
        cluster.still = true;
        let bytes = bincode::serialize(&transaction).unwrap();
        cluster.take(&STANDARD.encode(bytes));
    });
    let about = About {
        signature: transaction.signatures[0],
        slot: cluster.with(|cluster| cluster.height),
        nowhere: Signature::from([9; 64]),
        transaction,
        address: Pubkey::new_from_array([7; 32]),
    };
    (cluster, about)
}

async fn node(cluster: &Shared, faults: &[Fault], within: Duration) -> RpcChain {
    let behaviour = match faults {
        [] => always(Manner::Honest),
        faults => honest(100, faults),
    };
    let url = serve(cluster, 1, behaviour).await;
    let config = RpcConfig {
        backoff_first: MS(20),
        backoff_longest: MS(80),
        seed: Some(1),
        ..RpcConfig::new(within)
    };
    RpcChain::with_config(url, config, None)
}

async fn ask(question: &Question, chain: &RpcChain, about: &About) -> Answer {
    match question.ask {
        Ask::Any(ask) => ask(chain, about).await,
        Ask::One(ask) => ask(chain, about).await,
    }
}

/// What is so.
async fn truths(cluster: &Shared, about: &About, questions: &[Question]) -> Vec<String> {
    let honest = node(cluster, &[], LIMIT).await;
    let told = join_all(questions.iter().map(|it| ask(it, &honest, about))).await;
    let told = questions.iter().zip(told);
    told.map(|(question, told)| told.unwrap_or_else(|error| panic!("{}: {error}", question.name)))
        .collect()
}

fn every_fault() -> impl Iterator<Item = Fault> {
    ALL.into_iter().chain(MORE)
}

#[tokio::test]
async fn every_question_under_every_fault_is_answered_truly_or_not_at_all() {
    let (cluster, about) = cluster_and_about();
    let questions = questions();
    let truths = truths(&cluster, &about, &questions).await;
    let tip_accounts = format!("{:?}", [Pubkey::new_from_array([77; 32])]);
    let (about, cluster, questions) = (&about, &cluster, &questions);
    let cells = stream::iter(every_fault()).map(|fault| async move {
        let chain = node(cluster, &[fault], MS(300)).await;
        let asked = questions.iter().map(|it| ask(it, &chain, about));
        let told = timeout(LIMIT, join_all(asked)).await;
        let told = told.unwrap_or_else(|_| panic!("{fault:?}: no end"));
        (fault, told, tips(cluster, fault).await)
    });
    let mut seen = BTreeSet::new();
    for (fault, told, tips) in cells.buffer_unordered(4).collect::<Vec<_>>().await {
        let mut cells: Vec<_> = questions.iter().zip(&truths).zip(told).collect();
        let lane = Question {
            name: "engines_tip_accounts",
            shape: Shape::Value,
            ask: Ask::Any(|_, _| unreachable!()),
        };
        cells.push(((&lane, &tip_accounts), tips));
        for ((question, truth), told) in cells {
            let Question { name, shape, .. } = *question;
            let expected = error_of(fault, name, shape);
            let found = told.as_ref().err().map(kind);
            // However slow the machine.
            let is_late = found == Some(Kind::Unreachable);
            assert!(
                found == expected || is_late,
                "{name}, {fault:?}: {told:?}, not {expected:?}"
            );
            let unknown = match (fault, shape) {
                // Nobody can tell that one is missing.
                (Fault::OneLess, Shape::List) => continue,
                (Fault::Null, Shape::Perhaps) => Some("None"),
                _ => None,
            };
            if let Ok(told) = told {
                assert_eq!(told, unknown.unwrap_or(truth), "{name}, {fault:?}");
                seen.insert((name, None));
            } else {
                seen.insert((name, found.map(|kind| kind as u8)));
            }
        }
    }
    // Each was answered, and each failed in every way.
    for name in questions.iter().map(|it| it.name) {
        let ways = seen.iter().filter(|(of, _)| *of == name).count();
        assert_eq!(ways, 5, "{name}");
    }
    let asked = cluster.with(|cluster| cluster.asked.clone());
    assert_eq!(asked, METHODS.map(str::to_owned).into());
}

/// A block engine is asked in the same way.
async fn tips(cluster: &Shared, fault: Fault) -> Answer {
    let url = serve(cluster, 1, honest(100, &[fault])).await;
    let config = BundleConfig {
        endpoint: url.as_str().into(),
        tip_accounts: Vec::new(),
        timeout: MS(300),
        patience: MS(100),
    };
    let chain = Arc::new(node(cluster, &[], LIMIT).await);
    let lane = BundleLane::new(config, chain, None);
    let told = timeout(LIMIT, lane.engines_tip_accounts()).await;
    Ok(format!("{:?}", told.expect("an end")?))
}

/// With another node beside it that works, it is answered.
#[tokio::test]
async fn while_another_node_works_every_question_is_answered_truly() {
    let (cluster, about) = cluster_and_about();
    let mut questions = questions();
    questions.retain(|it| matches!(it.ask, Ask::Any(_)));
    let truths = truths(&cluster, &about, &questions).await;
    let (about, cluster, questions) = (&about, &cluster, &questions);
    let cases = every_fault().flat_map(|fault| [(fault, false), (fault, true)]);
    let cells = stream::iter(cases).map(|(fault, faulty_first)| async move {
        let faulty: Arc<dyn Chain> = Arc::new(node(cluster, &[fault], MS(300)).await);
        let works: Arc<dyn Chain> = Arc::new(node(cluster, &[], LIMIT).await);
        let (first, other) = match faulty_first {
            true => (faulty, works),
            false => (works, faulty),
        };
        let config = NodesConfig {
            patience: MS(100),
            alone_after: LIMIT * 2,
            ..NodesConfig::default()
        };
        let two = Nodes::new(first, vec![other], config);
        let asked = questions.iter().map(|question| match question.ask {
            Ask::Any(ask) => ask(&two, about),
            Ask::One(_) => unreachable!(),
        });
        let told = timeout(LIMIT, join_all(asked)).await;
        let told = told.unwrap_or_else(|_| panic!("{fault:?}: no end"));
        (fault, faulty_first, told)
    });
    for (fault, faulty_first, told) in cells.buffer_unordered(4).collect::<Vec<_>>().await {
        for ((question, truth), told) in questions.iter().zip(&truths).zip(told) {
            let Question { name, shape, .. } = *question;
            match (shape, told) {
                (Shape::List, _) if fault == Fault::OneLess => {}
                // One alone is not believed.
                (Shape::Witnessed, Err(_)) => {}
                (Shape::Witnessed, Ok(told)) => assert!(
                    told == *truth
                        || ["None", "Unconfirmed", "NotYet", "Unknown"].contains(&told.as_str()),
                    "{name}, {fault:?}, {faulty_first}: {told}"
                ),
                (_, Ok(told)) => assert_eq!(told, *truth, "{name}, {fault:?}, {faulty_first}"),
                (_, Err(error)) => panic!("{name}, {fault:?}, {faulty_first}: {error}"),
            }
        }
    }
}

/// A slot that nobody has reached would make everything look old that comes later: it is cut in every answer that has one.
#[tokio::test]
async fn slots_of_the_future_are_cut_in_every_answer() {
    let (cluster, about) = cluster_and_about();
    for future_first in [true, false] {
        let mut both = [always(Manner::Future), always(Manner::Honest)];
        if !future_first {
            both.reverse();
        }
        let two = nodes(&cluster, 1, &both).await;
        for _ in 0..3 {
            let slot = two.slot().await.unwrap();
            let accounts = two.accounts(&[about.address]).await.unwrap();
            let all = two.program_accounts(&ballast::ID, &[]).await.unwrap();
            for slot in [slot, accounts.slot, all.slot.unwrap()] {
                assert!((1_000..2_000).contains(&slot), "{slot}");
            }
        }
    }
}
