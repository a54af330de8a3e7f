//! Lengths, discriminators and offsets (discriminator included) of Whirlpool's accounts.

/// `WhirlpoolsConfig`.
pub mod config {
    /// sha256("account:WhirlpoolsConfig")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [157, 20, 49, 224, 217, 87, 193, 254];
    /// Account length in bytes.
    pub const LENGTH: usize = 108;
    /// Address that may create fee tiers.
    pub const FEE_AUTHORITY: usize = 8;
    /// Address that may collect protocol fees.
    pub const COLLECT_PROTOCOL_FEES_AUTHORITY: usize = 40;
    /// Address that may appoint reward authorities.
    pub const REWARD_EMISSIONS_SUPER_AUTHORITY: usize = 72;
    /// u16, 1e-4 of the fee.
    pub const DEFAULT_PROTOCOL_FEE_RATE: usize = 104;
}

/// `FeeTier`.
pub mod fee_tier {
    /// sha256("account:FeeTier")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [56, 75, 159, 76, 142, 68, 190, 105];
    /// Account length in bytes.
    pub const LENGTH: usize = 44;
    /// Config address.
    pub const CONFIG: usize = 8;
    /// u16.
    pub const TICK_SPACING: usize = 40;
    /// u16, 1e-6.
    pub const DEFAULT_FEE_RATE: usize = 42;
}

/// `Whirlpool`, the pool.
pub mod pool {
    /// sha256("account:Whirlpool")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [63, 149, 209, 12, 225, 128, 99, 9];
    /// Account length in bytes.
    pub const LENGTH: usize = 653;
    /// Config address.
    pub const CONFIG: usize = 8;
    /// u8, bump of the pool's PDA.
    pub const BUMP: usize = 40;
    /// u16.
    pub const TICK_SPACING: usize = 41;
    /// u16, last seed of the pool's PDA; the tick spacing except in adaptive-fee pools.
    pub const FEE_TIER_INDEX: usize = 43;
    /// u16, 1e-6.
    pub const FEE_RATE: usize = 45;
    /// u16, 1e-4 of the fee.
    pub const PROTOCOL_FEE_RATE: usize = 47;
    /// u128, active liquidity.
    pub const LIQUIDITY: usize = 49;
    /// u128, Q64.64.
    pub const SQRT_PRICE: usize = 65;
    /// i32.
    pub const TICK_CURRENT: usize = 81;
    /// u64.
    pub const PROTOCOL_FEE_OWED_A: usize = 85;
    /// u64.
    pub const PROTOCOL_FEE_OWED_B: usize = 93;
    /// Mint of token A (base).
    pub const MINT_A: usize = 101;
    /// The pool's account of token A.
    pub const VAULT_A: usize = 133;
    /// u128, Q64.64 per unit of liquidity.
    pub const FEE_GROWTH_GLOBAL_A: usize = 165;
    /// Mint of token B (quote).
    pub const MINT_B: usize = 181;
    /// The pool's account of token B.
    pub const VAULT_B: usize = 213;
    /// u128, Q64.64 per unit of liquidity.
    pub const FEE_GROWTH_GLOBAL_B: usize = 245;
    /// u64, seconds.
    pub const REWARD_LAST_UPDATED: usize = 261;
    /// Three rewards of [`REWARD_LENGTH`] bytes: mint, vault, authority (32 each), emissions u128 at 96, growth u128 at 112.
    pub const REWARDS: usize = 269;
    /// Length of one reward.
    pub const REWARD_LENGTH: usize = 128;
}

/// `Position`.
pub mod position {
    /// sha256("account:Position")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [170, 188, 143, 228, 122, 64, 247, 208];
    /// Account length in bytes.
    pub const LENGTH: usize = 216;
    /// Pool address.
    pub const POOL: usize = 8;
    /// Mint of the position's NFT.
    pub const MINT: usize = 40;
    /// u128.
    pub const LIQUIDITY: usize = 72;
    /// i32.
    pub const TICK_LOWER: usize = 88;
    /// i32.
    pub const TICK_UPPER: usize = 92;
    /// u128, Q64.64.
    pub const FEE_GROWTH_CHECKPOINT_A: usize = 96;
    /// u64.
    pub const FEE_OWED_A: usize = 112;
    /// u128, Q64.64.
    pub const FEE_GROWTH_CHECKPOINT_B: usize = 120;
    /// u64.
    pub const FEE_OWED_B: usize = 136;
    /// Three rewards of [`REWARD_LENGTH`] bytes: checkpoint u128, owed u64.
    pub const REWARDS: usize = 144;
    /// Length of one reward.
    pub const REWARD_LENGTH: usize = 24;
}

/// One tick, without the byte that tells whether it is initialised.
pub mod tick {
    /// Length in bytes.
    pub const LENGTH: usize = 112;
    /// i128.
    pub const LIQUIDITY_NET: usize = 0;
    /// u128.
    pub const LIQUIDITY_GROSS: usize = 16;
    /// u128, Q64.64.
    pub const FEE_GROWTH_OUTSIDE_A: usize = 32;
    /// u128, Q64.64.
    pub const FEE_GROWTH_OUTSIDE_B: usize = 48;
    /// 3 x u128, Q64.64.
    pub const REWARD_GROWTHS_OUTSIDE: usize = 64;
}

/// `TickArray`: 88 ticks in 113 bytes each, initialised or not.
pub mod fixed_tick_array {
    /// sha256("account:TickArray")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [69, 97, 189, 190, 110, 7, 66, 187];
    /// Account length in bytes.
    pub const LENGTH: usize = 9988;
    /// i32, first tick.
    pub const START: usize = 8;
    /// 88 x (u8 initialised, tick).
    pub const TICKS: usize = 12;
    /// Pool address.
    pub const POOL: usize = 9956;
}

/// `DynamicTickArray`: 88 ticks of one byte (0), or 113 (1 and the tick) where initialised.
pub mod dynamic_tick_array {
    /// sha256("account:DynamicTickArray")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [17, 216, 246, 142, 225, 199, 218, 56];
    /// Length in bytes with no tick initialised.
    pub const MIN_LENGTH: usize = 148;
    /// Length in bytes with all ticks initialised.
    pub const MAX_LENGTH: usize = 10_004;
    /// i32, first tick.
    pub const START: usize = 8;
    /// Pool address.
    pub const POOL: usize = 12;
    /// u128, bit i set when tick i is initialised.
    pub const BITMAP: usize = 44;
    /// The ticks.
    pub const TICKS: usize = 60;
}

/// `Oracle`, state of adaptive fees; absent for pools of a static fee.
pub mod oracle {
    /// sha256("account:Oracle")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [139, 194, 131, 179, 140, 179, 229, 244];
    /// Account length in bytes.
    pub const LENGTH: usize = 254;
}
