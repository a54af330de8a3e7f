//! A connection to a table of leases. It is used away from the tasks, and made anew when it fails or hangs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{task::spawn_blocking, time::timeout};

/// After so long without an answer a connection is given up.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Connects: again after every error.
pub type Connect<T> = Arc<dyn Fn() -> Result<T, String> + Send + Sync>;

/// So many calls may be on their way or hang. Each holds a thread, and others need threads, too.
const MOST_CALLS: usize = 8;

type Open<T> = Arc<Mutex<Option<T>>>;

/// See the module's description.
pub struct Connection<T: Send + 'static> {
    connect: Connect<T>,
    open: Mutex<Open<T>>,
    patience: Duration,
    /// Held by each call until it ends, also after it was given up.
    calls: Arc<()>,
}

impl<T: Send + 'static> Connection<T> {
    /// Nothing is connected yet.
    pub fn new(connect: Connect<T>) -> Self {
        Self {
            connect,
            open: Mutex::default(),
            patience: PATIENCE,
            calls: Arc::new(()),
        }
    }

    fn open(&self) -> Open<T> {
        Arc::clone(&self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leaves what hangs to itself, unless somebody has done so already.
    fn give_up(&self, hung: &Open<T>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&open, hung) {
            *open = Open::default();
        }
    }

    /// Does something with the table. What is given up may still happen there.
    ///
    /// # Errors
    /// What the table or the way to it says, or that there was no answer within [`PATIENCE`].
    pub async fn with<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut T) -> Result<R, String> + Send + 'static,
    ) -> Result<R, String> {
        let (open, connect) = (self.open(), Arc::clone(&self.connect));
        let call = Arc::clone(&self.calls);
        // This one, and what the connection itself holds.
        if Arc::strong_count(&call) > MOST_CALLS + 1 {
            return Err(format!("{MOST_CALLS} calls still hang"));
        }
        let hung = Arc::clone(&open);
        let done = spawn_blocking(move || {
            let _call = call;
            let mut table = open.lock().unwrap_or_else(PoisonError::into_inner);
            let result = match &mut *table {
                Some(table) => act(table),
                None => act(table.insert(connect()?)),
            };
            if result.is_err() {
                *table = None;
            }
            result
        });
        match timeout(self.patience, done).await {
            Ok(done) => done.map_err(|error| error.to_string())?,
            Err(_) => {
                self.give_up(&hung);
                Err(format!("no answer within {:?}", self.patience))
            }
        }
    }
}

impl<T: Send + 'static> Drop for Connection<T> {
    fn drop(&mut self) {
        let open = self.open();
        // What hangs is left to whoever waits for it.
        let table = open.try_lock().ok().and_then(|mut table| table.take());
        if let Some(table) = table {
            // A connection says goodbye, which may not be waited for inside of a runtime.
            std::thread::spawn(move || drop(table));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    };

    use super::*;

    #[tokio::test]
    async fn what_hangs_is_given_up_and_keeps_nobody() {
        let made = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&made);
        let mut connection = Connection::new(Arc::new(move || {
            Ok(count.fetch_add(1, Ordering::SeqCst) + 1)
        }));
        assert_eq!(connection.with(|table| Ok(*table)).await, Ok(1));
        connection.patience = Duration::from_millis(20);
        let (release, wait) = mpsc::channel::<()>();
        let (ended, has_ended) = mpsc::channel();
        let hung = connection
            .with(move |_| {
                let _ = wait.recv();
                let _ = ended.send(());
                Ok(())
            })
            .await;
        assert_eq!(hung, Err("no answer within 20ms".into()));
        // The next one is served by another connection, while the first still hangs.
        connection.patience = PATIENCE;
        assert_eq!(connection.with(|table| Ok(*table)).await, Ok(2));
        // An error ends a connection, too.
        let failed: Result<(), String> = connection.with(|_| Err("broken".into())).await;
        assert_eq!(failed, Err("broken".into()));
        assert_eq!(connection.with(|table| Ok(*table)).await, Ok(3));
        // What hangs is not let grow without end.
        connection.patience = Duration::from_millis(1);
        let (also, waits) = mpsc::channel::<()>();
        let waits = Arc::new(Mutex::new(waits));
        let mut told = String::new();
        for _ in 0..MOST_CALLS {
            let waits = Arc::clone(&waits);
            let hung = connection.with(move |_| {
                let _ = waits.lock().unwrap().recv();
                Ok(())
            });
            told = hung.await.unwrap_err();
        }
        assert_eq!(told, "8 calls still hang");
        drop(also);
        drop(connection);
        assert!(has_ended.try_recv().is_err());
        drop(release);
        has_ended.recv().unwrap();
    }
}
