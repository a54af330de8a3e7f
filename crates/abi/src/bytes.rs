//! Reads at constant offsets of arrays of constant length: bounds are the layout's, checked once, and no alignment is assumed.

use solana_address::Address;

use crate::LayoutError;

/// `data` as an array of exactly `LENGTH` bytes that begins with `discriminator`.
pub(crate) fn account<'a, const LENGTH: usize>(
    what: &'static str,
    data: &'a [u8],
    discriminator: &[u8; 8],
) -> Result<&'a [u8; LENGTH], LayoutError> {
    let bytes: &[u8; LENGTH] = data.try_into().map_err(|_| LayoutError::Length {
        what,
        expected: LENGTH,
        found: data.len(),
    })?;
    if !bytes.starts_with(discriminator) {
        return Err(LayoutError::Discriminator { what });
    }
    Ok(bytes)
}

/// `N` bytes at `offset`; zeros beyond the end, which a layout's constant offsets never reach (see the tests of each layout).
#[inline(always)]
pub(crate) fn array<const N: usize>(data: &[u8], offset: usize) -> [u8; N] {
    match data.get(offset..).and_then(|rest| rest.first_chunk::<N>()) {
        Some(bytes) => *bytes,
        None => [0; N],
    }
}

macro_rules! numbers {
    ($($name:ident -> $type:ty;)*) => {$(
        #[inline(always)]
        pub(crate) fn $name(data: &[u8], offset: usize) -> $type {
            <$type>::from_le_bytes(array(data, offset))
        }
    )*};
}
numbers! {
    u16_at -> u16;
    i32_at -> i32;
    u64_at -> u64;
    i64_at -> i64;
    u128_at -> u128;
    i128_at -> i128;
}

#[inline(always)]
pub(crate) fn address_at(data: &[u8], offset: usize) -> Address {
    Address::new_from_array(array(data, offset))
}
