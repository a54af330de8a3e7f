//! Signs cases from standard input, a JSON object a line, through the typed actions; answers a JSON object a line. A case that is
//! refused is answered by `{"error": …}`, and the exit code then is 1.

use ballast_venue::hyperliquid::case::sign_case;
use std::{
    error::Error,
    io::{BufRead, Write},
    process::ExitCode,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        match sign_case(&line) {
            Ok(answer) => writeln!(out, "{}", serde_json::to_string(&answer)?)?,
            Err(error) => {
                writeln!(out, "{}", serde_json::json!({ "error": error.to_string() }))?;
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
