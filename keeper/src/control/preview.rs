//! What a request would mean, before it is made: a pure function of what is known of the positions.

use serde::Serialize;
use solana_sdk::pubkey::Pubkey;

use super::{InFlight, Mode, Scope, Standing, Verb};

/// What a preview needs to know of a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// Its address.
    pub position: Pubkey,
    /// Its number, as the owner gave it.
    pub number: u64,
    /// Its market.
    pub market: Pubkey,
    /// Mint of the market's quote token.
    pub quote_mint: Pubkey,
    /// Equity, raw quote units.
    pub equity: i128,
    /// Something is due and could be done now.
    pub due: bool,
    /// The nearer liquidation boundary; `None`: there is none.
    pub nearest: Option<Boundary>,
}

/// A liquidation boundary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boundary {
    /// It lies below the price, not above.
    pub below: bool,
    /// Distance in basis points of the price, signed.
    pub distance_bps: i64,
    /// Distance in the usual move of a day; `None`: that is not known.
    pub sigma_days: Option<f64>,
}

/// What a request does to the risk of the positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nobody acts before liquidation.
    Raises,
    /// Only what lowers risk is done.
    Lowers,
    /// As configured.
    Restores,
}

/// The position that is nearest to its liquidation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Its address.
    pub position: Pubkey,
    /// Its number.
    pub number: u64,
    /// Its market.
    pub market: Pubkey,
    /// How near.
    pub boundary: Boundary,
}

/// Equity of the positions concerned. Amounts of different tokens are not added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equity {
    /// There is no position.
    Nothing,
    /// All of it is counted in one token.
    Of {
        /// A market whose quote token it is.
        market: Pubkey,
        /// That token's mint.
        quote_mint: Pubkey,
        /// Raw units of it.
        raw: i128,
    },
    /// Their markets have different quote tokens.
    SeveralTokens,
}

