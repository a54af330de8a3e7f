//! One table per instruction: its accounts in order with their flags, its discriminator and its arguments.
//!
//! The table yields a struct of named accounts, a struct of named arguments with an encoder and a decoder, and the
//! [`Instruction`](solana_instruction::Instruction) made of both: callers and the stand-ins share one definition.

use alloc::vec::Vec;

use crate::LayoutError;

/// A value in instruction data.
pub(crate) trait Wire: Sized {
    /// Appends the value.
    fn put(&self, data: &mut Vec<u8>);
    /// Takes the value from the front of `data`; `None` when it is not there or not valid.
    fn take(data: &mut &[u8]) -> Option<Self>;
}

fn take_array<const N: usize>(data: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = data.split_first_chunk::<N>()?;
    *data = rest;
    Some(*head)
}

macro_rules! wire_numbers {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            #[inline]
            fn put(&self, data: &mut Vec<u8>) {
                data.extend_from_slice(&self.to_le_bytes());
            }
            #[inline]
            fn take(data: &mut &[u8]) -> Option<Self> {
                take_array(data).map(Self::from_le_bytes)
            }
        }
    )*};
}
wire_numbers!(u8, u16, u32, u64, u128, i32, i64);

impl Wire for bool {
    #[inline]
    fn put(&self, data: &mut Vec<u8>) {
        data.push(u8::from(*self));
    }
    #[inline]
    fn take(data: &mut &[u8]) -> Option<Self> {
        match u8::take(data)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Wire for [u8; 32] {
    #[inline]
    fn put(&self, data: &mut Vec<u8>) {
        data.extend_from_slice(self);
    }
    #[inline]
    fn take(data: &mut &[u8]) -> Option<Self> {
        take_array(data)
    }
}

impl Wire for solana_address::Address {
    #[inline]
    fn put(&self, data: &mut Vec<u8>) {
        data.extend_from_slice(self.as_ref());
    }
    #[inline]
    fn take(data: &mut &[u8]) -> Option<Self> {
        take_array(data).map(Self::new_from_array)
    }
}

/// `Option<RemainingAccountsInfo>` of Whirlpool's v2 instructions. Ballast refuses mints with transfer hooks and needs no
/// supplemental tick arrays, so that only `None`, one zero byte, is ever sent or accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoRemainingAccounts;

impl Wire for NoRemainingAccounts {
    #[inline]
    fn put(&self, data: &mut Vec<u8>) {
        data.push(0);
    }
    #[inline]
    fn take(data: &mut &[u8]) -> Option<Self> {
        (u8::take(data)? == 0).then_some(Self)
    }
}

/// What is left of instruction data after its discriminator.
pub(crate) fn after_discriminator<'a>(
    what: &'static str,
    discriminator: &[u8; 8],
    data: &'a [u8],
) -> Result<&'a [u8], LayoutError> {
    data.strip_prefix(discriminator.as_slice())
        .ok_or(LayoutError::Discriminator { what })
}

/// Flags of an account: `readonly`, `writable`, `signer` (read-only), `writable_signer`.
macro_rules! account_meta {
    (readonly $key:expr) => {
        $crate::AccountMeta::new_readonly($key, false)
    };
    (writable $key:expr) => {
        $crate::AccountMeta::new($key, false)
    };
    (signer $key:expr) => {
        $crate::AccountMeta::new_readonly($key, true)
    };
    (writable_signer $key:expr) => {
        $crate::AccountMeta::new($key, true)
    };
}
pub(crate) use account_meta;

/// Struct of named accounts in the program's order.
macro_rules! accounts {
    (
        $(#[$doc:meta])*
        $accounts:ident {
            $($(#[$account_doc:meta])* $flag:ident $account:ident,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $accounts {
            $($(#[$account_doc])* pub $account: $crate::Address,)*
        }

        impl $accounts {
            /// Number of accounts.
            pub const COUNT: usize = [$(stringify!($account)),*].len();

            /// The accounts in the program's order with their flags.
            pub fn metas(&self) -> [$crate::AccountMeta; Self::COUNT] {
                [$($crate::wire::account_meta!($flag self.$account)),*]
            }
        }
    };
}
pub(crate) use accounts;

/// Struct of named arguments with its encoder and decoder, for instructions that take `$accounts`.
macro_rules! arguments {
    (
        $(#[$doc:meta])*
        $args:ident $discriminator:expr, $accounts:ident {
            $($(#[$arg_doc:meta])* $arg:ident: $type:ty,)*
        }
        $(tail $tail:ty;)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $args {
            $($(#[$arg_doc])* pub $arg: $type,)*
        }

        impl $args {
            /// First eight bytes of the instruction data.
            pub const DISCRIMINATOR: [u8; 8] = $discriminator;

            /// The instruction data.
            pub fn data(&self) -> alloc::vec::Vec<u8> {
                let capacity = 8 $(+ core::mem::size_of::<$type>())* $(+ core::mem::size_of::<$tail>() + 1)?;
                let mut data = alloc::vec::Vec::with_capacity(capacity);
                data.extend_from_slice(&Self::DISCRIMINATOR);
                $($crate::wire::Wire::put(&self.$arg, &mut data);)*
                $(<$tail as $crate::wire::Wire>::put(&<$tail>::default(), &mut data);)?
                data
            }

            /// The arguments from instruction data. Bytes after the last argument are ignored, as Anchor does.
            ///
            /// # Errors
            /// Another instruction's discriminator, too few bytes, or a byte that is no value of its type.
            #[allow(unused_mut, unused_variables, reason = "instructions without arguments")]
            pub fn decode(data: &[u8]) -> Result<Self, $crate::LayoutError> {
                let mut rest =
                    $crate::wire::after_discriminator(stringify!($args), &Self::DISCRIMINATOR, data)?;
                let decoded = Self {
                    $($arg: $crate::wire::Wire::take(&mut rest).ok_or($crate::LayoutError::Value {
                        what: stringify!($args),
                        field: stringify!($arg),
                    })?,)*
                };
                $(
                    <$tail as $crate::wire::Wire>::take(&mut rest).ok_or($crate::LayoutError::Value {
                        what: stringify!($args),
                        field: stringify!($tail),
                    })?;
                )?
                Ok(decoded)
            }

            /// The whole instruction for the program `program_id`.
            pub fn instruction(
                &self,
                program_id: $crate::Address,
                accounts: &$accounts,
            ) -> $crate::Instruction {
                $crate::Instruction {
                    program_id,
                    accounts: accounts.metas().into(),
                    data: self.data(),
                }
            }
        }
    };
}
pub(crate) use arguments;

/// Both structs of an instruction in one table.
macro_rules! instruction {
    (
        $(#[$doc:meta])*
        $args:ident $discriminator:expr;
        $(#[$accounts_doc:meta])*
        $accounts:ident { $($account:tt)* }
        args { $($arg:tt)* }
        $(tail $tail:ty;)?
    ) => {
        $crate::wire::accounts! { $(#[$accounts_doc])* $accounts { $($account)* } }
        $crate::wire::arguments! {
            $(#[$doc])*
            $args $discriminator, $accounts { $($arg)* }
            $(tail $tail;)?
        }
    };
}
pub(crate) use instruction;
