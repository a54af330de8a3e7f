//! The fixtures as accounts.

use ballast_abi::{
    pyth::Verification,
    whirlpool::layout::{pool as at, position as of_position},
};
use ballast_client::{
    Account, Accounts, Market, MarketContext, MarketSnapshot, PoolState, Position, PriceAccounts,
    ProgramAccount,
};
use ballast_model::Amounts;
use solana_sdk::pubkey::Pubkey;

use ballast_strategy::fixtures;

const MARKET: Pubkey = Pubkey::new_from_array([7; 32]);
pub const POOL_PROGRAM: Pubkey = Pubkey::new_from_array([20; 32]);
const POOL: Pubkey = Pubkey::new_from_array([21; 32]);
const RECEIVER: Pubkey = Pubkey::new_from_array([22; 32]);
const LOOKUP_TABLE_PROGRAM: Pubkey =
    solana_sdk::pubkey!("AddressLookupTab1e1111111111111111111111111");
const TOKEN_PROGRAM: Pubkey = ballast_abi::spl::TOKEN_PROGRAM;

/// The fixture's market with addresses.
pub fn market(mut market: Market) -> Market {
    market.whirlpool_program = POOL_PROGRAM;
    market.whirlpool = POOL;
    market.price_receiver = RECEIVER;
    market.base_mint = [23; 32].into();
    market.quote_mint = [24; 32].into();
    market.pool_base_vault = [25; 32].into();
    market.pool_quote_vault = [26; 32].into();
    market
}

pub fn context() -> MarketContext {
    let prices = PriceAccounts {
        base: [27; 32].into(),
        quote: [28; 32].into(),
    };
    MarketContext::new(
        MARKET,
        market(fixtures::market()),
        [TOKEN_PROGRAM; 2],
        prices,
    )
}

/// The fixture's position with addresses.
pub fn position() -> Position {
    let mut position = fixtures::position();
    position.market = MARKET;
    position.nft_mint = [30; 32].into();
    position.nft_account = [31; 32].into();
    position.whirlpool_position = [32; 32].into();
    position.base_account = [33; 32].into();
    position.quote_account = [34; 32].into();
    position
}

/// The same at its own address in the pool.
pub fn position_at(address: &Pubkey) -> Position {
    let mut position = position();
    position.whirlpool_position = whirlpool_position(address);
    position
}

/// Address of a position's Whirlpool position.
pub fn whirlpool_position(position: &Pubkey) -> Pubkey {
    let mut bytes = position.to_bytes();
    bytes[0] = 40;
    bytes.into()
}

/// A Whirlpool position with so many fees booked.
pub fn whirlpool_position_account(position: &Position, fees: Amounts) -> Account {
    let mut data = vec![0; of_position::LENGTH];
    let mut put =
        |offset: usize, bytes: &[u8]| data[offset..offset + bytes.len()].copy_from_slice(bytes);
    put(0, &of_position::DISCRIMINATOR);
    put(of_position::POOL, POOL.as_ref());
    put(of_position::TICK_LOWER, &position.tick_lower.to_le_bytes());
    put(of_position::TICK_UPPER, &position.tick_upper.to_le_bytes());
    put(of_position::FEE_OWED_A, &fees.base.to_le_bytes());
    put(of_position::FEE_OWED_B, &fees.quote.to_le_bytes());
    account(POOL_PROGRAM, data)
}

fn account(owner: Pubkey, data: Vec<u8>) -> Account {
    Account {
        lamports: 1_000_000,
        data,
        owner,
        executable: false,
        rent_epoch: u64::MAX,
    }
}

fn program_account<T: ProgramAccount + bytemuck::NoUninit>(value: &T) -> Account {
    let mut data = T::DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(value));
    account(ballast::ID, data)
}

pub fn position_account(position: &Position) -> Account {
    program_account(position)
}

pub fn mint_account() -> Account {
    account(TOKEN_PROGRAM, vec![0; 82])
}

pub fn lamports(lamports: u64) -> Account {
    Account {
        lamports,
        ..account(Pubkey::default(), Vec::new())
    }
}

pub fn token_account(mint: Pubkey, amount: u64) -> Account {
    let mut data = vec![0; 165];
    data[..32].copy_from_slice(mint.as_ref());
    data[64..72].copy_from_slice(&amount.to_le_bytes());
    data[108] = 1;
    account(TOKEN_PROGRAM, data)
}

/// The market's lookup table, which its authority owns: 56 bytes of header, then addresses.
pub fn lookup_table() -> Account {
    lookup_table_until(u64::MAX)
}

/// The same, which its authority has deactivated in a slot.
pub fn lookup_table_until(deactivation_slot: u64) -> Account {
    let context = context();
    let mut data = 1u32.to_le_bytes().to_vec();
    data.extend(deactivation_slot.to_le_bytes());
    // Extended in slot 0 from index 0 on.
    data.extend([0; 9]);
    data.push(1);
    data.extend(context.market.authority.to_bytes());
    data.extend([0; 2]);
    for address in context.static_addresses() {
        data.extend(address.to_bytes());
    }
    account(LOOKUP_TABLE_PROGRAM, data)
}

fn pool_account(pool: &PoolState) -> Account {
    let mut data = vec![0; at::LENGTH];
    let mut put =
        |offset: usize, bytes: &[u8]| data[offset..offset + bytes.len()].copy_from_slice(bytes);
    put(0, &at::DISCRIMINATOR);
    put(at::TICK_SPACING, &4u16.to_le_bytes());
    put(at::FEE_TIER_INDEX, &4u16.to_le_bytes());
    put(at::FEE_RATE, &pool.fee_rate_ppm.to_le_bytes());
    put(at::LIQUIDITY, &pool.liquidity.to_le_bytes());
    put(at::SQRT_PRICE, &pool.sqrt_price.x64().to_le_bytes());
    put(at::TICK_CURRENT, &pool.tick_current.to_le_bytes());
    put(at::REWARD_LAST_UPDATED, &pool.touched_secs.to_le_bytes());
    let [base, quote] = pool.fee_growth_x64;
    put(at::FEE_GROWTH_GLOBAL_A, &base.to_le_bytes());
    put(at::FEE_GROWTH_GLOBAL_B, &quote.to_le_bytes());
    account(POOL_PROGRAM, data)
}

fn clock_account(slot: u64, now_secs: i64) -> Account {
    let mut data = slot.to_le_bytes().to_vec();
    data.extend_from_slice(&[0; 24]);
    data.extend_from_slice(&now_secs.to_le_bytes());
    account([1; 32].into(), data)
}

/// A snapshot as the accounts that it is made of.
pub fn market_accounts(snapshot: &MarketSnapshot, slot: u64) -> Accounts {
    let price = |update: &ballast_abi::pyth::PriceUpdate| {
        account(RECEIVER, update.encode(Verification::Full).to_vec())
    };
    let accounts = vec![
        program_account(&market(snapshot.market)),
        program_account(&snapshot.base_reserve),
        program_account(&snapshot.quote_reserve),
        pool_account(&snapshot.pool),
        price(&snapshot.base_price),
        price(&snapshot.quote_price),
        clock_account(slot, snapshot.now_secs),
    ];
    Accounts {
        slot,
        accounts: accounts.into_iter().map(Some).collect(),
    }
}
