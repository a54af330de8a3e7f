//! Price messages, and the Merkle tree that they are the leaves of.

use solana_address::Address;

use super::{PriceUpdate, UpdateError, reader::Reader};

/// First 20 bytes of a Keccak-256 hash.
pub type Hash160 = [u8; 20];

/// Keccak-256 of the parts in a row. Given by the caller: on chain it is a system call.
pub type Keccak256 = fn(&[&[u8]]) -> [u8; 32];

/// Marks a leaf's hash, so that no inner node can pass for a message.
const LEAF: [u8; 1] = [0];
/// Marks an inner node's hash.
const NODE: [u8; 1] = [1];

fn hash(parts: &[&[u8]], keccak: Keccak256) -> Hash160 {
    let [kept @ .., _, _, _, _, _, _, _, _, _, _, _, _] = keccak(parts);
    kept
}

/// Hash of a message.
pub fn hash_leaf(message: &[u8], keccak: Keccak256) -> Hash160 {
    hash(&[&LEAF, message], keccak)
}

/// Hash of two hashes, in either order.
pub fn hash_node(one: &Hash160, other: &Hash160, keccak: Keccak256) -> Hash160 {
    hash(&[&NODE, one.min(other), one.max(other)], keccak)
}

/// The root that a message is under, if the proof is its way there.
pub fn root_of(message: &[u8], proof: &[Hash160], keccak: Keccak256) -> Hash160 {
    let leaf = hash_leaf(message, keccak);
    proof
        .iter()
        .fold(leaf, |node, beside| hash_node(&node, beside, keccak))
}

/// A price as its message has it: `price * 10^exponent`, times in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceMessage {
    /// What the price is of.
    pub feed_id: [u8; 32],
    /// Price, in units of `10^exponent`.
    pub price: i64,
    /// Half width of the confidence interval, in units of `10^exponent`.
    pub conf: u64,
    /// Power of ten of the unit.
    pub exponent: i32,
    /// When the price was published.
    pub publish_time: i64,
    /// When the price before it was published.
    pub previous_publish_time: i64,
    /// Exponentially weighted average of the price, in units of `10^exponent`.
    pub ema_price: i64,
    /// Exponentially weighted average of the confidence, in units of `10^exponent`.
    pub ema_conf: u64,
}

impl PriceMessage {
    /// Length of the messages of today; later ones may have more at the end.
    pub const LENGTH: usize = 85;
    /// First byte of a price; averages over a time and stake caps have others.
    const TYPE: u8 = 0;

    /// Reads a message. Bytes after the last field are ignored: later versions add some.
    ///
    /// # Errors
    /// [`UpdateError`] for other kinds of messages too.
    pub fn parse(message: &[u8]) -> Result<Self, UpdateError> {
        let mut reader = Reader::new("price message", message);
        let kind = reader.u8()?;
        reader.require(kind == Self::TYPE, "type")?;
        Ok(Self {
            feed_id: reader.array()?,
            price: reader.i64()?,
            conf: reader.u64()?,
            exponent: reader.i32()?,
            publish_time: reader.i64()?,
            previous_publish_time: reader.i64()?,
            ema_price: reader.i64()?,
            ema_conf: reader.u64()?,
        })
    }

    /// Every price of a feed that stands somewhere in these bytes, such as an instruction's: whichever program an update goes through,
    /// it carries the signed message as it is.
    pub fn find_all<'a>(bytes: &'a [u8], feed_id: &'a [u8; 32]) -> impl Iterator<Item = Self> + 'a {
        let starts = bytes.len().saturating_sub(feed_id.len());
        (0..starts).filter_map(move |start| {
            let message = bytes.get(start..)?;
            let [Self::TYPE, rest @ ..] = message else {
                return None;
            };
            rest.starts_with(feed_id)
                .then(|| Self::parse(message).ok())
                .flatten()
        })
    }

    /// The message's bytes.
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let mut end = 0;
        let mut put = |field: &[u8]| {
            bytes[end..end + field.len()].copy_from_slice(field);
            end += field.len();
        };
        put(&[Self::TYPE]);
        put(&self.feed_id);
        put(&self.price.to_be_bytes());
        put(&self.conf.to_be_bytes());
        put(&self.exponent.to_be_bytes());
        put(&self.publish_time.to_be_bytes());
        put(&self.previous_publish_time.to_be_bytes());
        put(&self.ema_price.to_be_bytes());
        put(&self.ema_conf.to_be_bytes());
        bytes
    }

    /// The price account that the receiver makes of it.
    pub fn posted(&self, write_authority: Address, posted_slot: u64) -> PriceUpdate {
        PriceUpdate {
            write_authority,
            feed_id: self.feed_id,
            price: self.price,
            conf: self.conf,
            exponent: self.exponent,
            publish_time: self.publish_time,
            previous_publish_time: self.previous_publish_time,
            ema_price: self.ema_price,
            ema_conf: self.ema_conf,
            posted_slot,
        }
    }
}

/// What the guardians sign: the root of all messages of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedRoot {
    /// Slot of the chain that the prices are computed on.
    pub slot: u64,
    /// Root of the tree.
    pub root: Hash160,
}

impl SignedRoot {
    const MAGIC: [u8; 4] = *b"AUWV";
    const MERKLE: u8 = 0;
    /// Length of the payload.
    pub const LENGTH: usize = 37;

    /// Reads the payload of a signed message.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn parse(payload: &[u8]) -> Result<Self, UpdateError> {
        let mut reader = Reader::new("signed root", payload);
        let magic = reader.array()?;
        reader.require(magic == Self::MAGIC, "magic")?;
        let kind = reader.u8()?;
        reader.require(kind == Self::MERKLE, "type")?;
        let slot = reader.u64()?;
        let _ring_size = reader.u32()?;
        let root = reader.array()?;
        Ok(Self { slot, root })
    }

    /// The payload.
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&Self::MAGIC);
        bytes[4] = Self::MERKLE;
        bytes[5..13].copy_from_slice(&self.slot.to_be_bytes());
        bytes[17..].copy_from_slice(&self.root);
        bytes
    }
}
