//! How the stand-in misbehaves: what it draws for each request, from a seed.

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// One misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives; the connection breaks.
    LoseRequest,
    /// The request is carried out; the connection breaks before the answer is whole.
    LoseAnswer,
    /// 429 with the body `null`.
    TooMany,
    /// 502, with the request carried out or not.
    BadGateway {
        /// Whether it was.
        done: bool,
    },
    /// The request is carried out; the answer is cut.
    Garbage,
    /// Refused with a text, such as a duplicate nonce or an unknown agent.
    Error(&'static str),
    /// Half of the depth is gone before the order arrives.
    Thin,
}

const TRADING: [Fault; 10] = [
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::LoseAnswer,
    Fault::TooMany,
    Fault::BadGateway { done: true },
    Fault::BadGateway { done: false },
    Fault::Garbage,
    Fault::Error("Invalid nonce: duplicate nonce"),
    Fault::Error("User or API Wallet 0x0000000000000000000000000000000000000000 does not exist."),
    Fault::Thin,
];
const ASKING: [Fault; 5] = [
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::TooMany,
    Fault::BadGateway { done: false },
    Fault::Garbage,
];

/// What misbehaves, and how often.
#[derive(Debug, Clone)]
pub struct Faults {
    random: ChaCha8Rng,
    forced: VecDeque<Fault>,
    /// The share of requests that meet a fault.
    pub share: f64,
    /// Whether streams say nothing, without closing.
    pub silent_stream: bool,
    /// Whether streams are closed, and new ones refused.
    pub closed_stream: bool,
}

impl Faults {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self::seeded(0, 0.0)
    }

    /// A share of requests, drawn from a seed.
    #[must_use]
    pub fn seeded(seed: u64, share: f64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            forced: VecDeque::new(),
            share,
            silent_stream: false,
            closed_stream: false,
        }
    }

    /// The next action meets this fault.
    pub fn force(&mut self, fault: Fault) {
        self.forced.push_back(fault);
    }

    /// The fault of the next request.
    pub fn next(&mut self, trading: bool) -> Option<Fault> {
        if trading && let Some(forced) = self.forced.pop_front() {
            return Some(forced);
        }
        let faults: &[Fault] = if trading { &TRADING } else { &ASKING };
        self.random
            .random_bool(self.share.clamp(0.0, 1.0))
            .then(|| faults.choose(&mut self.random).copied())
            .flatten()
    }
}
