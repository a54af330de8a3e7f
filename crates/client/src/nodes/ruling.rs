//! What became of a transaction, by what several nodes say of it. Values alone.
//!
//! That it has landed, or has expired, takes two nodes. What one says against two counts for nothing, and is remembered against it.

use crate::chain::{Confirmation, Expiry, TransactionStatus};

/// What one node says: its block height, and then, once that is beyond the last in which the transaction can land, what it knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Witness {
    pub height: u64,
    /// Whether the transaction can land no more, by that height.
    pub is_over: bool,
    pub status: Option<TransactionStatus>,
}

/// What follows from all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// This.
    Is(Expiry),
    /// All agree that it is over, but not on what came of it: these say that it is in a confirmed block.
    Claims {
        of: Vec<(usize, TransactionStatus)>,
        /// What follows if none of them can show it.
        otherwise: Expiry,
    },
}

/// A status that does not change any more.
fn settled(status: Option<&TransactionStatus>) -> Option<&TransactionStatus> {
    status.filter(|status| status.confirmation >= Confirmation::Confirmed)
}

fn is_same(a: &TransactionStatus, b: &TransactionStatus) -> bool {
    (a.slot, &a.error) == (b.slot, &b.error)
}

/// What `needed` nodes at least say is settled.
fn agreed<'a>(
    statuses: impl Iterator<Item = Option<&'a TransactionStatus>> + Clone,
    needed: usize,
) -> Option<&'a TransactionStatus> {
    let settled = statuses.filter_map(settled);
    let backed = |status: &&TransactionStatus| {
        settled
            .clone()
            .filter(|other| is_same(status, other))
            .count()
            >= needed
    };
    settled.clone().find(backed)
}

/// What is known of a transaction that may still land: settled if `needed` nodes say so, in a block if they see it in the same.
pub(super) fn seen(
    statuses: &[Option<TransactionStatus>],
    needed: usize,
) -> Option<TransactionStatus> {
    if let Some(status) = agreed(statuses.iter().map(Option::as_ref), needed) {
        return Some(status.clone());
    }
    let seen = statuses.iter().flatten();
    let backed = |status: &&TransactionStatus| {
        let same = seen.clone().filter(|other| is_same(status, other));
        same.count() >= needed
    };
    seen.clone().find(backed).map(|status| TransactionStatus {
        confirmation: Confirmation::Processed,
        ..status.clone()
    })
}

