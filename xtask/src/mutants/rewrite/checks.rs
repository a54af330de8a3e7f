//! Checks: what refuses an instruction.

use super::{Edit, Kind, Rewriter, path_start};
use crate::mutants::source::Source;

impl Rewriter {
    /// `require!(…)`, `require_keys_eq!(…)` and statements that only call a function `require_…` or `check…` and pass its error
    /// on.
    pub(super) fn checks(&mut self, file: &str, source: &Source, edits: &mut Vec<Edit>) {
        let mut found = Vec::new();
        for name in source.places_before_tests("require") {
            let open = name
                + source.code[name..]
                    .iter()
                    .position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))
                    .unwrap_or(0);
            let is_macro = source.code.get(open) == Some(&b'!');
            let bracket = if is_macro { open + 1 } else { open };
            if source.code.get(bracket) != Some(&b'(') {
                continue;
            }
            let Some(mut close) = source.after_closing(bracket) else {
                continue;
            };
            let start = path_start(source, name);
            if !is_macro {
                if !source.code[close..].starts_with(b"?") {
                    continue;
                }
                close += 1;
            }
            let statement = source.code.get(close) == Some(&b';');
            // What is a value, or an argument, cannot be left out.
            let stands_alone =
                matches!(source.before(start), Some(b';' | b'{' | b'}' | b',' | b'>'));
            if !(stands_alone && (statement || is_macro)) {
                continue;
            }
            found.push((start, if statement { close + 1 } else { close }));
        }
        for (start, close) in found {
            self.leave_out(file, source, (start, close), edits);
        }
        self.refusals(file, source, edits);
        self.rules(file, source, edits);
        self.addresses(file, source, edits);
    }

    /// Lets a statement ask, and say when it refuses.
    fn leave_out(
        &mut self,
        file: &str,
        source: &Source,
        (start, close): (usize, usize),
        edits: &mut Vec<Edit>,
    ) {
        let number = self.site(file, source, (start, close), Kind::Check);
        let mut insert = |at, text: String| {
            edits.push(Edit {
                at,
                length: 0,
                text,
            });
        };
        let code = &source.code[start..close];
        let open = start + code.iter().position(|byte| *byte == b'(').unwrap_or(0);
        let (mut first, end) = (String::new(), close - 1);
        if code.starts_with(b"return ") {
            first = format!("ballast_clmm::mutant::differs({number}); ");
        } else if code.starts_with(b"require!") {
            if let Some([condition, ..]) = source.arguments(open).as_deref() {
                insert(
                    condition.start,
                    format!("ballast_clmm::mutant::holds({number}, "),
                );
                insert(condition.end, ")".to_owned());
            }
        } else if code.starts_with(b"require_keys_eq!") {
            if let Some([one, other, ..]) = source.arguments(open).as_deref() {
                let (one, other) = (&source.text[one.clone()], &source.text[other.clone()]);
                first = format!("ballast_clmm::mutant::holds({number}, ({one}) == ({other})); ")
                    .replace('\n', " ");
            }
        } else {
            first = format!("ballast_clmm::mutant::passes({number}, ");
            // Before the question mark.
            insert(end - 1, ")".to_owned());
        }
        insert(
            start,
            format!("if !ballast_clmm::mutant::off({number}) {{ {first}"),
        );
        let semicolon = if source.code[end] == b';' { "" } else { ";" };
        insert(close, format!("{semicolon} }}"));
    }

    /// `return err!(…)` and `return Err(…)` in a block that yields nothing.
    fn refusals(&mut self, file: &str, source: &Source, edits: &mut Vec<Edit>) {
        let places = ["return err!", "return Err"].map(|word| {
            let places = source.places_before_tests(&format!("{word}("));
            places.into_iter().map(move |at| (at, at + word.len()))
        });
        for (at, bracket) in places.into_iter().flatten() {
            let Some(mut close) = source.after_closing(bracket) else {
                continue;
            };
            if source.code.get(close) == Some(&b';') {
                close += 1;
            }
            let block = source.opening_before(at);
            let yields = block.is_none_or(|open| {
                source.code[..open].trim_ascii_end().ends_with(b"else")
                    || !matches!(source.before(at), Some(b';' | b'{' | b'}'))
            });
            if !yields {
                self.leave_out(file, source, (at, close), edits);
            }
        }
    }

    /// Pairs `(what must hold, "the rule")` of an array.
    fn rules(&mut self, file: &str, source: &Source, edits: &mut Vec<Edit>) {
        for open in source.places_before_tests("(") {
            if !matches!(source.before(open), Some(b'[' | b',')) {
                continue;
            }
            let Some(close) = source.after_closing(open) else {
                continue;
            };
            let inside = source.code[open + 1..close - 1].trim_ascii_end();
            let inside = inside.strip_suffix(b",").unwrap_or(inside);
            let Some(literal) = inside.strip_suffix(b"\"").and_then(|rest| {
                let quote = rest.iter().rposition(|byte| *byte == b'"')?;
                // Nothing but the blanked text between the quotes.
                rest[quote + 1..]
                    .iter()
                    .all(u8::is_ascii_whitespace)
                    .then_some(quote)
            }) else {
                continue;
            };
            let Some(condition) = inside[..literal].trim_ascii_end().strip_suffix(b",") else {
                continue;
            };
            let end = open + 1 + condition.len();
            let number = self.site(file, source, (open, close), Kind::Check);
            edits.push(Edit {
                at: open + 1,
                length: 0,
                text: format!(
                    "ballast_clmm::mutant::off({number}) || ballast_clmm::mutant::holds({number}, "
                ),
            });
            edits.push(Edit {
                at: end,
                length: 0,
                text: ")".to_owned(),
            });
        }
    }

    /// `#[account(address = … @ …)]`.
    fn addresses(&mut self, file: &str, source: &Source, edits: &mut Vec<Edit>) {
        for at in source.places_before_tests("address = ") {
            let Some(open) = source.opening_before(at) else {
                continue;
            };
            let (true, Some(close)) = (
                source.code[..open].ends_with(b"#[account"),
                source.after_closing(open),
            ) else {
                continue;
            };
            let field = source.text[close..]
                .split_once("pub ")
                .and_then(|(_, rest)| rest.split_once(':'));
            let Some((field, _)) = field else {
                continue;
            };
            let number = self.site(
                file,
                source,
                (open - "#[account".len(), close + 1),
                Kind::Check,
            );
            if !source.text[at..close].contains(" @ ") {
                // What Anchor answers if nothing else is said.
                edits.push(Edit {
                    at: close - 1,
                    length: 0,
                    text: ") @ anchor_lang::error::ErrorCode::ConstraintAddress".to_owned(),
                });
            }
            if let Some(end) = source.text[at..close].find(" @ ") {
                edits.push(Edit {
                    at: at + end,
                    length: 0,
                    text: ")".to_owned(),
                });
            }
            edits.push(Edit {
                at,
                length: "address = ".len(),
                text: format!(
                    "constraint = ballast_clmm::mutant::off({number}) || ballast_clmm::mutant::holds({number}, {field}.key() == "
                ),
            });
        }
    }
}
