//! What is done with a position.

use ballast_clmm::SqrtPrice;
use ballast_strategy::decide::Action;

/// A kind of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The hedge is made exact.
    Rehedge,
    /// Debt is repaid, with a swap or without.
    Deleverage,
    /// The range is moved.
    Recenter,
    /// Fees are put to work.
    Compound,
    /// The position is taken out of the pool.
    Exit,
    /// Somebody else closes a part of it, for a bonus.
    Liquidation,
}

impl From<&Action> for Act {
    fn from(action: &Action) -> Self {
        match action {
            Action::Rehedge(_) => Self::Rehedge,
            Action::Deleverage { .. } | Action::DeleverageSwap { .. } => Self::Deleverage,
            Action::Recenter(_) => Self::Recenter,
            Action::Compound(_) => Self::Compound,
            Action::Exit(_) => Self::Exit,
            Action::Liquidate { .. } => Self::Liquidation,
        }
    }
}

impl Act {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Rehedge,
        Self::Deleverage,
        Self::Recenter,
        Self::Compound,
        Self::Exit,
        Self::Liquidation,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rehedge => "rehedge",
            Self::Deleverage => "deleverage",
            Self::Recenter => "recenter",
            Self::Compound => "compound",
            Self::Exit => "exit",
            Self::Liquidation => "liquidation",
        }
    }
}

/// How often each was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acts([u32; Act::ALL.len()]);

impl Acts {
    /// Once more.
    pub(crate) fn add(&mut self, act: Act) {
        let count = &mut self.0[act as usize];
        *count = count.saturating_add(1);
    }

    /// How often.
    pub fn count(&self, act: Act) -> u32 {
        self.0[act as usize]
    }

    /// What the position's own agent did.
    pub fn own(&self) -> u32 {
        let all: u32 = self
            .0
            .iter()
            .fold(0, |all, count| all.saturating_add(*count));
        all - self.count(Act::Liquidation)
    }
}

/// One action on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in seconds after the start.
    pub secs: u64,
    /// At which price.
    pub at: SqrtPrice,
    /// What.
    pub act: Act,
    /// Equity before, raw quote units.
    pub equity_before: i128,
    /// Equity afterwards.
    pub equity: i128,
    /// Debt over assets afterwards, in basis points.
    pub ltv_bps: u32,
}

/// What an agent says of a decision on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// When, in seconds after the start.
    pub secs: u64,
    /// At which price.
    pub at: SqrtPrice,
    /// What it says.
    pub text: String,
}
