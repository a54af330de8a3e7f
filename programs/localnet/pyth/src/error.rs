//! Errors of the real programs that the stand-in can return, under the same numbers where those are free: the first seven are the
//! receiver's, the others Wormhole's.

use anchor_lang::prelude::*;

/// See the module's description.
#[error_code]
pub enum PythError {
    /// 6000
    #[msg("the signed message holds no root of prices")]
    InvalidWormholeMessage = 0,
    /// 6001
    #[msg("the price message cannot be read")]
    DeserializeMessageFailed = 1,
    /// 6002
    #[msg("the price message is not under the signed root")]
    InvalidPriceUpdate = 2,
    /// 6003
    #[msg("messages of this type are not posted")]
    UnsupportedMessageType = 3,
    /// 6004
    #[msg("the signed message comes from a sender that is not trusted")]
    InvalidDataSource = 4,
    /// 6012
    #[msg("the price account belongs to another write authority")]
    WrongWriteAuthority = 12,
    /// 6013
    #[msg("the signed message is in an account of another program")]
    WrongVaaOwner = 13,
    /// 10256
    #[msg("the message has not been verified")]
    UnverifiedVaa = 0x10a0,
    /// 10262
    #[msg("the message is not being written")]
    NotInWritingStatus = 0x10a6,
    /// 10270
    #[msg("the account has no room for a message")]
    InvalidCreatedAccountSize = 0x10ae,
    /// 10272
    #[msg("the part is empty or lies beyond the message's end")]
    DataOverflow = 0x10b0,
    /// 10276
    #[msg("the bytes are no signed message")]
    CannotParseVaa = 0x10b4,
    /// 10282
    #[msg("the message account belongs to another write authority")]
    WriteAuthorityMismatch = 0x10ba,
}
