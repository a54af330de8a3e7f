//! Custom error numbers of the Whirlpool program that Ballast handles or its stand-in returns.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        $($(#[$doc])* pub const $name: u32 = $code;)*

        /// Name of an error number, `None` when it is not listed here.
        pub fn name(code: u32) -> Option<&'static str> {
            match code {
                $($code => Some(stringify!($name)),)*
                _ => None,
            }
        }
    };
}

codes! {
    /// The first tick of a tick array is not a multiple of its width.
    INVALID_START_TICK = 6001,
    /// Tick spacing 0.
    INVALID_TICK_SPACING = 6004,
    /// The position still has liquidity, fees or rewards.
    CLOSE_POSITION_NOT_EMPTY = 6005,
    /// A division by zero: more output than the liquidity holds.
    DIVIDE_BY_ZERO = 6006,
    /// A number does not fit its type.
    NUMBER_DOWN_CAST_ERROR = 6008,
    /// The tick is not in the array that was passed.
    TICK_NOT_FOUND = 6009,
    /// A tick is out of bounds, not a multiple of the spacing, or lower >= upper.
    INVALID_TICK_INDEX = 6010,
    /// A sqrt price is out of bounds.
    SQRT_PRICE_OUT_OF_BOUNDS = 6011,
    /// No liquidity: nothing to add, remove or update.
    LIQUIDITY_ZERO = 6012,
    /// The liquidity does not fit an i128.
    LIQUIDITY_TOO_HIGH = 6013,
    /// Liquidity exceeds a u128.
    LIQUIDITY_OVERFLOW = 6014,
    /// More liquidity removed than there is.
    LIQUIDITY_UNDERFLOW = 6015,
    /// Net liquidity of a tick exceeds an i128.
    LIQUIDITY_NET_ERROR = 6016,
    /// More tokens needed than the caller allowed.
    TOKEN_MAX_EXCEEDED = 6017,
    /// Fewer tokens paid out than the caller demanded.
    TOKEN_MIN_SUBCEEDED = 6018,
    /// The signer neither holds the position's NFT nor is its delegate.
    MISSING_OR_INVALID_DELEGATE = 6019,
    /// The delegation of the NFT is not for exactly 1.
    INVALID_POSITION_TOKEN_AMOUNT = 6020,
    /// The clock shows a time before 1970.
    INVALID_TIMESTAMP_CONVERSION = 6021,
    /// The clock went backwards.
    INVALID_TIMESTAMP = 6022,
    /// The tick arrays do not hold the current tick.
    INVALID_TICK_ARRAY_SEQUENCE = 6023,
    /// Mint A is not below mint B.
    INVALID_TOKEN_MINT_ORDER = 6024,
    /// There is no such reward: a pool has three.
    INVALID_REWARD_INDEX = 6026,
    /// Fee rate above 60000.
    FEE_RATE_MAX_EXCEEDED = 6028,
    /// Protocol fee rate above 2500.
    PROTOCOL_FEE_RATE_MAX_EXCEEDED = 6029,
    /// A product does not fit.
    MULTIPLICATION_SHIFT_RIGHT_OVERFLOW = 6030,
    /// A quotient does not fit.
    MUL_DIV_OVERFLOW = 6031,
    /// A product does not fit.
    MULTIPLICATION_OVERFLOW = 6033,
    /// The price limit lies on the wrong side of the price.
    INVALID_SQRT_PRICE_LIMIT_DIRECTION = 6034,
    /// A swap of zero.
    ZERO_TRADABLE_AMOUNT = 6035,
    /// Less output than demanded.
    AMOUNT_OUT_BELOW_MINIMUM = 6036,
    /// More input than allowed.
    AMOUNT_IN_ABOVE_MAXIMUM = 6037,
    /// The swap ran past the last tick array.
    TICK_ARRAY_SEQUENCE_INVALID_INDEX = 6038,
    /// A sum of amounts does not fit 64 bits.
    AMOUNT_CALC_OVERFLOW = 6039,
    /// A step used more than was left.
    AMOUNT_REMAINING_OVERFLOW = 6040,
    /// The mint has extensions that pools refuse.
    UNSUPPORTED_TOKEN_MINT = 6047,
    /// The description of remaining accounts does not fit them.
    REMAINING_ACCOUNTS_INVALID_SLICE = 6048,
    /// The pool takes only positions over the full range.
    FULL_RANGE_ONLY_POOL = 6054,
    /// A tick array of another pool.
    DIFFERENT_WHIRLPOOL_TICK_ARRAY_ACCOUNT = 6056,
    /// An exact output was not reached at the end of the price range.
    PARTIAL_FILL_ERROR = 6057,
    /// The position has the band already that it should get.
    SAME_TICK_RANGE_NOT_ALLOWED = 6060,
}
