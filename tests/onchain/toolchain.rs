//! The compiler of on-chain programs: what `toolchain/sbf/selftest` computes on chain is bit for bit what the same functions
//! compute on the host, and a panic on chain names the file, line and column that it has on the host.
//!
//! `BALLAST_CASES=1000000` compares more, `BALLAST_SEED=n` others: every comparison has a seed of its own, the first of them
//! this one, and a difference is reported with its seed.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Once,
};

use litesvm::{LiteSVM, types::TransactionMetadata};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sbf_selftest::{CASES, Input, Output};
use solana_address::Address;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::support::number;

/// Comparisons: each case of the self-test some hundred times.
const COMPARISONS: u64 = 6_000;
/// What the program appends to every result.
const END: u8 = 1;

/// Where a panic happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: String,
    line: u32,
    column: u32,
}

type Outcome = Result<Vec<u8>, Place>;

thread_local! {
    /// Where this thread's last panic happened, while panics of this thread are expected.
    static LAST_PANIC: RefCell<Option<Option<Place>>> = const { RefCell::new(None) };
}

/// Runs a case on the host.
fn on_host(case: usize, input: &[u8]) -> Outcome {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let expected = LAST_PANIC.with_borrow_mut(|last| {
                let expected = last.as_mut()?;
                *expected = panic.location().map(|location| Place {
                    file: location.file().to_string(),
                    line: location.line(),
                    column: location.column(),
                });
                Some(())
            });
            if expected.is_none() {
                others(panic);
            }
        }));
    });
    LAST_PANIC.set(Some(None));
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut output = Output::default();
        (CASES[case].run)(&mut Input::new(input), &mut output);
        output.finish()
    }));
    let place = LAST_PANIC.take().flatten();
    result.map_err(|_| place.expect("a panic has a location"))
}

/// The runtime with the self-test.
struct Machine {
    vm: LiteSVM,
    payer: Keypair,
    program: Address,
}

impl Machine {
    fn new() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/toolchain/selftest.so");
        let program = Address::new_from_array([9; 32]);
        // Without checks of what is not tested here, so that equal transactions may repeat.
        let mut vm = LiteSVM::new()
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0)
            .with_log_bytes_limit(None);
        let bytes = std::fs::read(&file).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; `cargo xtask toolchain-test` builds it",
                file.display()
            )
        });
        vm.add_program(program, &bytes).unwrap();
        let payer = Keypair::new_from_array([7; 32]);
        vm.airdrop(&payer.pubkey(), 1_000_000_000_000).unwrap();
        Self { vm, payer, program }
    }

    /// Sends an instruction; the logs, and whether it succeeded.
    fn send(&mut self, data: &[u8]) -> Result<TransactionMetadata, Vec<String>> {
        let instructions = [
            ComputeBudgetInstruction::set_compute_unit_limit(1_400_000),
            Instruction::new_with_bytes(self.program, data, Vec::new()),
        ];
        let message = Message::new(&instructions, Some(&self.payer.pubkey()));
        let transaction = Transaction::new_unsigned(message);
        self.vm
            .send_transaction(transaction)
            .map_err(|failed| failed.meta.logs)
    }

    /// Runs a case on chain.
    fn run(&mut self, case: usize, input: &[u8]) -> Outcome {
        let mut data = vec![u8::try_from(case).unwrap()];
        data.extend_from_slice(input);
        match self.send(&data) {
            Ok(meta) => {
                let mut bytes = meta.return_data.data;
                assert_eq!(bytes.pop(), Some(END), "return data is not complete");
                Ok(bytes)
            }
            Err(logs) => {
                Err(panicked(&logs)
                    .unwrap_or_else(|| panic!("failed, but not by a panic: {logs:#?}")))
            }
        }
    }
}

/// What the runtime logs of a panic: `... SBF program Panicked in FILE at LINE:COLUMN`.
fn panicked(logs: &[String]) -> Option<Place> {
    let (_, place) = logs
        .iter()
        .find_map(|line| line.split_once("SBF program Panicked in "))?;
    let (file, place) = place.rsplit_once(" at ")?;
    let (line, column) = place.split_once(':')?;
    Some(Place {
        file: file.to_string(),
        line: line.parse().ok()?,
        column: column.parse().ok()?,
    })
}

/// Both tell the same. Of a path the host knows more: the program's build starts it at its workspace, or at `/registry`.
fn agree(host: &Outcome, chain: &Outcome) -> bool {
    match (host, chain) {
        (Ok(host), Ok(chain)) => host == chain,
        (Err(host), Err(chain)) => {
            let file = chain.file.trim_start_matches("/registry/");
            host.file.ends_with(file) && (host.line, host.column) == (chain.line, chain.column)
        }
        _ => false,
    }
}

#[test]
fn chain_and_host_compute_the_same() {
    let (first, count) = (
        number("BALLAST_SEED", 1),
        number("BALLAST_CASES", COMPARISONS),
    );
    println!("BALLAST_SEED={first} BALLAST_CASES={count}");
    let mut machine = Machine::new();
    let mut results: BTreeMap<&str, u64> = BTreeMap::new();
    let mut panics: BTreeSet<Place> = BTreeSet::new();
    for seed in first..first + count {
        let mut rng = StdRng::seed_from_u64(seed);
        let case = (seed % CASES.len() as u64) as usize;
        let mut input = vec![0; rng.random_range(1..600)];
        rng.fill(input.as_mut_slice());
        let (host, chain) = (on_host(case, &input), machine.run(case, &input));
        assert!(
            agree(&host, &chain),
            "{}: chain and host differ, replay with BALLAST_SEED={seed} BALLAST_CASES=1\nhost:  {host:x?}\nchain: {chain:x?}",
            CASES[case].name,
        );
        match host {
            Ok(_) => *results.entry(CASES[case].name).or_default() += 1,
            Err(place) => drop(panics.insert(place)),
        }
    }
    println!("{results:?}, panics in {} places", panics.len());
    if count >= COMPARISONS {
        assert_eq!(results.len(), CASES.len(), "every case has results");
        assert!(panics.len() >= 30, "{panics:#?}");
    }
}

#[test]
fn an_abort_ends_the_program() {
    let logs = Machine::new().send(&[u8::MAX]).unwrap_err();
    assert_eq!(panicked(&logs), None, "an abort has no place");
    assert!(
        logs.last()
            .is_some_and(|line| line.ends_with("failed: SBF program panicked")),
        "{logs:#?}"
    );
}

#[test]
fn the_deployed_program_says_whom_to_tell_about_a_weakness() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/deploy/ballast.so");
    let program = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let (_, text) = program
        .split_once("=======BEGIN SECURITY.TXT V1=======\0")
        .expect("the program holds the text");
    let (text, _) = text
        .split_once("=======END SECURITY.TXT V1=======\0")
        .expect("the text ends");
    assert!(text.starts_with("name\0Ballast\0"), "{text:?}");
    assert!(text.contains("\0contacts\0"), "{text:?}");
}
