//! Whether nodes say the same of accounts, by what they said and of which slots. Values alone.
//!
//! **Lag is no disagreement.** A node that says something else of an earlier slot may be behind, of a later one ahead. It contradicts a claim
//! only where its slot lies between two of which others said the claim: an account that is the same at both was so in between as well, because
//! what is compared (owner and data) does not come back to what it was.
//!
//! **Who gains?** Whoever runs one of the nodes. With three its word alone counts for nothing; with two it can dispute whatever the other says,
//! and nobody knows which of them is wrong.

use solana_sdk::account::Account;

use crate::agreement::Claimed;

/// What a node said of the accounts of a claim, in the claim's order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub slot: u64,
    pub accounts: Vec<Option<Account>>,
}

/// What follows from what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Two at least say so; these said something else of the same time. Whether others do is known once these have been asked again.
    Backed {
        against: Vec<usize>,
        ask: Vec<(usize, u64)>,
    },
    /// Nobody else has said anything that can be compared.
    Alone,
    /// Whoever speaks says something else of a later slot.
    Changed,
    /// These are to be asked again, for an answer of this slot or a later one.
    Open {
        account: usize,
        ask: Vec<(usize, u64)>,
    },
    /// Two at least say something else of the same time, and less say so: these.
    Outvoted { account: usize, against: Vec<usize> },
    /// As many say so as something else.
    Disputed { account: usize, between: Vec<usize> },
}

/// Owner and data. Lamports come and go by anybody's hand, and nothing rests on them.
fn is_same(a: Option<&Account>, b: Option<&Account>) -> bool {
    // An account without lamports is none.
    let there = |account: &&Account| account.lamports > 0;
    match (a.filter(there), b.filter(there)) {
        (None, None) => true,
        (Some(a), Some(b)) => (a.owner, &a.data) == (b.owner, &b.data),
        _ => false,
    }
}

/// What becomes of a claim, account by account: the worst counts.
pub(super) fn judge(slot: u64, claimed: &[Claimed], said: &[Option<Said>]) -> Finding {
    let (mut against, mut ask) = (Vec::new(), Vec::new());
    let mut worst = None;
    for (index, claim) in claimed.iter().enumerate() {
        match judge_one(slot, index, claim, said) {
            Finding::Backed {
                against: more,
                ask: of_this,
            } => {
                against.extend(more);
                if !claim.moves {
                    ask.extend(of_this);
                }
            }
            // That it moves on is expected, and that others saw the same bytes of it is not.
            Finding::Alone | Finding::Changed | Finding::Open { .. } if claim.moves => {}
            finding => {
                if worst
                    .as_ref()
                    .is_none_or(|worst| rank(worst) < rank(&finding))
                {
                    worst = Some(finding);
                }
            }
        }
    }
    against.sort_unstable();
    against.dedup();
    worst.unwrap_or(Finding::Backed { against, ask })
}

fn rank(finding: &Finding) -> u8 {
    match finding {
        Finding::Backed { .. } => 0,
        Finding::Alone => 1,
        Finding::Open { .. } => 2,
        Finding::Changed => 3,
        Finding::Disputed { .. } => 4,
        Finding::Outvoted { .. } => 5,
    }
}

