//! The upgradeable loader's accounts.

mod instructions;

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use ballast_client::{Account, Chain, Pubkey, existing};
use solana_loader_v3_interface::{get_program_data_address, state::UpgradeableLoaderState};
use tokio::time::{Instant, sleep};

pub use instructions::{create_buffer, deploy, extend, extend_checked, upgrade, write};

/// Length of a program's account; the code is in another one.
pub const PROGRAM_BYTES: usize = UpgradeableLoaderState::size_of_program();
const BUFFER_HEADER: usize = UpgradeableLoaderState::size_of_buffer_metadata();
const DATA_HEADER: usize = UpgradeableLoaderState::size_of_programdata_metadata();

/// The upgradeable loader.
pub const LOADER: Pubkey = solana_sdk::pubkey!("BPFLoaderUpgradeab1e11111111111111111111111");
/// Least extension that clusters accept (SIMD-0431), unless the account reaches its largest size with less.
const MIN_EXTENSION: usize = 10 * 1024;
/// Most code of a program: an account of 10 MiB less the loader's own bytes.
pub const MAX_CODE: usize = 10 * 1024 * 1024 - DATA_HEADER;
/// Account tags: 32 little-endian bits.
const BUFFER_TAG: u32 = 1;
const PROGRAM_TAG: u32 = 2;
const DATA_TAG: u32 = 3;

/// An account to upload to.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// Its address.
    pub address: Pubkey,
    /// Who may write and deploy it.
    pub authority: Pubkey,
}

/// A deployed program.
#[derive(Clone, Debug)]
pub struct ProgramState {
    /// Slot of the last deployment.
    pub slot: u64,
    /// Who may upgrade it.
    pub authority: Option<Pubkey>,
    /// The code, followed by zeros up to its capacity.
    code: Vec<u8>,
}

impl ProgramState {
    /// Whether the code is this.
    pub fn holds(&self, elf: &[u8]) -> bool {
        is_padded(&self.code, elf)
    }

    /// The code, followed by zeros up to its capacity.
    pub fn code(&self) -> &[u8] {
        &self.code
    }

    /// By how much the program's account has to grow for so much code: 0 if it fits, else at least as much as clusters
    /// accept in one extension.
    pub fn growth_for(&self, length: usize) -> usize {
        let capacity = self.code.len();
        match length.saturating_sub(capacity) {
            0 => 0,
            missing => missing.max(MIN_EXTENSION.min(MAX_CODE.saturating_sub(capacity))),
        }
    }
}

/// Whether `code` is this, followed by zeros only.
pub fn is_padded(code: &[u8], elf: &[u8]) -> bool {
    code.strip_prefix(elf)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
}

/// Length of a buffer's account for so much code.
pub const fn buffer_bytes(code: usize) -> usize {
    UpgradeableLoaderState::size_of_buffer(code)
}

/// A program as it is on chain; `None` if there is none.
///
/// # Errors
/// If something else is at its address.
pub async fn program_state(chain: &dyn Chain, program: &Pubkey) -> Result<Option<ProgramState>> {
    let data_address = get_program_data_address(program);
    let answer = chain.accounts(&[*program, data_address]).await?;
    let [program_account, data_account] = answer.accounts.as_slice() else {
        bail!("{} gave an unusable answer: try again", chain.label());
    };
    let Some(account) = existing(program_account.as_ref()) else {
        return Ok(None);
    };
    if account.owner != LOADER {
        bail!(
            "{program} is no program of the upgradeable loader but an account of {}: use another program key",
            account.owner
        );
    }
    let named = account
        .data
        .get(4..)
        .and_then(<[u8]>::first_chunk)
        .map(|bytes| Pubkey::new_from_array(*bytes));
    ensure!(
        tag(account) == Some(PROGRAM_TAG) && named == Some(data_address),
        "{program} is a buffer or another account of the loader, not a program: use another program key"
    );
    let data = data_account
        .as_ref()
        .with_context(|| format!("program {program} was closed: deploy under another key"))?;
    parse_data(data)
        .map(Some)
        .with_context(|| format!("the code of program {program} cannot be read"))
}

