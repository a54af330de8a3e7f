//! The upgradeable loader's instructions.

use anyhow::Result;
use ballast_abi::spl::SYSTEM_PROGRAM;
use ballast_client::{Instruction, Pubkey};
use solana_loader_v3_interface::instruction as loader;
use solana_sdk::instruction::AccountMeta;

use super::{Buffer, LOADER, PROGRAM_BYTES, buffer_bytes};

/// Creates a buffer for so much code, at an address that holds `held` lamports.
///
/// # Errors
/// None that can be met: the encoding of constants.
pub fn create_buffer(
    payer: &Pubkey,
    buffer: &Buffer,
    lamports: u64,
    held: u64,
    length: usize,
) -> Result<Vec<Instruction>> {
    let (address, authority) = (&buffer.address, &buffer.authority);
    let create = loader::create_buffer(payer, address, authority, lamports, length)?;
    let bytes = buffer_bytes(length);
    Ok(over_lamports(create, payer, address, lamports, held, bytes))
}

/// The same instructions, of which the first creates an account of the loader's; where somebody has sent lamports before, which the
/// system program refuses, by adding what is missing.
fn over_lamports(
    mut instructions: Vec<Instruction>,
    payer: &Pubkey,
    address: &Pubkey,
    lamports: u64,
    held: u64,
    bytes: usize,
) -> Vec<Instruction> {
    if held == 0 {
        return instructions;
    }
    let system = |number: u32, argument: &[u8], accounts| Instruction {
        program_id: SYSTEM_PROGRAM,
        accounts,
        data: [&number.to_le_bytes(), argument].concat(),
    };
    let account = || vec![AccountMeta::new(*address, true)];
    let missing = lamports.saturating_sub(held).to_le_bytes();
    let payment = vec![
        AccountMeta::new(*payer, true),
        AccountMeta::new(*address, false),
    ];
    instructions.splice(
        ..1,
        [
            system(2, &missing, payment),
            system(8, &(bytes as u64).to_le_bytes(), account()),
            system(1, LOADER.as_ref(), account()),
        ],
    );
    instructions
}

/// Writes a piece of the code.
///
/// # Errors
/// If it lies beyond 4 GiB.
pub fn write(buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<Instruction> {
    Ok(loader::write(
        &buffer.address,
        &buffer.authority,
        u32::try_from(offset)?,
        bytes.to_vec(),
    ))
}

/// Deploys a buffer as a new program, at an address that holds `held` lamports.
///
/// # Errors
/// None that can be met: the encoding of constants.
pub fn deploy(
    payer: &Pubkey,
    program: &Pubkey,
    buffer: &Buffer,
    program_lamports: u64,
    held: u64,
    length: usize,
) -> Result<Vec<Instruction>> {
    let deploy = loader::deploy_with_max_program_len(
        payer,
        program,
        &buffer.address,
        &buffer.authority,
        program_lamports,
        length,
    )?;
    Ok(over_lamports(
        deploy,
        payer,
        program,
        program_lamports,
        held,
        PROGRAM_BYTES,
    ))
}

/// Puts a buffer's code in place of a program's. The buffer's lamports go to its authority.
pub fn upgrade(program: &Pubkey, buffer: &Buffer) -> Instruction {
    loader::upgrade(
        program,
        &buffer.address,
        &buffer.authority,
        &buffer.authority,
    )
}

/// Makes a program's account longer.
///
/// # Errors
/// If it is far too much.
pub fn extend(program: &Pubkey, payer: &Pubkey, more: usize) -> Result<Instruction> {
    Ok(loader::extend_program(
        program,
        Some(payer),
        u32::try_from(more)?,
    ))
}

/// As [`extend`], signed by the authority, which is the payer here.
///
/// # Errors
/// If it is far too much.
pub fn extend_checked(program: &Pubkey, payer: &Pubkey, more: usize) -> Result<Instruction> {
    Ok(loader::extend_program_checked(
        program,
        payer,
        Some(payer),
        u32::try_from(more)?,
    ))
}
