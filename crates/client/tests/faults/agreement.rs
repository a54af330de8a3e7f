//! What several nodes say of an account, over real connections: one that says something else is named, one that merely lags is not.

use ballast_client::{Agreement, Condition, Pubkey};

use super::*;

const ADDRESS: Pubkey = Pubkey::new_from_array([7; 32]);

/// Compares an account some times while it changes; what the nodes' conditions are afterwards.
async fn compared(seed: u64, behaviours: &[Behaviour]) -> (Vec<Agreement>, Vec<Condition>) {
    let cluster = Shared::new(seed, 0, 0);
    let nodes = nodes(&cluster, seed, behaviours).await;
    let mut all = Vec::new();
    for byte in 1..=8 {
        cluster.with(|cluster| cluster.written.push((cluster.height, byte)));
        if let Ok(agreement) = nodes.sample(&[(ADDRESS, false)]).await {
            all.push(agreement);
        }
    }
    let seen = nodes.survey().await;
    (all, seen.into_iter().map(|seen| seen.condition).collect())
}

fn disagrees(conditions: &[Condition]) -> Vec<usize> {
    let all = conditions.iter().enumerate();
    let all = all.filter(|(_, condition)| **condition == Condition::Disagrees);
    all.map(|(index, _)| index).collect()
}

#[tokio::test]
async fn who_says_something_else_of_an_account_is_named() {
    let (honest, other) = (always(Manner::Honest), always(Manner::OtherAccounts));
    for liar in 0..3 {
        let mut behaviours = vec![honest.clone(), honest.clone()];
        behaviours.insert(liar, other.clone());
        let (all, conditions) = compared(1, &behaviours).await;
        assert_eq!(disagrees(&conditions), [liar], "{conditions:?}");
        // Once it is known it is asked last, so that what it says is no claim any more.
        assert_eq!(all.last(), Some(&Agreement::Backed), "{all:?}");
    }
    let (all, conditions) = compared(2, &[honest, other]).await;
    assert_eq!(disagrees(&conditions), [0, 1]);
    let disputed = |it: &Agreement| matches!(it, Agreement::Disputed(of) if of.address == ADDRESS && of.nodes.len() == 2);
    assert!(all.iter().any(disputed), "{all:?}");
    assert!(!all.contains(&Agreement::Backed), "{all:?}");
}

#[tokio::test]
async fn who_merely_lags_is_not_named_whatever_else_fails() {
    let stories = [0, 1, 20].into_iter().flat_map(|lag| {
        [0, 20].into_iter().flat_map(move |faulty| {
            let late = Behaviour {
                manner: Manner::Lags(lag),
                ..honest(faulty, &ALL)
            };
            let three = vec![honest(faulty, &ALL), late, honest(faulty, &ALL)];
            [three[..2].to_vec(), three]
        })
    });
    let stories = stories.enumerate().map(|(seed, behaviours)| async move {
        let (all, conditions) = compared(seed as u64, &behaviours).await;
        assert_eq!(disagrees(&conditions), [0; 0], "{behaviours:?}: {all:?}");
    });
    futures_util::future::join_all(stories).await;
}
