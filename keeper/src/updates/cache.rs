//! One question at a time, and none twice within a moment: many jobs may need the same price at once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{FeedId, PriceUpdates, SignedPrice, UpdatesError};

/// How long an answer stands for further questions.
const STANDS: Duration = Duration::from_millis(500);

/// A market's prices, base and quote.
pub type Pair = [SignedPrice; 2];

type Answer = Result<Pair, UpdatesError>;

pub(super) struct Cache {
    source: Arc<dyn PriceUpdates>,
    answers: Mutex<HashMap<[FeedId; 2], (Instant, Answer)>>,
}

impl Cache {
    pub fn new(source: Arc<dyn PriceUpdates>) -> Self {
        Self {
            source,
            answers: Mutex::default(),
        }
    }

    pub async fn latest(&self, feeds: [FeedId; 2]) -> Answer {
        let mut answers = self.answers.lock().await;
        if let Some((at, answer)) = answers.get(&feeds)
            && at.elapsed() < STANDS
        {
            return answer.clone();
        }
        let answer = match self.source.latest(&feeds).await {
            Ok(prices) => Pair::try_from(prices).map_err(|prices| UpdatesError::BadAnswer {
                endpoint: self.source.label(),
                reason: format!("{} prices of two feeds", prices.len()),
            }),
            Err(error) => Err(error),
        };
        answers.insert(feeds, (Instant::now(), answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tokio::time::sleep;

    use super::*;

    /// Answers with an error, and counts.
    #[derive(Default)]
    struct Service(AtomicUsize);

    #[async_trait]
    impl PriceUpdates for Service {
        fn label(&self) -> String {
            "test".into()
        }

        async fn latest(&self, _: &[FeedId]) -> Result<Vec<SignedPrice>, UpdatesError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(100)).await;
            Ok(Vec::new())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_are_one_question() {
        let service = Arc::new(Service::default());
        let cache = Cache::new(Arc::clone(&service) as Arc<dyn PriceUpdates>);
        let asked = || service.0.load(Ordering::Relaxed);
        let ask = || cache.latest([[1; 32], [2; 32]]);
        let answers = tokio::join!(ask(), ask(), ask());
        for answer in <[Answer; 3]>::from(answers) {
            assert!(matches!(answer, Err(UpdatesError::BadAnswer { .. })));
        }
        assert_eq!(asked(), 1);
        sleep(STANDS).await;
        let _ = ask().await;
        assert_eq!(asked(), 2);
        // Other feeds are another question.
        let _ = cache.latest([[2; 32], [1; 32]]).await;
        assert_eq!(asked(), 3);
    }
}
