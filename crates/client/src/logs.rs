//! Which program wrote which log line.

use solana_sdk::pubkey::Pubkey;

/// What a line of the runtime says.
enum Line<'a> {
    Invoke(Pubkey),
    Success,
    Failed { reason: &'a str },
    Other,
}

/// Only the runtime begins lines with `Program <address> `; what programs say follows `Program log: ` or `Program data: `.
fn parse(line: &str) -> Line<'_> {
    let Some((address, rest)) = line
        .strip_prefix("Program ")
        .and_then(|rest| rest.split_once(' '))
    else {
        return Line::Other;
    };
    let Ok(program) = address.parse::<Pubkey>() else {
        return Line::Other;
    };
    if rest.starts_with("invoke [") {
        Line::Invoke(program)
    } else if rest == "success" {
        Line::Success
    } else if let Some(reason) = rest.strip_prefix("failed: ") {
        Line::Failed { reason }
    } else {
        Line::Other
    }
}

/// The lines written while `program` itself was running, not those of the programs it calls.
pub fn lines_of<'a>(logs: &'a [String], program: &Pubkey) -> Vec<&'a str> {
    let mut stack = Vec::new();
    let mut lines = Vec::new();
    for line in logs {
        match parse(line) {
            Line::Invoke(callee) => stack.push(callee),
            Line::Success | Line::Failed { .. } => {
                stack.pop();
            }
            Line::Other if stack.last() == Some(program) => lines.push(line.as_str()),
            Line::Other => {}
        }
    }
    lines
}

/// The program in which a transaction failed first, its callers passing the error on, and what the runtime says about it.
pub(crate) fn first_failure(logs: &[String]) -> Option<(Pubkey, &str)> {
    let mut stack = Vec::new();
    for line in logs {
        match parse(line) {
            Line::Invoke(callee) => stack.push(callee),
            Line::Success => {
                stack.pop();
            }
            Line::Failed { reason } => return stack.pop().map(|program| (program, reason)),
            Line::Other => {}
        }
    }
    None
}

/// Whether the node cut the logs short, so that events may be missing.
pub fn is_truncated(logs: &[String]) -> bool {
    logs.iter().any(|line| line == "Log truncated")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(outer: &Pubkey, inner: &Pubkey) -> Vec<String> {
        [
            format!("Program {outer} invoke [1]"),
            "Program log: Instruction: Open".into(),
            format!("Program {inner} invoke [2]"),
            format!("Program log: Program {outer} success"),
            "Program data: AAAA".into(),
            format!("Program {inner} consumed 5 of 10 compute units"),
            format!("Program {inner} failed: custom program error: 0x1771"),
            format!("Program {outer} failed: custom program error: 0x1771"),
        ]
        .into()
    }

    #[test]
    fn lines_belong_to_the_program_on_top() {
        let (outer, inner) = (Pubkey::new_unique(), Pubkey::new_unique());
        let logs = logs(&outer, &inner);
        assert_eq!(lines_of(&logs, &outer), ["Program log: Instruction: Open"]);
        assert_eq!(lines_of(&logs, &inner).len(), 3);
        assert!(lines_of(&logs, &Pubkey::new_unique()).is_empty());
    }

    #[test]
    fn the_innermost_program_failed_first() {
        let (outer, inner) = (Pubkey::new_unique(), Pubkey::new_unique());
        let logs = logs(&outer, &inner);
        assert_eq!(
            first_failure(&logs),
            Some((inner, "custom program error: 0x1771"))
        );
        assert_eq!(first_failure(&logs[..6]), None);
        assert_eq!(first_failure(&["Program x failed: y".into()]), None);
    }

    #[test]
    fn truncation_is_noticed() {
        assert!(is_truncated(&["Log truncated".into()]));
        assert!(!is_truncated(&["Program log: Log truncated".into()]));
    }
}