/// What became of a transaction. Also who was contradicted by the others.
pub(super) fn rule(witnesses: &[Option<Witness>], needed: usize) -> (Ruling, Vec<usize>) {
    let heard = || {
        let all = witnesses.iter().enumerate();
        all.filter_map(|(index, witness)| Some((index, witness.as_ref()?)))
    };
    let dead: Vec<(usize, &Witness)> = heard()
        .filter(|(_, witness)| witness.is_over && witness.status.is_none())
        .collect();
    if let Some(status) = agreed(heard().map(|(_, witness)| witness.status.as_ref()), needed) {
        let against = heard().filter(|(_, witness)| {
            let other =
                settled(witness.status.as_ref()).is_some_and(|other| !is_same(other, status));
            other || (witness.is_over && witness.status.is_none())
        });
        let against = against.map(|(index, _)| index).collect();
        return (Ruling::Is(Expiry::Landed(status.clone())), against);
    }
    let seen: Vec<(usize, &TransactionStatus)> = heard()
        .filter_map(|(index, witness)| Some((index, witness.status.as_ref()?)))
        .collect();
    if dead.len() >= needed && dead.len() > seen.len() {
        // The lowest of them has been reached by all.
        let block_height = dead.iter().map(|(_, witness)| witness.height).min();
        let block_height = block_height.unwrap_or_default();
        let against = seen.iter().map(|(index, _)| *index).collect();
        return (Ruling::Is(Expiry::Expired { block_height }), against);
    }
    let all_over = heard().all(|(_, witness)| witness.is_over) && heard().count() >= needed;
    let claims: Vec<(usize, TransactionStatus)> = seen
        .iter()
        .filter(|(_, status)| settled(Some(status)).is_some())
        .map(|(index, status)| (*index, TransactionStatus::clone(status)))
        .collect();
    if all_over && !claims.is_empty() {
        let heights = heard().map(|(_, witness)| witness.height);
        let otherwise = match dead.is_empty() {
            true => Expiry::Unconfirmed,
            false => Expiry::Expired {
                block_height: heights.min().unwrap_or_default(),
            },
        };
        let of = claims;
        return (Ruling::Claims { of, otherwise }, Vec::new());
    }
    match seen.is_empty() {
        true => (Ruling::Is(Expiry::NotYet), Vec::new()),
        false => (Ruling::Is(Expiry::Unconfirmed), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVER: u64 = 100;

    fn status(slot: u64, confirmation: Confirmation) -> Option<TransactionStatus> {
        Some(TransactionStatus {
            slot,
            error: None,
            confirmation,
        })
    }

    fn landed() -> Option<TransactionStatus> {
        status(50, Confirmation::Confirmed)
    }

    fn says(height: u64, status: Option<TransactionStatus>) -> Option<Witness> {
        Some(Witness {
            height,
            is_over: height > OVER,
            status,
        })
    }

    fn ruled(witnesses: &[Option<Witness>]) -> (Ruling, Vec<usize>) {
        rule(witnesses, 2)
    }

    const EXPIRED: Ruling = Ruling::Is(Expiry::Expired { block_height: 101 });
    const NOT_YET: Ruling = Ruling::Is(Expiry::NotYet);

    #[test]
    fn expiry_takes_two_that_are_beyond_the_height_themselves() {
        assert_eq!(
            ruled(&[says(101, None), says(105, None)]),
            (EXPIRED, vec![])
        );
        // One that is far ahead of the other, one that is alone, one that lags.
        assert_eq!(ruled(&[says(u64::MAX, None), says(100, None)]).0, NOT_YET);
        assert_eq!(ruled(&[says(101, None), None]).0, NOT_YET);
        assert_eq!(ruled(&[says(101, None), says(30, None), None]).0, NOT_YET);
        assert_eq!(ruled(&[]).0, NOT_YET);
    }

    #[test]
    fn what_one_says_against_two_counts_for_nothing_and_is_remembered() {
        assert_eq!(
            ruled(&[says(101, None), says(101, landed()), says(102, None)]),
            (EXPIRED, vec![1])
        );
        let (ruling, against) =
            ruled(&[says(u64::MAX, None), says(90, landed()), says(91, landed())]);
        assert_eq!(ruling, Ruling::Is(Expiry::Landed(landed().unwrap())));
        assert_eq!(against, [0]);
    }

    #[test]
    fn of_two_that_contradict_each_other_the_claim_is_looked_into_once_it_is_over_for_both() {
        let claims = |height| says(height, landed());
        assert_eq!(
            ruled(&[claims(101), says(100, None)]).0,
            Ruling::Is(Expiry::Unconfirmed)
        );
        let claim = Ruling::Claims {
            of: vec![(0, landed().unwrap())],
            otherwise: Expiry::Expired { block_height: 101 },
        };
        assert_eq!(ruled(&[claims(101), says(102, None)]), (claim, vec![]));
    }

    #[test]
    fn a_block_that_one_alone_has_seen_keeps_it_open_until_two_know_better() {
        let fork = says(101, status(50, Confirmation::Processed));
        assert_eq!(
            ruled(&[fork.clone(), says(101, None)]).0,
            Ruling::Is(Expiry::Unconfirmed)
        );
        assert_eq!(ruled(&[fork, says(101, None), says(101, None)]).0, EXPIRED);
    }

    #[test]
    fn different_slots_are_no_agreement() {
        let other = says(101, status(51, Confirmation::Finalized));
        let (ruling, _) = ruled(&[says(101, landed()), other.clone()]);
        let Ruling::Claims { of, otherwise } = ruling else {
            panic!("{ruling:?}");
        };
        assert_eq!((of.len(), otherwise), (2, Expiry::Unconfirmed));
        // Before that they are none either, so that it is sent on.
        let two = [landed(), other.unwrap().status];
        assert_eq!(seen(&two, 2), None);
    }

    #[test]
    fn before_it_is_over_one_confirmation_is_none() {
        let finalized = status(50, Confirmation::Finalized);
        assert_eq!(seen(&[finalized.clone(), None], 2), None);
        assert_eq!(seen(&[finalized.clone(), landed()], 2), finalized);
        let seen_by_both = seen(&[finalized.clone(), status(50, Confirmation::Processed)], 2);
        assert_eq!(seen_by_both, status(50, Confirmation::Processed));
        assert_eq!(seen(std::slice::from_ref(&finalized), 1), finalized);
    }

    /// Every mix of what three nodes may say, two of which are honest: what is ruled is so.
    #[test]
    fn one_liar_of_three_decides_nothing() {
        let lies = [0, 100, 101, u64::MAX].into_iter().flat_map(|height| {
            let statuses = [
                None,
                landed(),
                status(u64::MAX, Confirmation::Finalized),
                status(1, Confirmation::Processed),
            ];
            statuses.map(|status| says(height, status))
        });
        for lie in lies.chain([None]) {
            for heights in [[90, 95], [100, 101], [101, 150]] {
                for truth in [None, landed()] {
                    let honest = heights.map(|height| says(height, truth.clone()));
                    let [a, b] = honest;
                    for witnesses in [
                        [lie.clone(), a.clone(), b.clone()],
                        [a.clone(), lie.clone(), b.clone()],
                        [a.clone(), b.clone(), lie.clone()],
                    ] {
                        let (ruling, against) = ruled(&witnesses);
                        let place = witnesses.iter().position(|said| *said == lie);
                        match ruling {
                            Ruling::Is(Expiry::Landed(status)) => assert_eq!(Some(status), truth),
                            Ruling::Is(Expiry::Expired { .. }) => {
                                assert!(truth.is_none() && heights[1] > OVER);
                            }
                            Ruling::Claims { .. } => panic!("{witnesses:?}"),
                            Ruling::Is(_) => assert!(truth.is_none() && heights[0] <= OVER),
                        }
                        assert!(against.iter().all(|index| Some(*index) == place));
                    }
                }
            }
        }
    }
}
