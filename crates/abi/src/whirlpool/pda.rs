//! Addresses derived by the Whirlpool program. Each returns the address and its bump.

use solana_address::Address;

/// Pool of two mints (`mint_a` < `mint_b` bytewise) in a fee tier (its tick spacing, for tiers of a static fee).
pub fn pool(
    program_id: &Address,
    config: &Address,
    mint_a: &Address,
    mint_b: &Address,
    fee_tier_index: u16,
) -> (Address, u8) {
    Address::find_program_address(
        &[
            b"whirlpool",
            config.as_ref(),
            mint_a.as_ref(),
            mint_b.as_ref(),
            &fee_tier_index.to_le_bytes(),
        ],
        program_id,
    )
}

/// Fee tier of a config.
pub fn fee_tier(program_id: &Address, config: &Address, fee_tier_index: u16) -> (Address, u8) {
    Address::find_program_address(
        &[b"fee_tier", config.as_ref(), &fee_tier_index.to_le_bytes()],
        program_id,
    )
}

/// Tick array of a pool by its first tick, which is written in decimal into the seed.
pub fn tick_array(program_id: &Address, pool: &Address, start: i32) -> (Address, u8) {
    let mut buffer = [0; 11];
    let text = decimal(start, &mut buffer);
    Address::find_program_address(&[b"tick_array", pool.as_ref(), text], program_id)
}

/// Position by the mint of its NFT.
pub fn position(program_id: &Address, position_mint: &Address) -> (Address, u8) {
    Address::find_program_address(&[b"position", position_mint.as_ref()], program_id)
}

/// Adaptive-fee oracle of a pool. `swap_v2` wants its address whether or not the account exists.
pub fn oracle(program_id: &Address, pool: &Address) -> (Address, u8) {
    Address::find_program_address(&[b"oracle", pool.as_ref()], program_id)
}

/// Token badge of a mint, which lets it have extensions that are otherwise refused. Passed to `initialize_pool_v2`, existing
/// or not.
pub fn token_badge(program_id: &Address, config: &Address, mint: &Address) -> (Address, u8) {
    Address::find_program_address(
        &[b"token_badge", config.as_ref(), mint.as_ref()],
        program_id,
    )
}

/// `number` in decimal, at the end of `buffer`. Eleven bytes hold every i32.
fn decimal(number: i32, buffer: &mut [u8; 11]) -> &[u8] {
    let mut rest = number.unsigned_abs();
    let mut start = buffer.len();
    loop {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    &buffer[start..]
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::clusters;

    #[test]
    fn decimal_is_what_to_string_prints() {
        for number in [0, 7, -1, 10, -443_520, 443_636, i32::MIN, i32::MAX] {
            assert_eq!(decimal(number, &mut [0; 11]), number.to_string().as_bytes());
        }
    }

    #[test]
    fn a_public_pool_is_found() {
        // Devnet's SOL/devUSDC pool: the seeds are right when they lead to the published address.
        let (address, _) = pool(
            &clusters::WHIRLPOOL,
            &clusters::devnet::WHIRLPOOLS_CONFIG,
            &clusters::WRAPPED_SOL_MINT,
            &clusters::devnet::DEV_USDC_MINT,
            64,
        );
        assert_eq!(address, clusters::devnet::SOL_USDC_POOL);
    }
}
