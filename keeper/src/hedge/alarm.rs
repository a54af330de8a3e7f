//! What wakes the desk before its time: the venue's stream, heard by a task of its own. A wake is a hint: the step that follows reads
//! everything by asking, so that a stream that is lost, silent or wrong costs time and nothing else.

use std::time::Duration;

use ballast_venue::hyperliquid::{
    listener::{Listener, Told},
    stream::Event,
};
use tokio::{
    sync::mpsc::{Receiver, channel},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tracing::info;

use super::now::StreamNow;

/// Events that wait to be heard. More make the stream wait.
const QUEUE: usize = 256;
/// So many wakes may follow each other at once.
const BURST: u32 = 4;

/// Why the desk is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ring {
    /// Something happened that a step has to answer.
    Wake,
    /// The stream was lost, or is there again.
    Stream,
}

/// See the module's description.
pub(super) struct Alarm {
    /// `None`: there is no stream, or its task has ended.
    told: Option<Receiver<Told>>,
    now: Option<StreamNow>,
    /// A wake that waits for its turn.
    woken: bool,
    pace: Pace,
    _listening: JoinSet<()>,
}

impl Alarm {
    /// By a listener, if there is one. `gap` is between two wakes in the long run, for the venue's rate limits.
    pub fn new(listener: Option<Listener>, gap: Duration) -> Self {
        let mut listening = JoinSet::new();
        let now = listener.as_ref().map(|_| StreamNow::default());
        let told = listener.map(|listener| {
            let (tell, told) = channel(QUEUE);
            listening.spawn(listener.run(tell));
            told
        });
        Self {
            told,
            now,
            woken: false,
            pace: Pace::new(gap),
            _listening: listening,
        }
    }

    /// The stream at this moment; `None`: there is none.
    pub fn now(&self) -> Option<StreamNow> {
        self.now.clone()
    }

    /// Waits for something that concerns the desk. May be given up and asked again: nothing is lost.
    pub async fn ring(&mut self, concerns: impl Fn(&Event) -> bool) -> Ring {
        loop {
            if self.woken {
                sleep_until(self.pace.next()).await;
                // One step answers all that is told by now.
                while let Some(Ok(told)) = self.told.as_mut().map(Receiver::try_recv) {
                    self.hear(told, &concerns);
                }
                self.woken = false;
                self.pace.take(Instant::now());
                if let Some(now) = &mut self.now {
                    now.wakes += 1;
                }
                return Ring::Wake;
            }
            let Some(heard) = &mut self.told else {
                return std::future::pending().await;
            };
            match heard.recv().await {
                Some(told) => {
                    if self.hear(told, &concerns) {
                        return Ring::Stream;
                    }
                }
                // Only a panic ends it.
                None => {
                    self.told = None;
                    self.set_lost("the task that listens has ended; restart the keeper".into());
                    return Ring::Stream;
                }
            }
        }
    }

    /// Whether the stream is another than before.
    fn hear(&mut self, told: Told, concerns: impl Fn(&Event) -> bool) -> bool {
        match told {
            Told::Event(event) => {
                self.woken |= concerns(&event);
                let Some(now) = self.now.as_mut().filter(|now| !now.connected) else {
                    return false;
                };
                info!("hedge: the venue's stream is there");
                (now.connected, now.lost) = (true, None);
                true
            }
            Told::Lost(error) => self.set_lost(error.to_string()),
        }
    }

    fn set_lost(&mut self, reason: String) -> bool {
        let Some(now) = &mut self.now else {
            return false;
        };
        let changed = now.connected || now.lost.as_ref() != Some(&reason);
        if changed {
            info!("hedge: no stream from the venue ({reason}); it is asked as often as before");
        }
        (now.connected, now.lost) = (false, Some(reason));
        changed
    }
}

/// A few at once, and in the long run one each `gap`.
struct Pace {
    gap: Duration,
    /// From when on all may come at once again.
    rested: Instant,
}

impl Pace {
    fn new(gap: Duration) -> Self {
        Self {
            gap,
            rested: Instant::now(),
        }
    }

    /// When the next may come.
    fn next(&self) -> Instant {
        let spared = self.gap * (BURST - 1);
        self.rested.checked_sub(spared).unwrap_or(self.rested)
    }

    fn take(&mut self, now: Instant) {
        self.rested = self.rested.max(now) + self.gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn wakes_come_at_once_but_no_more_than_the_venue_allows() {
        let gap = Duration::from_secs(2);
        let mut alarm = Alarm::new(None, gap);
        let (tell, told) = channel(QUEUE);
        alarm.told = Some(told);
        let began = Instant::now();
        let mut came = Vec::new();
        for _ in 0..7 {
            tell.send(Told::Event(Event::Liquidated)).await.unwrap();
            assert_eq!(alarm.ring(|_| true).await, Ring::Wake);
            came.push(began.elapsed().as_secs());
        }
        assert_eq!(came, [0, 0, 0, 0, 2, 4, 6]);
        // What is told while one waits for its turn is answered with it.
        for _ in 0..3 {
            tell.send(Told::Event(Event::Liquidated)).await.unwrap();
        }
        assert_eq!(alarm.ring(|_| true).await, Ring::Wake);
        let more = tokio::time::timeout(Duration::from_secs(60), alarm.ring(|_| true));
        assert!(more.await.is_err());
        // And what concerns nobody wakes nobody.
        tell.send(Told::Event(Event::Liquidated)).await.unwrap();
        let more = tokio::time::timeout(Duration::from_secs(60), alarm.ring(|_| false));
        assert!(more.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wake_that_was_given_up_while_it_waited_comes_the_next_time() {
        let mut alarm = Alarm::new(None, Duration::from_secs(2));
        let (tell, told) = channel(QUEUE);
        alarm.told = Some(told);
        for _ in 0..BURST {
            alarm.pace.take(Instant::now());
        }
        tell.send(Told::Event(Event::Liquidated)).await.unwrap();
        let early = tokio::time::timeout(Duration::from_secs(1), alarm.ring(|_| true));
        assert!(early.await.is_err());
        assert_eq!(alarm.ring(|_| false).await, Ring::Wake);
    }
}
