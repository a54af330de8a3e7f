//! Asking: the best first and then the next, or all at once.

use std::sync::Arc;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Nodes, WITNESSES, as_ms, health::order};
use crate::chain::{Chain, ChainError};

/// What an answer is worth.
pub(super) enum Worth {
    Good,
    /// To be taken if there is none better, the higher the better.
    Poor(u64),
    Nothing(&'static str),
}

pub(super) type Answers<T> = Vec<Option<Result<T, ChainError>>>;

impl Nodes {
    /// Asks one, and notes how it did.
    pub(super) async fn ask<T>(
        &self,
        index: usize,
        answer: impl Future<Output = Result<T, ChainError>>,
    ) -> Result<T, ChainError> {
        let asked = Instant::now();
        let answer = answer.await;
        let mut known = self.known();
        match &answer {
            // A refusal is an answer.
            Ok(_) | Err(ChainError::Refused { .. }) => {
                known.health[index].answered(as_ms(asked.elapsed()));
            }
            Err(_) => known.health[index].failed(),
        }
        answer
    }

    /// The first good answer. The next one is asked as well when one fails, is not good, or takes too long.
    pub(super) async fn first<T, F: Future<Output = Result<T, ChainError>>>(
        &self,
        what: &'static str,
        question: impl Fn(usize, Arc<dyn Chain>) -> F,
        worth: impl Fn(&T) -> Worth,
    ) -> Result<T, ChainError> {
        let ask = |index: usize| {
            let answer = question(index, Arc::clone(&self.members[index]));
            async move { (index, self.ask(index, answer).await) }
        };
        if self.is_single() {
            return ask(0).await.1;
        }
        let order = order(&self.known().health, self.config.lag_slots, self.now_ms());
        let mut left = order.into_iter();
        let mut running = FuturesUnordered::new();
        let mut waited_for = left.next();
        running.extend(waited_for.map(ask));
        let (mut best, mut error): (Option<(u64, T)>, Option<ChainError>) = (None, None);
        loop {
            let waiting = running.next();
            let answer = match (left.len(), &best) {
                (0, None) => waiting.await,
                (more, _) => match timeout(self.config.patience, waiting).await {
                    Ok(answer) => answer,
                    Err(_) => {
                        if let Some(slow) = waited_for {
                            self.known().health[slow].failed();
                        }
                        if more == 0 {
                            // A poor answer at hand is worth no longer a wait for a better one.
                            break;
                        }
                        waited_for = left.next();
                        running.extend(waited_for.map(ask));
                        continue;
                    }
                },
            };
            match answer {
                Some((index, Ok(answer))) => match worth(&answer) {
                    Worth::Good => return Ok(answer),
                    Worth::Poor(rank) if best.as_ref().is_none_or(|(best, _)| *best < rank) => {
                        best = Some((rank, answer));
                    }
                    Worth::Poor(_) => {}
                    Worth::Nothing(reason) => {
                        error.get_or_insert(ChainError::BadAnswer {
                            endpoint: self.members[index].label(),
                            what,
                            reason: reason.into(),
                        });
                    }
                },
                // What the preferred one says says most.
                Some((_, Err(failed))) => {
                    error.get_or_insert(failed);
                }
                None => break,
            }
            waited_for = left.next();
            running.extend(waited_for.map(ask));
        }
        match (best, error) {
            (Some((_, best)), _) => Ok(best),
            (None, Some(error)) => Err(error),
            (None, None) => Err(ChainError::Unreachable {
                endpoint: self.label(),
                reason: "no node is configured".into(),
            }),
        }
    }

    /// What all say of a transaction, or as many as answer in time: all that are well, and `needed` at least while that takes no longer
    /// than our patience.
    pub(super) async fn gather<T, F: Future<Output = Result<T, ChainError>>>(
        &self,
        question: impl Fn(usize, Arc<dyn Chain>) -> F,
        enough: impl Fn(&Answers<T>) -> bool,
    ) -> Answers<T> {
        let mut answers: Answers<T> = self.members.iter().map(|_| None).collect();
        let well: Vec<bool> = {
            let known = self.known();
            known.health.iter().map(|it| !it.is_failing()).collect()
        };
        let ask = |(index, member): (usize, &Arc<dyn Chain>)| {
            let answer = question(index, Arc::clone(member));
            async move { (index, self.ask(index, answer).await) }
        };
        let mut running: FuturesUnordered<_> = self.members.iter().enumerate().map(ask).collect();
        let until = Instant::now() + self.config.patience;
        loop {
            let said = answers.iter().flatten().filter(|it| it.is_ok()).count();
            let next = match said {
                0 => running.next().await,
                _ => match timeout_at(until, running.next()).await {
                    Ok(next) => next,
                    Err(_) => {
                        let mut known = self.known();
                        for (health, answer) in known.health.iter_mut().zip(&answers) {
                            if answer.is_none() {
                                health.failed();
                            }
                        }
                        break;
                    }
                },
            };
            let Some((index, answer)) = next else { break };
            answers[index] = Some(answer);
            let mut awaited = answers.iter().zip(&well);
            let said = answers.iter().flatten().filter(|it| it.is_ok()).count();
            let all_well = awaited.all(|(answer, well)| answer.is_some() || !well);
            if enough(&answers) || (all_well && said >= WITNESSES) {
                break;
            }
        }
        answers
    }

    /// As [`Self::gather`], noting who bears witness.
    pub(super) async fn witnesses<T, F: Future<Output = Result<T, ChainError>>>(
        &self,
        question: impl Fn(usize, Arc<dyn Chain>) -> F,
        enough: impl Fn(&Answers<T>) -> bool,
    ) -> Result<Vec<Option<T>>, ChainError> {
        let answers = self.gather(question, &enough).await;
        let (now_ms, cut_short) = (self.now_ms(), enough(&answers));
        {
            let mut known = self.known();
            for (health, answer) in known.health.iter_mut().zip(&answers) {
                let said = answer.as_ref().is_some_and(Result::is_ok);
                if said || !cut_short {
                    health.bears_witness(said, now_ms);
                }
            }
        }
        let heard = answers.iter().flatten().any(Result::is_ok);
        let mut error = None;
        let said = answers
            .into_iter()
            .map(|answer| match answer {
                Some(Ok(answer)) => Some(answer),
                Some(Err(failed)) => {
                    error.get_or_insert(failed);
                    None
                }
                None => None,
            })
            .collect();
        match error {
            Some(error) if !heard => Err(error),
            _ => Ok(said),
        }
    }
}