impl Equity {
    fn and(self, fact: &Facts) -> Self {
        match self {
            Self::Nothing => Self::Of {
                market: fact.market,
                quote_mint: fact.quote_mint,
                raw: fact.equity,
            },
            Self::Of {
                market,
                quote_mint,
                raw,
            } if quote_mint == fact.quote_mint => Self::Of {
                market,
                quote_mint,
                raw: raw.saturating_add(fact.equity),
            },
            Self::Of { .. } | Self::SeveralTokens => Self::SeveralTokens,
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// In a sentence or two.
    pub effect: String,
    /// See [`Risk`].
    pub risk: Risk,
    /// How many positions it is about.
    pub positions: usize,
    /// See [`Equity`].
    pub equity: Equity,
    /// For how many something is due now that could be done.
    pub due_now: usize,
    /// How many are within the usual move of a day of their liquidation.
    pub within_one_sigma_day: usize,
    /// The nearest.
    pub nearest: Option<Nearest>,
    /// What is in flight for them and cannot be called back.
    pub in_flight: Vec<InFlight>,
}

/// Nearer comes first: by the usual move of a day where it is known, as lists of positions are sorted.
fn nearness(boundary: &Boundary) -> (f64, u64) {
    let days = boundary.sigma_days.unwrap_or(f64::INFINITY);
    (days, boundary.distance_bps.unsigned_abs())
}

impl Preview {
    /// What `verb` would mean for the positions of `scope` among `facts`. `None`: the position is not among them.
    ///
    /// `configured`, `now`: the configuration's mode, and what is in force.
    pub fn new(
        scope: Scope,
        verb: Verb,
        configured: Mode,
        now: &Standing,
        facts: impl IntoIterator<Item = Facts>,
        in_flight: &[InFlight],
    ) -> Option<Self> {
        let concerns = |position: Pubkey| match scope {
            Scope::Keeper => true,
            Scope::Position { position: its } => position == its,
        };
        let mut preview = Self {
            effect: effect(scope, verb, configured, now),
            risk: match verb {
                Verb::Halt | Verb::Pause => Risk::Raises,
                Verb::Reduce => Risk::Lowers,
                Verb::Resume => Risk::Restores,
            },
            positions: 0,
            equity: Equity::Nothing,
            due_now: 0,
            within_one_sigma_day: 0,
            nearest: None,
            in_flight: in_flight
                .iter()
                .filter(|flight| concerns(flight.position))
                .copied()
                .collect(),
        };
        for fact in facts {
            if concerns(fact.position) {
                preview.add(&fact);
            }
        }
        let missing = preview.positions == 0 && scope != Scope::Keeper;
        (!missing).then_some(preview)
    }

    fn add(&mut self, fact: &Facts) {
        self.positions += 1;
        self.equity = self.equity.and(fact);
        self.due_now += usize::from(fact.due);
        let Some(boundary) = fact.nearest else {
            return;
        };
        self.within_one_sigma_day +=
            usize::from(boundary.sigma_days.is_some_and(|days| days < 1.0));
        let nearer = self
            .nearest
            .is_none_or(|nearest| nearness(&boundary) < nearness(&nearest.boundary));
        if nearer {
            self.nearest = Some(Nearest {
                position: fact.position,
                number: fact.number,
                market: fact.market,
                boundary,
            });
        }
    }
}

const CHAIN: &str = "The chain still allows anybody to liquidate at maintenance.";

fn effect(scope: Scope, verb: Verb, configured: Mode, now: &Standing) -> String {
    let whole = scope == Scope::Keeper;
    let mut effect = match (verb, whole) {
        (Verb::Halt | Verb::Pause, true) => {
            format!("The keeper sends nothing more until somebody resumes it. {CHAIN}")
        }
        (Verb::Halt | Verb::Pause, false) => {
            format!("The keeper leaves this position alone until somebody resumes it. {CHAIN}")
        }
        (Verb::Reduce, true) => {
            "The keeper rehedges, deleverages and exits, and takes no new risk: no recentering, no \
             compounding, no liquidating."
                .to_owned()
        }
        (Verb::Reduce, false) => {
            "The keeper rehedges and deleverages this position and exits it, and does no more: no \
             recentering, no compounding, no liquidating."
                .to_owned()
        }
        (Verb::Resume, _) => {
            "The keeper decides again as its configuration and the owners' policies say.".to_owned()
        }
    };
    let after = configured.min(verb.bound().unwrap_or(Mode::Active));
    if !configured.sends() {
        effect.push_str(&format!(
            " Its configuration says {configured}, so that it sends nothing either way."
        ));
    } else if !whole && now.mode < after {
        effect.push_str(&format!(
            " The keeper itself is {}, which binds this position too.",
            now.mode
        ));
    } else if whole && verb == Verb::Reduce && now.mode < after {
        effect.push_str(&format!(" It is {} now: it begins to act again.", now.mode));
    }
    effect
}

#[cfg(test)]
mod tests {
    use ballast_strategy::decide::ActionKind;

    use super::*;

    fn address(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn standing(mode: Mode) -> Standing {
        Standing {
            mode,
            reason: "configured".into(),
            by: None,
        }
    }

    fn facts() -> [Facts; 4] {
        let fact = |number: u8, due, nearest| Facts {
            position: address(number),
            number: number.into(),
            market: address(20),
            quote_mint: address(30),
            equity: 100 * i128::from(number) - 150,
            due,
            nearest,
        };
        let boundary = |distance_bps, sigma_days| {
            Some(Boundary {
                below: distance_bps < 0,
                distance_bps,
                sigma_days,
            })
        };
        [
            fact(1, true, boundary(-900, Some(2.0))),
            fact(2, false, boundary(700, Some(0.5))),
            fact(3, true, boundary(-100, None)),
            fact(4, false, None),
        ]
    }

    fn flight(number: u8) -> InFlight {
        InFlight {
            id: number.into(),
            position: address(number),
            action: ActionKind::Rehedge,
            signature: [number; 64].into(),
        }
    }

    fn preview(scope: Scope, verb: Verb, configured: Mode, now: Mode) -> Option<Preview> {
        let flights = [flight(1), flight(2)];
        Preview::new(scope, verb, configured, &standing(now), facts(), &flights)
    }

    fn of(raw: i128) -> Equity {
        Equity::Of {
            market: address(20),
            quote_mint: address(30),
            raw,
        }
    }

    #[test]
    fn amounts_of_different_tokens_are_not_added_up() {
        let halt = |other: Facts| {
            let facts = facts().into_iter().chain([other]);
            let now = standing(Mode::Active);
            Preview::new(Scope::Keeper, Verb::Halt, Mode::Active, &now, facts, &[]).unwrap()
        };
        let same_token = Facts {
            market: address(21),
            ..facts()[0]
        };
        assert_eq!(halt(same_token).equity, of(400 - 50));
        let other_token = Facts {
            quote_mint: address(31),
            ..same_token
        };
        assert_eq!(halt(other_token).equity, Equity::SeveralTokens);
        let near = Facts {
            nearest: Some(Boundary {
                below: true,
                distance_bps: -10,
                sigma_days: Some(0.1),
            }),
            ..other_token
        };
        assert_eq!(halt(near).nearest.unwrap().market, address(21));
    }

    #[test]
    fn a_halt_is_about_all_positions_and_raises_risk() {
        let halt = preview(Scope::Keeper, Verb::Halt, Mode::Active, Mode::Active).unwrap();
        assert_eq!(
            (halt.positions, halt.due_now, halt.within_one_sigma_day),
            (4, 2, 1)
        );
        assert_eq!(
            (halt.equity, halt.risk),
            (of(100 * 10 - 4 * 150), Risk::Raises)
        );
        // By what a day usually moves it, as the list of positions is sorted; not by percent.
        assert_eq!(halt.nearest.unwrap().number, 2);
        assert_eq!(halt.in_flight, [flight(1), flight(2)]);
        assert!(
            halt.effect.contains("sends nothing more"),
            "{}",
            halt.effect
        );
    }

    #[test]
    fn of_one_position_only_it_is_told() {
        let scope = |number| Scope::Position {
            position: address(number),
        };
        let pause = preview(scope(2), Verb::Pause, Mode::Active, Mode::Active).unwrap();
        assert_eq!(
            (pause.positions, pause.due_now, pause.equity),
            (1, 0, of(50))
        );
        assert_eq!(pause.in_flight, [flight(2)]);
        assert_eq!(pause.risk, Risk::Raises);
        assert_eq!(
            preview(scope(9), Verb::Pause, Mode::Active, Mode::Active),
            None
        );
        let unhurried = preview(scope(4), Verb::Reduce, Mode::Active, Mode::Active).unwrap();
        assert_eq!((unhurried.nearest, unhurried.risk), (None, Risk::Lowers));
    }

    #[test]
    fn a_keeper_without_positions_can_be_halted() {
        let now = standing(Mode::Active);
        let preview = Preview::new(Scope::Keeper, Verb::Halt, Mode::Active, &now, [], &[]).unwrap();
        assert_eq!((preview.positions, preview.nearest), (0, None));
        assert_eq!(preview.equity, Equity::Nothing);
    }

    #[test]
    fn the_effect_says_what_binds_beside_it() {
        let effect =
            |scope, verb, configured, now| preview(scope, verb, configured, now).unwrap().effect;
        let observing = effect(Scope::Keeper, Verb::Resume, Mode::Observe, Mode::Halted);
        assert!(
            observing.contains("configuration says observe"),
            "{observing}"
        );
        let lifted = effect(Scope::Keeper, Verb::Reduce, Mode::Active, Mode::Halted);
        assert!(lifted.contains("begins to act again"), "{lifted}");
        let scope = Scope::Position {
            position: address(1),
        };
        let under = effect(scope, Verb::Resume, Mode::Active, Mode::Reducing);
        assert!(under.contains("itself is reducing"), "{under}");
        let plain = effect(scope, Verb::Resume, Mode::Active, Mode::Active);
        assert!(!plain.contains("itself"), "{plain}");
    }
}
