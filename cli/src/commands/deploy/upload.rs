//! Code into a buffer, in pieces. What the chain holds is the only record of progress: a broken upload goes on where it
//! was.

use std::{ops::Range, time::Duration};

use anyhow::{Result, bail, ensure};
use ballast_client::{
    Chain, Confirmation, Instruction, Keypair, PriorityFee, Pubkey, Request, RpcChain, Sender,
    Signature, Signer, VersionedTransaction, build,
};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::loader::{self, Buffer, buffer_bytes, buffer_code};
use crate::{
    connection::{Connection, send},
    progress,
};

/// Bytes of code in one transaction: what fits beside signature, accounts and compute budget.
const PIECE: usize = 900;
/// Transactions under way at a time; a node tells the status of at most 256 at once.
const BATCH: usize = 200;
/// Requests under way at a time.
const CONNECTIONS: usize = 16;
/// How long a batch may take before the chain is asked what arrived.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between sending the same bytes again.
const RESEND: Duration = Duration::from_secs(3);
/// Pause between two looks at the statuses.
const POLL: Duration = Duration::from_millis(400);
/// Batches in which nothing arrives before giving up.
const ATTEMPTS: u32 = 4;
/// A write and the budget instructions take a few thousand units at most.
const COMPUTE_UNITS: u32 = 10_000;

/// The buffer's key when none is given. Only the payer can derive it, and the same command always derives the same one.
pub fn buffer_key(payer: &Keypair, program: &Pubkey, elf: &[u8]) -> Keypair {
    let seed = Sha256::new()
        .chain_update(b"ballast deploy: buffer")
        .chain_update(payer.secret_bytes())
        .chain_update(program)
        .chain_update(Sha256::digest(elf))
        .finalize();
    Keypair::new_from_array(seed.into())
}

/// About how many transactions an upload takes.
pub fn transactions(length: usize) -> u64 {
    length.div_ceil(PIECE) as u64
}

/// Writes what the buffer does not hold yet, until it holds everything.
///
/// # Errors
/// A buffer that cannot be used; a cluster that takes nothing.
pub async fn run(
    connection: &Connection,
    sender: &Sender,
    payer: &Keypair,
    buffer_key: &Keypair,
    buffer: &Buffer,
    elf: &[u8],
) -> Result<()> {
    let chain = connection.chain();
    if buffer_code(chain, buffer, elf.len()).await?.is_none() {
        let rent = chain.rent_lamports(buffer_bytes(elf.len())).await?;
        let held = loader::lamports_at(chain, &buffer.address).await?;
        let create = loader::create_buffer(&payer.pubkey(), buffer, rent, held, elf.len())?;
        send(
            sender,
            "creating a buffer",
            &Request::new(payer, create).signer(buffer_key),
        )
        .await?;
    }
    let fee = fee(sender, buffer).await?;
    let bar = progress::bytes_bar(Some(elf.len() as u64));
    let mut least = usize::MAX;
    let mut idle = 0;
    let mut trouble = None;
    loop {
        let Some(held) = buffer_code(chain, buffer, elf.len()).await? else {
            bail!("buffer {} is gone: deploy again", buffer.address);
        };
        let missing = missing(elf, &held);
        let bytes: usize = missing.iter().map(ExactSizeIterator::len).sum();
        bar.set_position((elf.len() - bytes) as u64);
        if missing.is_empty() {
            bar.finish_and_clear();
            return Ok(());
        }
        idle = if bytes < least { 0 } else { idle + 1 };
        least = least.min(bytes);
        ensure!(
            idle < ATTEMPTS,
            "{} takes no more of the program ({bytes} of {} bytes are missing{}): run the same command again to go on, \
             with a --priority-fee if the cluster is busy",
            chain.label(),
            elf.len(),
            trouble
                .map(|trouble| format!("; {trouble}"))
                .unwrap_or_default()
        );
        for pieces in missing.chunks(BATCH) {
            let blockhash = chain.latest_blockhash().await?.hash;
            let transactions = pieces.iter().map(|piece| {
                let bytes = elf.get(piece.clone()).unwrap_or_default();
                let instructions = instructions(buffer, piece.start, bytes, fee)?;
                let transaction = build(&payer.pubkey(), &instructions, &[], blockhash, &[payer])?;
                Ok(Pending {
                    transaction,
                    length: bytes.len() as u64,
                })
            });
            trouble = batch(chain, transactions.collect::<Result<_>>()?, &bar)
                .await?
                .or(trouble);
        }
    }
}

/// Micro-lamports per compute unit, once for the whole upload.
async fn fee(sender: &Sender, buffer: &Buffer) -> Result<u64> {
    Ok(match sender.config().fee {
        PriorityFee::None => 0,
        PriorityFee::Fixed(fee) => fee,
        PriorityFee::Recent { cap, .. } => {
            let fees = sender.chain().recent_fees(&[buffer.address]).await?;
            fees.into_iter().max().unwrap_or(0).min(cap)
        }
    })
}