fn judge_one(slot: u64, account: usize, claim: &Claimed, said: &[Option<Said>]) -> Finding {
    let heard = || {
        let all = said.iter().enumerate();
        all.filter_map(|(node, said)| {
            let said = said.as_ref()?;
            Some((node, said.slot, said.accounts.get(account)?.as_ref()))
        })
    };
    let (agree, differ): (Vec<_>, Vec<_>) =
        heard().partition(|(_, _, found)| is_same(claim.account.as_ref(), *found));
    let slots = || agree.iter().map(|(_, slot, _)| *slot).chain([slot]);
    let (low, high) = (slots().min().unwrap_or(slot), slots().max().unwrap_or(slot));
    let (deny, open): (Vec<_>, Vec<_>) = differ
        .into_iter()
        .partition(|(_, slot, _)| (low..=high).contains(slot));
    let nodes = |of: &[(usize, u64, Option<&Account>)]| -> Vec<usize> {
        of.iter().map(|(node, ..)| *node).collect()
    };
    let alike = |(_, _, found): &(usize, u64, Option<&Account>)| {
        let same = deny.iter().filter(|(.., other)| is_same(*found, *other));
        same.count()
    };
    let denied = deny.iter().map(alike).max().unwrap_or_default();
    let later = open
        .iter()
        .map(|(_, slot, _)| *slot)
        .filter(|it| *it > high);
    let later = later.max();
    // Those that say so, once they have come as far as those that are ahead; and those that are behind, as far as the claim.
    let ask = || {
        let agreeing = agree.iter().filter(|(_, slot, _)| later > Some(*slot));
        let agreeing = agreeing.filter_map(|(node, ..)| Some((*node, later?)));
        let behind = open.iter().filter(|(_, slot, _)| *slot < low);
        let behind = behind.map(|(node, ..)| (*node, low));
        agreeing.chain(behind).collect()
    };
    if agree.len() >= 2 && agree.len() > denied {
        return Finding::Backed {
            against: nodes(&deny),
            ask: ask(),
        };
    }
    if denied >= 2 && denied > agree.len() {
        return Finding::Outvoted {
            account,
            against: nodes(&agree),
        };
    }
    if agree.is_empty() && deny.is_empty() && later.is_some() {
        return Finding::Changed;
    }
    if !open.is_empty() {
        return Finding::Open {
            account,
            ask: ask(),
        };
    }
    if !deny.is_empty() {
        let both = match agree.is_empty() {
            // Whoever claimed it does not say so any more.
            true => heard().map(|(node, ..)| node).collect(),
            false => [nodes(&agree), nodes(&deny)].concat(),
        };
        return Finding::Disputed {
            account,
            between: both,
        };
    }
    match agree.len() {
        0 | 1 => Finding::Alone,
        _ => Finding::Backed {
            against: Vec::new(),
            ask: Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use solana_sdk::pubkey::Pubkey;

    use super::*;

    const SLOT: u64 = 1_000;

    fn account(byte: u8) -> Option<Account> {
        Some(Account {
            lamports: 1,
            data: vec![byte],
            ..Account::default()
        })
    }

    fn claimed(moves: bool) -> Claimed {
        Claimed {
            address: Pubkey::default(),
            account: account(1),
            moves,
        }
    }

    fn said(slot: u64, byte: u8) -> Option<Said> {
        Some(Said {
            slot,
            accounts: vec![account(byte)],
        })
    }

    /// What becomes of the claim that the byte is 1 at [`SLOT`].
    fn judged(said: &[Option<Said>]) -> Finding {
        judge(SLOT, &[claimed(false)], said)
    }

    fn backed(against: &[usize]) -> Finding {
        Finding::Backed {
            against: against.to_vec(),
            ask: Vec::new(),
        }
    }

    fn open(ask: &[(usize, u64)]) -> Finding {
        Finding::Open {
            account: 0,
            ask: ask.to_vec(),
        }
    }

    fn disputed(between: &[usize]) -> Finding {
        Finding::Disputed {
            account: 0,
            between: between.to_vec(),
        }
    }

    #[test]
    fn two_that_say_the_same_back_it_whatever_their_slots_are() {
        for other in [SLOT - 40, SLOT, SLOT + 40] {
            assert_eq!(judged(&[said(SLOT, 1), said(other, 1)]), backed(&[]));
        }
        assert_eq!(judged(&[said(SLOT, 1), None]), Finding::Alone);
        assert_eq!(judged(&[None, None]), Finding::Alone);
    }

    #[test]
    fn something_else_of_the_same_slot_is_a_dispute() {
        assert_eq!(judged(&[said(SLOT, 1), said(SLOT, 2)]), disputed(&[0, 1]));
        // That it does not exist is something else as well, and one without lamports does not exist.
        let gone = Some(Said {
            slot: SLOT,
            accounts: vec![None],
        });
        assert_eq!(judged(&[said(SLOT, 1), gone.clone()]), disputed(&[0, 1]));
        let mut none = claimed(false);
        none.account = Some(Account::default());
        assert_eq!(judge(SLOT, &[none], &[gone.clone(), gone]), backed(&[]));
    }

    #[test]
    fn mere_lag_is_no_disagreement() {
        // It is asked again until it has come as far.
        let behind = judged(&[said(SLOT, 1), said(SLOT - 30, 2)]);
        assert_eq!(behind, open(&[(1, SLOT)]));
        assert_eq!(judged(&[said(SLOT, 1), said(SLOT + 2, 1)]), backed(&[]));
        // It is ahead: the other is asked again, and says the same then.
        let ahead = judged(&[said(SLOT, 1), said(SLOT + 3, 2)]);
        assert_eq!(ahead, open(&[(0, SLOT + 3)]));
        let come = judged(&[said(SLOT + 4, 2), said(SLOT + 3, 2)]);
        assert_eq!(come, Finding::Changed);
        // Both, with a third that is as far as the claim.
        let three = [said(SLOT, 1), said(SLOT - 1, 2), said(SLOT + 1, 3)];
        assert_eq!(judged(&three), open(&[(0, SLOT + 1), (1, SLOT)]));
    }

    #[test]
    fn something_else_between_two_slots_of_which_it_was_said_is_a_dispute() {
        let unchanged = judged(&[said(SLOT + 5, 1), said(SLOT + 3, 2)]);
        assert_eq!(unchanged, disputed(&[0, 1]));
        let unchanged = judged(&[said(SLOT - 5, 1), said(SLOT - 3, 2)]);
        assert_eq!(unchanged, disputed(&[0, 1]));
        // Whoever claimed it says something else now.
        assert_eq!(
            judged(&[said(SLOT + 1, 3), said(SLOT, 2)]),
            open(&[]),
            "asked for nothing more, and not settled"
        );
        assert_eq!(judged(&[said(SLOT, 2), None]), disputed(&[0]));
    }

    #[test]
    fn of_three_the_odd_one_is_named_whether_the_claim_is_its_own_or_not() {
        let honest = [said(SLOT, 1), said(SLOT, 2), said(SLOT + 1, 1)];
        assert_eq!(judged(&honest), backed(&[1]));
        let liars = [said(SLOT, 1), said(SLOT, 2), said(SLOT, 2)];
        assert_eq!(
            judged(&liars),
            Finding::Outvoted {
                account: 0,
                against: vec![0]
            }
        );
        // Three that say three things.
        let all = [said(SLOT, 1), said(SLOT, 2), said(SLOT, 3)];
        assert_eq!(judged(&all), disputed(&[0, 1, 2]));
        // Two that lag convince nobody that the one who is ahead is wrong, and are enough to act on.
        let ahead = [said(SLOT, 1), said(SLOT + 1, 1), said(SLOT + 9, 2)];
        let Finding::Backed { against, ask } = judged(&ahead) else {
            panic!("{:?}", judged(&ahead));
        };
        assert_eq!((against, ask), (vec![], vec![(0, SLOT + 9), (1, SLOT + 9)]));
        let come = [said(SLOT + 9, 1), said(SLOT + 10, 1), said(SLOT + 9, 2)];
        assert_eq!(judged(&come), backed(&[2]));
    }

    #[test]
    fn what_moves_with_every_slot_is_compared_at_the_same_one_only() {
        let judged = |said: &[Option<Said>]| judge(SLOT, &[claimed(true)], said);
        for other in [SLOT - 1, SLOT + 1] {
            assert_eq!(judged(&[said(SLOT, 1), said(other, 2)]), backed(&[]));
        }
        assert_eq!(judged(&[said(SLOT, 1), said(SLOT, 2)]), disputed(&[0, 1]));
    }

    #[test]
    fn the_worst_account_counts() {
        let two = |bytes: [u8; 2], slot| {
            let accounts = bytes.map(account).to_vec();
            Some(Said { slot, accounts })
        };
        let claims = [claimed(false), claimed(false)];
        let judged = |other| judge(SLOT, &claims, &[two([1, 1], SLOT), other]);
        assert_eq!(judged(two([1, 1], SLOT)), backed(&[]));
        let Finding::Disputed { account, .. } = judged(two([1, 2], SLOT)) else {
            panic!("not disputed");
        };
        assert_eq!(account, 1);
    }

    /// Nodes that tell the truth of a changing account, each at a slot of its own: nobody is ever accused.
    #[test]
    fn who_tells_the_truth_is_never_accused_however_far_apart_slots_are() {
        // The account changes at these slots, to what it has not been.
        let truth = |slot: u64| (slot / 7) as u8;
        let at = |slot: u64| said(slot, truth(slot));
        for claim in 100..130 {
            let claimed = Claimed {
                account: account(truth(claim)),
                ..claimed(false)
            };
            for a in 95..135 {
                for b in 95..135 {
                    for third in [None, at(claim), at(110)] {
                        let all = [at(a), at(b), third.clone()];
                        let accused = match judge(claim, std::slice::from_ref(&claimed), &all) {
                            Finding::Backed { against, .. } => against,
                            Finding::Outvoted { against, .. } => against,
                            Finding::Disputed { between, .. } => between,
                            Finding::Alone | Finding::Changed | Finding::Open { .. } => continue,
                        };
                        assert_eq!(accused, [0; 0], "{claim} {a} {b} {third:?}");
                    }
                }
            }
        }
    }
}