/// Tag, slot, optional authority, then the code at a fixed place.
fn parse_data(account: &Account) -> Result<ProgramState> {
    let wrong = || anyhow!("its account is not as the loader writes it");
    ensure!(
        account.owner == LOADER && tag(account) == Some(DATA_TAG),
        wrong()
    );
    let slot = account
        .data
        .get(4..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .map(u64::from_le_bytes);
    let authority = authority_at(&account.data, 12).ok_or_else(wrong)?;
    let code = account.data.get(DATA_HEADER..).ok_or_else(wrong)?.to_vec();
    Ok(ProgramState {
        slot: slot.ok_or_else(wrong)?,
        authority,
        code,
    })
}

/// What a buffer holds; `None` if it does not exist.
///
/// # Errors
/// If something else is at its address, or somebody else's, or one of another length.
pub async fn buffer_code(
    chain: &dyn Chain,
    buffer: &Buffer,
    length: usize,
) -> Result<Option<Vec<u8>>> {
    let account = chain.account(&buffer.address).await?;
    let Some(account) = existing(account.as_ref()) else {
        return Ok(None);
    };
    parse_buffer(account, buffer, length)
        .map(Some)
        .with_context(|| format!("buffer {}", buffer.address))
}

fn parse_buffer(account: &Account, buffer: &Buffer, length: usize) -> Result<Vec<u8>> {
    ensure!(
        account.owner == LOADER && tag(account) == Some(BUFFER_TAG),
        "this is no buffer of the loader: pass another key with --buffer"
    );
    let authority = authority_at(&account.data, 4).flatten();
    ensure!(
        authority == Some(buffer.authority),
        "it belongs to {}, not to the payer: pass another key with --buffer",
        authority.map_or("nobody".into(), |authority| authority.to_string())
    );
    let code = account.data.get(BUFFER_HEADER..).unwrap_or_default();
    ensure!(
        code.len() == length,
        "it was made for a program of {} bytes, this one has {length}: pass another key with --buffer",
        code.len()
    );
    Ok(code.to_vec())
}

/// What lies at an address.
///
/// # Errors
/// Those of the cluster.
pub async fn lamports_at(chain: &dyn Chain, address: &Pubkey) -> Result<u64> {
    let account = chain.account(address).await?;
    Ok(account.map_or(0, |account| account.lamports))
}

/// Refuses a new program whose code has no place: the loader creates the account for it, which fails for good where somebody has sent
/// lamports before. It is known before anything is paid for the upload.
///
/// # Errors
/// Such lamports; those of the cluster.
pub async fn require_free_data_address(chain: &dyn Chain, program: &Pubkey) -> Result<()> {
    let data = get_program_data_address(program);
    let held = lamports_at(chain, &data).await?;
    ensure!(
        held == 0,
        "somebody has sent {held} lamports to {data}, where the code of program {program} would be: it can never be deployed. \
         Make another program key with `ballast key new`, and deploy under that"
    );
    Ok(())
}

fn tag(account: &Account) -> Option<u32> {
    account.data.first_chunk().copied().map(u32::from_le_bytes)
}

/// An optional address at an offset; outer `None` if there is no such thing.
fn authority_at(data: &[u8], offset: usize) -> Option<Option<Pubkey>> {
    match data.get(offset..)? {
        [0, ..] => Some(None),
        [1, rest @ ..] => Some(Some(Pubkey::new_from_array(*rest.first_chunk()?))),
        _ => None,
    }
}

/// Waits for the first slot after `slot`: a program can be called, and changed again, from the slot after its last change.
///
/// # Errors
/// If the cluster makes no slots.
pub async fn wait_until_after(chain: &dyn Chain, slot: u64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while chain.slot().await? <= slot {
        ensure!(
            Instant::now() < deadline,
            "{} has made no slot for a minute: check the cluster",
            chain.label()
        );
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(header: &[u8], length: usize, code: &[u8]) -> Account {
        let mut data = header.to_vec();
        data.resize(length, 0);
        data.extend_from_slice(code);
        Account {
            lamports: 1,
            data,
            owner: LOADER,
            executable: false,
            rent_epoch: 0,
        }
    }

    fn with_authority(tag: u32, slot: Option<u64>, authority: &Pubkey) -> Vec<u8> {
        let slot = slot.map(u64::to_le_bytes);
        let slot = slot.as_ref().map_or(&[][..], |slot| slot);
        [&tag.to_le_bytes()[..], slot, &[1], authority.as_ref()].concat()
    }

    #[test]
    fn deployed_code_is_compared_up_to_padding() {
        let authority = Pubkey::new_unique();
        let data = account(
            &with_authority(DATA_TAG, Some(7), &authority),
            DATA_HEADER,
            b"code\0\0",
        );
        let state = parse_data(&data).unwrap();
        assert_eq!((state.slot, state.authority), (7, Some(authority)));
        assert!(state.holds(b"code") && state.holds(b"code\0"));
        assert!(!state.holds(b"cod") && !state.holds(b"coder") && !state.holds(b"code\0\0\0"));
        let frozen = parse_data(&account(&[3, 0, 0, 0], DATA_HEADER, b"")).unwrap();
        assert_eq!(frozen.authority, None);
    }

    #[test]
    fn an_account_grows_by_steps_that_clusters_accept() {
        let holds = |length| ProgramState {
            slot: 0,
            authority: None,
            code: vec![0; length],
        };
        assert_eq!(holds(100).growth_for(100), 0);
        assert_eq!(holds(100).growth_for(99), 0);
        assert_eq!(holds(100).growth_for(101), MIN_EXTENSION);
        assert_eq!(holds(100).growth_for(50_000), 49_900);
        assert_eq!(holds(MAX_CODE - 7).growth_for(MAX_CODE - 3), 7);
    }

    #[test]
    fn what_the_loader_did_not_write_is_refused() {
        for bytes in [
            &[][..],
            &[3, 0, 0, 0],
            &[1; 100],
            &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
        ] {
            let bad = Account {
                data: bytes.to_vec(),
                ..account(&[], 0, b"")
            };
            assert!(parse_data(&bad).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_buffer_must_be_the_payers_and_of_the_right_length() {
        let buffer = Buffer {
            address: Pubkey::new_unique(),
            authority: Pubkey::new_unique(),
        };
        let header = with_authority(BUFFER_TAG, None, &buffer.authority);
        let good = account(&header, BUFFER_HEADER, b"code");
        assert_eq!(parse_buffer(&good, &buffer, 4).unwrap(), b"code");
        let error = |account: &Account, length| {
            parse_buffer(account, &buffer, length)
                .unwrap_err()
                .to_string()
        };
        assert!(error(&good, 5).contains("made for a program of 4 bytes"));
        let foreign = account(
            &with_authority(BUFFER_TAG, None, &Pubkey::new_unique()),
            BUFFER_HEADER,
            b"code",
        );
        assert!(error(&foreign, 4).contains("not to the payer"));
        assert!(error(&account(&[2, 0, 0, 0], BUFFER_HEADER, b"code"), 4).contains("no buffer"));
    }
}
