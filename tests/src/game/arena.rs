//! Many games, each from the same beginning.

use ballast_localnet::Svm;

use super::{Bookmark, Game, Played, Step};

/// Plays sequences of steps, each from the same beginning to the end.
pub struct Arena {
    runtime: tokio::runtime::Runtime,
    game: Game,
    beginning: Bookmark,
}

impl Arena {
    /// Sets a market up.
    pub fn new(svm: Svm) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let game = runtime.block_on(Game::new(svm));
        Self {
            runtime,
            beginning: game.bookmark(),
            game,
        }
    }

    /// Plays from the beginning, tells `seen` what became of each step, and has everybody leave. Panics when something is not
    /// as it must be.
    pub fn play(&mut self, steps: &[Step], mut seen: impl FnMut(&Step, &Played)) {
        self.game.go_back(&self.beginning);
        self.runtime.block_on(async {
            for step in steps {
                seen(step, &self.game.step(*step).await);
            }
            self.game.end().await;
        });
    }
}
