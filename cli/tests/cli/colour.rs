//! Colour is for people: on a terminal, unless they say no, and never in a pipe.
#![cfg(target_os = "linux")]

use crate::common::{on_terminal, run, terminal};

/// A table, help, and a complaint, all without a node.
const LINES: [&str; 3] = [
    "doctor --url http://127.0.0.1:9",
    "quote --help",
    "quote --price much",
];

/// Whether there is a sequence that sets colour or weight, and not one that only moves the cursor: `ESC [ 1 ; 31 m`.
fn coloured(text: &str) -> bool {
    let sequences = text.split("\x1b[").skip(1);
    let ends = sequences.filter_map(|rest| {
        rest.chars()
            .find(|letter| !letter.is_ascii_digit() && *letter != ';')
    });
    ends.into_iter().any(|end| end == 'm')
}

#[test]
fn only_sequences_of_colour_count() {
    assert!(coloured("\x1b[1;31merror\x1b[0m"));
    assert!(coloured("\x1b[2K\x1b[32mok"));
    for plain in ["", "31m", "\x1b[2K\x1b[1A", "\x1b[?25h"] {
        assert!(!coloured(plain), "{plain:?}");
    }
}

#[test]
fn colour_is_on_a_terminal_and_not_where_it_is_not_wanted_or_not_seen() {
    for line in LINES {
        let on = format!("{} {line}", env!("CARGO_BIN_EXE_ballast"));
        let (code, said) = on_terminal(&mut terminal(&on));
        assert!(coloured(&said), "no colour on a terminal: {said:?}");

        let (same, said) = on_terminal(terminal(&on).env("NO_COLOR", "1"));
        assert!(!coloured(&said), "colour with NO_COLOR: {said:?}");

        let words: Vec<&str> = line.split(' ').collect();
        let piped = run(&words);
        assert!(
            !coloured(&piped.out) && !coloured(&piped.err),
            "colour in a pipe: {:?} {:?}",
            piped.out,
            piped.err
        );
        assert_eq!((code, code), (same, piped.code), "{line}");
    }
}
