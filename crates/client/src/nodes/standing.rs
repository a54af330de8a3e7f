//! Whether a transaction still stands that was in a block, by what several nodes say of it. Values alone.
//!
//! That it does not is said by those who keep the blocks of its time: by two of them, if there are so many. Who does not keep them, or
//! has not come so far, says nothing.

use crate::chain::Standing;

/// What follows from all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This.
    Is(Standing),
    /// Those who keep the blocks contradict each other: these have it in its block, if they can show it, and those say that it is gone.
    Split { have: Vec<usize>, deny: Vec<usize> },
}

/// What `needed` nodes say together.
pub(super) fn judge(said: &[Option<Standing>], needed: usize) -> Verdict {
    let who = |is: fn(Standing) -> bool| -> Vec<usize> {
        let all = said.iter().enumerate();
        all.filter(|(_, said)| said.is_some_and(is))
            .map(|(index, _)| index)
            .collect()
    };
    let is_final = who(|it| it == Standing::Final);
    let have = who(|it| matches!(it, Standing::Final | Standing::Stands));
    let deny = who(|it| it == Standing::Gone);
    let answered = said.iter().flatten().count();
    match (have.len(), deny.len()) {
        _ if is_final.len() >= needed => Verdict::Is(Standing::Final),
        (have, deny) if have >= needed && have > deny => Verdict::Is(Standing::Stands),
        (0, 0) => Verdict::Is(Standing::Unknown),
        // One of those who answered keeps the blocks, or all who do agree.
        (0, _) if answered >= needed => Verdict::Is(Standing::Gone),
        (0, _) => Verdict::Is(Standing::Unknown),
        // One alone says that it is there, and nobody who would know says otherwise.
        (_, 0) => Verdict::Is(Standing::Stands),
        _ => Verdict::Split { have, deny },
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing::*, *};

    fn judged(said: &[Standing]) -> Verdict {
        let said: Vec<_> = said.iter().copied().map(Some).collect();
        judge(&said, 2)
    }

    #[test]
    fn who_does_not_keep_the_blocks_of_that_time_says_nothing() {
        assert_eq!(judged(&[Unknown, Unknown]), Verdict::Is(Unknown));
        assert_eq!(judged(&[Unknown, Stands]), Verdict::Is(Stands));
        assert_eq!(judged(&[Unknown, Gone]), Verdict::Is(Gone));
        assert_eq!(judge(&[None, None], 2), Verdict::Is(Unknown));
        assert_eq!(judge(&[Some(Unknown)], 1), Verdict::Is(Unknown));
    }

    #[test]
    fn one_of_two_that_alone_answers_takes_nothing_back() {
        assert_eq!(judge(&[Some(Gone), None], 2), Verdict::Is(Unknown));
        // Where the other has long been silent, it does.
        assert_eq!(judge(&[Some(Gone), None], 1), Verdict::Is(Gone));
        assert_eq!(judge(&[Some(Stands), None], 2), Verdict::Is(Stands));
    }

    #[test]
    fn who_says_otherwise_against_two_is_not_believed_and_of_two_who_has_it_shows_it() {
        assert_eq!(judged(&[Gone, Gone]), Verdict::Is(Gone));
        assert_eq!(judged(&[Stands, Final, Gone]), Verdict::Is(Stands));
        assert_eq!(judged(&[Final, Final, Gone]), Verdict::Is(Final));
        let split = |have: &[usize], deny: &[usize]| Verdict::Split {
            have: have.to_vec(),
            deny: deny.to_vec(),
        };
        assert_eq!(judged(&[Gone, Stands]), split(&[1], &[0]));
        assert_eq!(judged(&[Gone, Stands, Unknown]), split(&[1], &[0]));
        assert_eq!(judged(&[Final, Gone, Gone]), split(&[0], &[1, 2]));
    }
}
