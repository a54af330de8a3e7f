//! Numbers to text and back.
use std::fmt;

use crate::{Input, Output};

struct Price(u128);

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000, self.0 % 1_000_000);
        f.pad(&format!("{whole}.{part:06}"))
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug alone")]
enum Event {
    Idle,
    Moved { to: i64, by: Option<u8> },
    Named(&'static str, [u16; 3], char),
}

pub fn numbers(input: &mut Input, output: &mut Output) {
    let (a, b, c) = (input.u128(), input.i128(), input.u64());
    output.put(format!("{a} {b}"));
    output.put(format!("{c} {} {}", c as i64, c as i8));
    output.put(format!("{a:x} {b:#X} {c:#o}"));
    output.put(format!("{:b} {:#010b}", c as u16, c as u8));
    output.put(format!("[{a:>45}|{b:<+45}|{c:^25}]"));
    let (width, digits) = (input.below(30), input.below(12));
    output.put(format!("{c:0width$} {:.digits$}", "a text that is cut"));
    output.put(format!("{:>30} {:e}", Price(a), c));
    let event = match input.below(3) {
        0 => Event::Idle,
        1 => Event::Moved {
            to: b as i64,
            by: Some(c as u8).filter(|by| by % 2 == 0),
        },
        _ => Event::Named("a\n\"b\"", [c as u16, 0, a as u16], char::from(c as u8)),
    };
    output.put(format!("{event:?} {event:#?}"));
    output.put(format!("{:?} {:?}", Some(a), Err::<(), _>(b)));
}

pub fn parsing(input: &mut Input, output: &mut Output) {
    let bytes = input.bytes(40);
    match std::str::from_utf8(&bytes) {
        Ok(text) => output.put(text),
        Err(error) => output.put((
            error.valid_up_to() as u64,
            error.error_len().map(|length| length as u64),
        )),
    }
    let text: String = bytes
        .chunks(2)
        .map(|pair| char::from(pair[0] >> 1))
        .collect();
    output.put(String::from_utf8_lossy(&bytes[..12]).into_owned());
    output.put(text.to_uppercase());
    output.put(
        text.trim()
            .chars()
            .rev()
            .filter(|c| c.is_alphanumeric())
            .collect::<String>(),
    );
    output.put(
        text.split(['1', 'a', ' ', '/'])
            .map(str::len)
            .max()
            .unwrap_or(0) as u64,
    );
    output.put(text.find("1").map(|place| place as u64));
    output.put(
        text.char_indices()
            .map(|(place, c)| place as u32 ^ c as u32)
            .sum::<u32>(),
    );

    let (a, b) = (input.u128(), input.i128());
    let decimal = a.to_string();
    output.put((
        decimal.parse::<u128>() == Ok(a),
        decimal.parse::<u64>().ok(),
    ));
    output.put((
        b.to_string().parse::<i128>() == Ok(b),
        b.to_string().parse::<i64>().ok(),
    ));
    output.put(u128::from_str_radix(&format!("{a:x}"), 16) == Ok(a));
    // A digit changed: mostly not a number any more.
    let mut damaged = decimal.into_bytes();
    let place = input.below(damaged.len().min(256));
    damaged[place] = input.u8() & 0x7f;
    let damaged = String::from_utf8_lossy(&damaged);
    output.put(damaged.parse::<u128>().ok());
    output.put(damaged.parse::<u32>().err().map(|error| error.to_string()));
    output.put(u64::from_str_radix(&damaged, 16).ok());
    output.put(i64::from_str_radix(&format!("-{}", &damaged), 36).ok());
    output.put(hexadecimal(&text));
}

/// A table of characters, which compiles to a jump table.
fn hexadecimal(text: &str) -> u64 {
    text.bytes().fold(0, |number: u64, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b' ' | b'_' => return number,
            b'-' => return !number,
            b'+' => return number.rotate_left(1),
            b'*' => return number.wrapping_mul(3),
            b'/' => return number / 3,
            b'%' => return number % 1_000_003,
            _ => return number ^ u64::from(byte),
        };
        number.wrapping_mul(16) + u64::from(digit)
    })
}