fn instructions(
    buffer: &Buffer,
    offset: usize,
    bytes: &[u8],
    fee: u64,
) -> Result<[Instruction; 3]> {
    Ok([
        ComputeBudgetInstruction::set_compute_unit_limit(COMPUTE_UNITS),
        ComputeBudgetInstruction::set_compute_unit_price(fee),
        loader::write(buffer, offset, bytes)?,
    ])
}

/// The pieces in which the buffer differs from the code.
fn missing(elf: &[u8], held: &[u8]) -> Vec<Range<usize>> {
    let pieces = (0..elf.len())
        .step_by(PIECE)
        .map(|start| start..elf.len().min(start + PIECE));
    pieces
        .filter(|piece| elf.get(piece.clone()) != held.get(piece.clone()))
        .collect()
}

/// A piece on its way.
struct Pending {
    transaction: VersionedTransaction,
    length: u64,
}

impl Pending {
    fn signature(&self) -> Signature {
        self.transaction
            .signatures
            .first()
            .copied()
            .unwrap_or_default()
    }
}

/// Sends until everything has landed or patience ends. Writes are harmless twice, and whatever does not arrive is missing
/// in the next round; returns the last trouble on the way.
async fn batch(
    chain: &RpcChain,
    mut pending: Vec<Pending>,
    bar: &ProgressBar,
) -> Result<Option<String>> {
    let deadline = Instant::now() + PATIENCE;
    let mut resend_at = Instant::now();
    let mut trouble = None;
    while !pending.is_empty() && Instant::now() < deadline {
        if Instant::now() >= resend_at {
            trouble = submit(chain, &pending).await?.or(trouble);
            resend_at = Instant::now() + RESEND;
        }
        sleep(POLL).await;
        let signatures: Vec<_> = pending.iter().map(Pending::signature).collect();
        let statuses = match chain.statuses(&signatures).await {
            Ok(statuses) => statuses,
            Err(error) => {
                trouble = Some(error.to_string());
                continue;
            }
        };
        let mut statuses = statuses.into_iter();
        pending.retain(|piece| {
            let Some(status) = statuses.next().flatten() else {
                return true;
            };
            match &status.error {
                Some(error) => {
                    trouble = Some(error.to_string());
                    false
                }
                None if status.confirmation >= Confirmation::Confirmed => {
                    bar.inc(piece.length);
                    false
                }
                None => true,
            }
        });
    }
    Ok(trouble)
}

/// Hands all in; returns the last trouble.
async fn submit(chain: &RpcChain, pending: &[Pending]) -> Result<Option<String>> {
    let mut trouble = None;
    let mut under_way: JoinSet<Option<String>> = JoinSet::new();
    for piece in pending {
        if under_way.len() >= CONNECTIONS
            && let Some(done) = under_way.join_next().await
        {
            trouble = done?.or(trouble);
        }
        let (chain, transaction) = (chain.clone(), piece.transaction.clone());
        under_way.spawn(async move {
            chain
                .submit(&transaction)
                .await
                .err()
                .map(|error| error.to_string())
        });
    }
    while let Some(done) = under_way.join_next().await {
        trouble = done?.or(trouble);
    }
    Ok(trouble)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_sent() {
        let elf: Vec<u8> = (0..2 * PIECE + 10).map(|byte| byte as u8 | 1).collect();
        assert!(missing(&elf, &elf).is_empty());
        let empty = vec![0; elf.len()];
        assert_eq!(
            missing(&elf, &empty),
            [0..PIECE, PIECE..2 * PIECE, 2 * PIECE..elf.len()]
        );
        let mut partly = elf.clone();
        partly[PIECE + 1] ^= 1;
        let piece = PIECE..2 * PIECE;
        assert_eq!(missing(&elf, &partly), std::slice::from_ref(&piece));
        assert_eq!(transactions(elf.len()), 3);
    }

    #[test]
    fn the_buffer_belongs_to_payer_program_and_code() {
        let (payer, other) = (
            Keypair::new_from_array([1; 32]),
            Keypair::new_from_array([2; 32]),
        );
        let program = Pubkey::new_unique();
        let key = |payer, program, elf| buffer_key(payer, program, elf).pubkey();
        let first = key(&payer, &program, b"code");
        assert_eq!(first, key(&payer, &program, b"code"));
        for changed in [
            key(&other, &program, b"code"),
            key(&payer, &Pubkey::new_unique(), b"code"),
            key(&payer, &program, b"other"),
        ] {
            assert_ne!(first, changed);
        }
    }

    #[test]
    fn a_piece_fits_a_transaction() {
        let payer = Keypair::new_from_array([1; 32]);
        let buffer = Buffer {
            address: Pubkey::new_unique(),
            authority: payer.pubkey(),
        };
        let longest = instructions(&buffer, usize::from(u16::MAX), &[7; PIECE], u64::MAX).unwrap();
        build(
            &payer.pubkey(),
            &longest,
            &[],
            Default::default(),
            &[&payer],
        )
        .unwrap();
    }
}
