//! What is said of a flag.

use serde::Serialize;

use crate::{flag::Flag, limits::Limits};

/// How a flag stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing to worry about.
    Quiet,
    /// Look at it.
    Raised,
    /// It cannot be judged, which is neither.
    Unknown,
}

/// A flag's state with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Which.
    pub flag: Flag,
    /// How it stands.
    pub state: State,
    /// In the flag's unit; `None` where there is none.
    pub value: Option<u64>,
    /// When it is raised.
    pub limits: Limits,
    /// Since when it is raised, Unix seconds.
    pub since_secs: Option<i64>,
    /// On what it rests, or what is missing.
    pub note: String,
}

/// A judgement as the API and `ballast doctor` show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// [`Flag::name`].
    pub name: &'static str,
    /// [`Flag::label`].
    pub label: &'static str,
    /// With its unit.
    pub value: String,
    /// The same.
    pub threshold: String,
    /// [`Limits::window_secs`].
    pub window_secs: u32,
    /// How it stands.
    pub state: State,
    /// [`Judgement::since_secs`].
    pub since_secs: Option<i64>,
    /// [`Judgement::note`].
    pub note: String,
}

impl Judgement {
    /// For people and programs.
    #[must_use]
    pub fn row(&self) -> Row {
        let unit = self.flag.unit();
        let value = self.value.map(|value| unit.show(value));
        Row {
            name: self.flag.name(),
            label: self.flag.label(),
            value: value.unwrap_or_else(|| "not judged".into()),
            threshold: unit.show(self.limits.raise_at),
            window_secs: self.limits.window_secs,
            state: self.state,
            since_secs: self.since_secs,
            note: self.note.clone(),
        }
    }

    /// One clause of the reason for reducing.
    #[must_use]
    pub fn evidence(&self) -> String {
        let row = self.row();
        format!("{} {} (limit {})", row.name, row.value, row.threshold)
    }

    /// Of two of the same flag the one to show: raised before unknown before quiet, then the worse value.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |judgement: &Self| {
            let state = match judgement.state {
                State::Quiet => 0,
                State::Unknown => 1,
                State::Raised => 2,
            };
            let value = judgement.value.map(|value| {
                if judgement.flag.unit().low_is_bad() {
                    u64::MAX - value
                } else {
                    value
                }
            });
            (state, value)
        };
        if rank(&other) > rank(&self) {
            other
        } else {
            self
        }
    }
}
