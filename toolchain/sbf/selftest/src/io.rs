//! Random input, shaped so that it often lies at edges; output as bytes.

/// Bytes to read numbers from. After the last byte comes the first.
pub struct Input<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl<'a> Input<'a> {
    /// Reads from these bytes; zeros if there are none.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0 }
    }

    /// A random byte.
    pub fn u8(&mut self) -> u8 {
        let byte = self.bytes.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        if self.next >= self.bytes.len() {
            self.next = 0;
        }
        byte
    }

    /// A random number of any size: as likely small as large, and often within 2 of a power of two.
    pub fn u128(&mut self) -> u128 {
        let (shape, bits) = (self.u8(), u32::from(self.u8()) % 128);
        let random = (0..16).fold(0, |number, _| number << 8 | u128::from(self.u8()));
        match shape {
            0..96 => random >> bits,
            96..144 => (1u128 << bits)
                .wrapping_add(u128::from(shape) % 5)
                .wrapping_sub(2),
            144..176 => !(random >> bits),
            176..192 => (random >> 64) << 64,
            192..200 => 0,
            _ => random,
        }
    }

    /// As [`Input::u128`].
    pub fn i128(&mut self) -> i128 {
        self.u128() as i128
    }

    /// The low bits of [`Input::u128`].
    pub fn u64(&mut self) -> u64 {
        self.u128() as u64
    }

    /// The low bits of [`Input::u128`].
    pub fn i64(&mut self) -> i64 {
        self.u128() as i64
    }

    /// The low bits of [`Input::u128`].
    pub fn u32(&mut self) -> u32 {
        self.u128() as u32
    }

    /// A number below `bound`, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.u8()) % bound
    }

    /// So many random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.u8()).collect()
    }
}

/// Everything a case has computed.
#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
}

/// A value that can be written.
pub trait Write {
    /// Appends the value, so that different values give different bytes.
    fn write(&self, bytes: &mut Vec<u8>);
}

impl Output {
    /// Writes a value.
    pub fn put(&mut self, value: impl Write) {
        value.write(&mut self.bytes);
    }

    /// The bytes. Of very many only as many as return data may have, and a digest of the others.
    pub fn finish(mut self) -> Vec<u8> {
        const LONGEST: usize = 900;
        if self.bytes.len() > LONGEST {
            let digest = digest(&self.bytes[LONGEST..]);
            self.bytes.truncate(LONGEST);
            self.put(digest);
        }
        self.bytes
    }
}

/// FNV-1a, 64 bits.
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Write for $type {
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}
integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128);

impl Write for bool {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }
}

/// All NaNs are one: which of them an operation gives is not specified.
impl Write for f64 {
    fn write(&self, bytes: &mut Vec<u8>) {
        let bits = if self.is_nan() {
            u64::MAX
        } else {
            self.to_bits()
        };
        bits.write(bytes);
    }
}

impl Write for core::cmp::Ordering {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(*self as i8 as u8);
    }
}

impl Write for &str {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.as_bytes().write(bytes);
    }
}

impl Write for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.as_str().write(bytes);
    }
}

impl Write for &[u8] {
    fn write(&self, bytes: &mut Vec<u8>) {
        (self.len() as u16).write(bytes);
        bytes.extend_from_slice(self);
    }
}

impl<const N: usize> Write for [u8; N] {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.write(bytes);
        }
    }
}

impl<A: Write, B: Write> Write for (A, B) {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.0.write(bytes);
        self.1.write(bytes);
    }
}
