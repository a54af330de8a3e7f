//! The runtime alone, in process.

mod chain;

use std::{
    collections::{HashMap, VecDeque},
    io::Write,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use async_trait::async_trait;
use ballast_client::{
    Account, Chain, ChainError, Keypair, Pubkey, Signature, Signer, TransactionRecord,
};
use litesvm::LiteSVM;
use solana_clock::Clock;
use solana_sdk::hash::Hash;
use solana_slot_hashes::SlotHashes;

use crate::{
    branches::{BranchSide, Branches, with_section_table},
    keys,
    localnet::{Endpoints, Localnet},
    programs::Programs,
};

/// When the clock of a new [`Svm`] stands, Unix seconds.
const GENESIS_SECS: i64 = 1_700_000_000;
/// Slot of a new [`Svm`].
const GENESIS_SLOT: u64 = 1_000;
/// Blocks for which a blockhash is good, as on a real cluster.
const BLOCKHASH_LIFE: u64 = 150;
/// Slot hashes that are kept: enough for lookup tables, cheap to rewrite with every block.
const KEPT_SLOT_HASHES: usize = 8;
/// Most compute units of a transaction.
const MAX_COMPUTE_UNITS: u64 = 1_400_000;
const PAYER_LAMPORTS: u64 = 1_000_000_000_000_000;

/// The runtime in process: every transaction is a block of its own, and time passes only when it is told to. Clones share
/// one runtime.
#[derive(Clone)]
pub struct Svm {
    state: Arc<Mutex<State>>,
    payer: Arc<Keypair>,
    programs: Arc<Programs>,
}

/// Writes a transaction's log to standard error if `BALLAST_PROGRAM_LOGS` is set: for tools that ask what a test reaches. A test's
/// own output is captured, this is not.
fn show(logs: &[String]) {
    static ASKED: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("BALLAST_PROGRAM_LOGS").is_some());
    if *ASKED {
        let mut to = std::io::stderr().lock();
        for line in logs {
            // Nobody may be reading.
            let _ = writeln!(to, "{line}");
        }
    }
}

/// Everything in an [`Svm`] at one time.
pub struct Saved(State);

#[derive(Clone)]
struct State {
    vm: LiteSVM,
    simulates: bool,
    height: u64,
    /// Hash and height of the blocks whose hashes are still good, oldest first.
    blockhashes: VecDeque<(Hash, u64)>,
    slot_hashes: VecDeque<(u64, Hash)>,
    records: HashMap<Signature, TransactionRecord>,
}

impl Svm {
    /// A new runtime with the programs of [`Programs::find`].
    ///
    /// # Errors
    /// If a program is missing or not loadable.
    pub fn start() -> Result<Self> {
        Self::with_programs(Programs::find()?)
    }

    /// A new runtime with these programs.
    ///
    /// # Errors
    /// If a program is not loadable.
    pub fn with_programs(programs: Programs) -> Result<Self> {
        Self::with_vm(LiteSVM::new(), programs, |bytes| bytes)
    }

    /// A new runtime that tells `seen` about every conditional jump that [`Programs::ballast`] executes. Slower: it keeps a
    /// trace of every instruction of every program.
    ///
    /// # Errors
    /// If a program is not loadable.
    pub fn watched(
        programs: Programs,
        seen: impl Fn(BranchSide) + Send + Sync + 'static,
    ) -> Result<Self> {
        let mut vm = LiteSVM::new_debuggable(true);
        vm.set_invocation_inspect_callback(Branches::of(programs.ballast.id, seen));
        Self::with_vm(vm, programs, with_section_table)
    }

    fn with_vm(
        vm: LiteSVM,
        programs: Programs,
        prepare: impl Fn(Vec<u8>) -> Vec<u8>,
    ) -> Result<Self> {
        // Blockhashes are checked here: the runtime itself would only know the last one.
        let mut vm = vm.with_blockhash_check(false).with_log_bytes_limit(None);
        for program in programs.all() {
            vm.add_program(program.id, &prepare(program.bytes()?))
                .with_context(|| format!("the SVM refuses {}", program.file.display()))?;
        }
        let payer = keys::named("payer");
        let account = solana_account::Account {
            lamports: PAYER_LAMPORTS,
            ..solana_account::Account::default()
        };
        vm.set_account(payer.pubkey(), account)
            .context("cannot fund the payer")?;
        let mut state = State {
            vm,
            simulates: true,
            height: 0,
            blockhashes: VecDeque::new(),
            slot_hashes: VecDeque::new(),
            records: HashMap::new(),
        };
        let mut clock: Clock = state.vm.get_sysvar();
        (clock.slot, clock.unix_timestamp) = (GENESIS_SLOT, GENESIS_SECS);
        state.vm.set_sysvar(&clock);
        state.next_block();
        Ok(Self {
            state: Arc::new(Mutex::new(state)),
            payer: Arc::new(payer),
            programs: Arc::new(programs),
        })
    }

