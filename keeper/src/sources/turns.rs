//! Which stream is listened to next, when one has ended.

/// What is known of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// How often in a row it did not come up, or ended soon.
    failures: u32,
    /// When it last had its turn; 0: never.
    turn: u64,
}

/// The turns of some streams: the one that failed the fewest times in a row, of equals the one whose turn is longest ago, then as they
/// were named. One that refuses every time has its turn again when all others have failed as often.
#[derive(Debug)]
pub(super) struct Turns {
    seen: Vec<Seen>,
    turns: u64,
}

impl Turns {
    /// Of so many.
    pub fn of(count: usize) -> Self {
        let seen = vec![Seen::default(); count];
        Self { seen, turns: 0 }
    }

    /// Whose turn it is; `None` if there are none.
    pub fn next(&mut self) -> Option<usize> {
        let all = self.seen.iter().enumerate();
        let (index, _) = all.min_by_key(|(_, seen)| (seen.failures, seen.turn))?;
        self.turns += 1;
        self.seen[index].turn = self.turns;
        Some(index)
    }

    /// One has ended; whether it had lived for a while.
    pub fn ended(&mut self, index: usize, lived: bool) {
        if let Some(seen) = self.seen.get_mut(index) {
            seen.failures = match lived {
                true => 0,
                false => seen.failures.saturating_add(1),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whose turn it is in each of some rounds, in which those live that are named.
    fn rounds<const N: usize>(turns: &mut Turns, live: [&[usize]; N]) -> [usize; N] {
        live.map(|live| {
            let index = turns.next().unwrap();
            turns.ended(index, live.contains(&index));
            index
        })
    }

    #[test]
    fn who_lives_and_breaks_is_followed_by_the_next_and_comes_again() {
        let mut turns = Turns::of(3);
        assert_eq!(rounds(&mut turns, [&[0, 1, 2]; 6]), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn who_refuses_does_not_have_its_turn_before_one_that_works() {
        let mut turns = Turns::of(2);
        assert_eq!(rounds(&mut turns, [&[1]; 5]), [0, 1, 1, 1, 1]);
        // The other one fails as well: in turns, until one lives.
        assert_eq!(rounds(&mut turns, [&[]; 4]), [1, 0, 1, 0]);
        assert_eq!(rounds(&mut turns, [&[0, 1]; 3]), [1, 1, 1]);
    }

    #[test]
    fn none_have_no_turn() {
        assert_eq!(Turns::of(0).next(), None);
        Turns::of(0).ended(3, true);
    }
}
