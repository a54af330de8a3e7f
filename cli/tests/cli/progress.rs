//! Progress bars are on a terminal, and nowhere else.
#![cfg(target_os = "linux")]

use std::fs;

use tempfile::TempDir;

use crate::common::{on_terminal, run, terminal};

#[test]
fn a_bar_is_on_a_terminal_and_not_in_a_pipe() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("candles.csv");
    let mut text = String::from("time,open,high,low,close\n");
    for hour in 0..400u32 {
        // Up and down, so that something can be fitted.
        let [open, close] = [hour, hour + 1].map(|at| 1.0 + f64::from(at * at % 13) / 1e3);
        let (high, low) = (open.max(close) * 1.001, open.min(close) * 0.999);
        text += &format!("{},{open},{high},{low},{close}\n", hour * 3_600);
    }
    fs::write(&file, text).unwrap();
    let file = file.display();
    for (line, bar) in [
        (
            format!(
                "backtest --candles {file} --paths 50 --fee-ppm 400 --lower-tick -9 --upper-tick 9 --liquidity 1000000 \
                 --token0-decimals 6"
            ),
            "/50 paths",
        ),
        (format!("calibrate {file}"), "/4 steps"),
    ] {
        let (code, said) = on_terminal(&mut terminal(&format!(
            "{} {line}",
            env!("CARGO_BIN_EXE_ballast")
        )));
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(bar), "no `{bar}` on a terminal: {said:?}");

        let words: Vec<&str> = line.split(' ').collect();
        let piped = run(&words);
        assert_eq!((piped.code, piped.err.as_str()), (0, ""), "{line}");
        assert!(!piped.out.contains(bar), "`{bar}` in a pipe: {}", piped.out);
    }
}