    /// The runtime itself, for what has no other way.
    pub fn vm<T>(&self, use_it: impl FnOnce(&mut LiteSVM) -> T) -> T {
        use_it(&mut self.state().vm)
    }

    /// The time that programs see, Unix seconds.
    pub fn now_secs(&self) -> i64 {
        self.state().vm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets the time that programs see, also backwards.
    pub fn set_time(&self, unix_secs: i64) {
        let mut state = self.state();
        let mut clock: Clock = state.vm.get_sysvar();
        clock.unix_timestamp = unix_secs;
        state.vm.set_sysvar(&clock);
    }

    /// Makes empty blocks.
    pub fn pass_blocks(&self, count: u64) {
        let mut state = self.state();
        for _ in 0..count {
            state.next_block();
        }
    }

    /// Everything as it is now.
    pub fn save(&self) -> Saved {
        Saved(self.state().clone())
    }

    /// Makes everything as it was, for all clones.
    pub fn restore(&self, saved: &Saved) {
        self.state().clone_from(&saved.0);
    }

    /// Whether simulations are run, which they are at first. If not, they answer success and the largest compute limit, so
    /// that every transaction is executed only once, and one that fails has landed and failed.
    pub fn set_simulating(&self, simulates: bool) {
        self.state().simulates = simulates;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the lock has failed already; the others go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, what: &'static str, reason: impl ToString) -> ChainError {
        ChainError::Refused {
            endpoint: self.label(),
            what,
            reason: reason.to_string(),
        }
    }
}

impl State {
    /// Ends the current block: new slot, new blockhash.
    fn next_block(&mut self) {
        self.height += 1;
        let mut clock: Clock = self.vm.get_sysvar();
        self.slot_hashes
            .push_front((clock.slot, self.vm.latest_blockhash()));
        self.slot_hashes.truncate(KEPT_SLOT_HASHES);
        clock.slot += 1;
        self.vm.set_sysvar(&clock);
        let entries: Vec<_> = self.slot_hashes.iter().copied().collect();
        self.vm.set_sysvar(&SlotHashes::new(&entries));
        self.vm.expire_blockhash();
        self.blockhashes
            .push_back((self.vm.latest_blockhash(), self.height));
        let oldest = self.height.saturating_sub(BLOCKHASH_LIFE);
        while self
            .blockhashes
            .front()
            .is_some_and(|(_, height)| *height < oldest)
        {
            self.blockhashes.pop_front();
        }
    }

    fn slot(&self) -> u64 {
        self.vm.get_sysvar::<Clock>().slot
    }
}

/// The same transaction for the runtime, which is of another release than the RPC client.
#[async_trait]
impl Localnet for Svm {
    fn name(&self) -> &'static str {
        "svm"
    }

    fn chain(&self) -> Arc<dyn Chain> {
        Arc::new(self.clone())
    }

    fn endpoints(&self) -> Option<&Endpoints> {
        None
    }

    fn payer(&self) -> &Keypair {
        &self.payer
    }

    fn programs(&self) -> &Programs {
        &self.programs
    }

    fn poll(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn moves_time(&self) -> bool {
        true
    }

    async fn pass_time(&self, secs: u64) -> Result<()> {
        let now = self.now_secs();
        self.set_time(now.saturating_add(i64::try_from(secs).unwrap_or(i64::MAX)));
        self.pass_blocks(1);
        Ok(())
    }

    async fn set_account(&self, address: &Pubkey, account: Account) -> Result<()> {
        let account = solana_account::Account {
            lamports: account.lamports,
            data: account.data,
            owner: account.owner,
            executable: account.executable,
            rent_epoch: account.rent_epoch,
        };
        let written = self.vm(|vm| vm.set_account(*address, account));
        written.with_context(|| format!("the SVM refuses account {address}"))
    }
}
