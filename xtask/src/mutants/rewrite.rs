//! Finds guards in a source file and lets each ask whether it is switched off.

use super::source::Source;

/// A guard that can be switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its number; what the patched program file holds.
    pub number: u16,
    /// File, from the repository's root.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What becomes of it.
    pub kind: Kind,
    /// The guard, on one line.
    pub text: String,
}

/// What switching a guard off means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The check is left out.
    Check,
    /// The cap or floor is left out.
    Bound,
    /// It rounds the other way.
    Rounding,
}

impl Site {
    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// A change of the text: so many bytes from a position on are replaced.
struct Edit {
    at: usize,
    length: usize,
    text: String,
}

/// Numbers guards over several files.
#[derive(Default)]
pub struct Rewriter {
    /// All that were found.
    pub sites: Vec<Site>,
}

impl Rewriter {
    /// The text of a file of the program with its checks, bounds and roundings asking.
    pub fn program(&mut self, file: &str, text: String) -> String {
        let source = Source::new(text);
        let mut edits = Vec::new();
        self.checks(file, &source, &mut edits);
        self.bounds(file, &source, &mut edits);
        self.roundings(file, &source, "ballast_clmm::mutant", &mut edits);
        let rewritten = apply(&source, edits);
        // A trait is in scope wherever in the module it is named.
        format!("{rewritten}\n#[allow(unused_imports)]\nuse ballast_clmm::mutant::Unless as _;\n")
    }

    /// The text of a file of a library with its roundings asking. `module` is the path of the crate's `mutant` module.
    pub fn library(&mut self, file: &str, text: String, module: &str) -> String {
        let source = Source::new(text);
        let mut edits = Vec::new();
        self.roundings(file, &source, module, &mut edits);
        apply(&source, edits)
    }

    fn site(&mut self, file: &str, source: &Source, range: (usize, usize), kind: Kind) -> u16 {
        let number = self.sites.len() as u16;
        let words: Vec<_> = source.text[range.0..range.1].split_whitespace().collect();
        self.sites.push(Site {
            number,
            file: file.to_owned(),
            line: source.line(range.0),
            kind,
            text: words.join(" "),
        });
        number
    }

    /// `require!(…)`, `require_keys_eq!(…)` and statements that only call a function `require_…` or `check…` and pass its error
    /// on.
    fn checks(&mut self, file: &str, source: &Source, edits: &mut Vec<Edit>) {
        let end = source.end_of_code();
        let mut found = Vec::new();
        for name in source.places("require").into_iter().filter(|at| *at < end) {
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
            let number = self.site(file, source, (start, close), Kind::Check);
            edits.push(Edit {
                at: start,
                length: 0,
                text: format!("{{ if !ballast_clmm::mutant::off({number}) {{ "),
            });
            let semicolon = if source.code[close - 1] == b';' {
                ""
            } else {
                ";"
            };
            edits.push(Edit {
                at: close,
                length: 0,
                text: format!("{semicolon} }} }}"),
            });
        }
    }

    /// `.min(x)` and `.max(x)`.
    fn bounds(&mut self, file: &str, source: &Source, edits: &mut Vec<Edit>) {
        let end = source.end_of_code();
        for method in [".min(", ".max("] {
            for at in source.places(method).into_iter().filter(|at| *at < end) {
                let open = at + method.len() - 1;
                let Some(close) = source.after_closing(open) else {
                    continue;
                };
                if source.text[open + 1..close - 1].trim().is_empty() {
                    continue;
                }
                let number = self.site(file, source, (at, close), Kind::Bound);
                edits.push(Edit {
                    at,
                    length: method.len(),
                    text: format!("{}_unless({number}, ", &method[..4]),
                });
            }
        }
    }

    /// Functions `…_up` beside which the same file has a `…_down` with the same parameters, and the other way round.
    fn roundings(&mut self, file: &str, source: &Source, module: &str, edits: &mut Vec<Edit>) {
        let functions = functions(source);
        for function in &functions {
            let other = match function.name.strip_suffix("_up") {
                Some(stem) => format!("{stem}_down"),
                None => match function.name.strip_suffix("_down") {
                    Some(stem) => format!("{stem}_up"),
                    None => continue,
                },
            };
            let same = |candidate: &&Function| {
                candidate.name == other
                    && candidate.parameters == function.parameters
                    && candidate.returns == function.returns
            };
            if function.is_const || functions.iter().filter(same).count() != 1 {
                continue;
            }
            let names = argument_names(&function.parameters);
            let (receiver, names) = match names.split_first() {
                Some((first, rest)) if *first == "self" => ("self.", rest),
                _ => ("", &names[..]),
            };
            let range = (function.at, function.body);
            let number = self.site(file, source, range, Kind::Rounding);
            edits.push(Edit {
                at: function.body + 1,
                length: 0,
                text: format!(
                    " if {module}::off({number}) {{ return {receiver}{other}({}); }}",
                    names.join(", ")
                ),
            });
        }
    }
}

struct Function {
    name: String,
    is_const: bool,
    parameters: String,
    returns: String,
    at: usize,
    /// Position of the body's bracket.
    body: usize,
}

fn functions(source: &Source) -> Vec<Function> {
    let end = source.end_of_code();
    let mut all = Vec::new();
    for at in source.places("fn ").into_iter().filter(|at| *at < end) {
        let rest = &source.text[at + 3..];
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let open = at + 3 + name.len();
        if source.code.get(open) != Some(&b'(') {
            continue;
        }
        let Some(close) = source.after_closing(open) else {
            continue;
        };
        let Some(body) = source.code[close..]
            .iter()
            .position(|b| matches!(b, b'{' | b';'))
        else {
            continue;
        };
        let body = close + body;
        if source.code[body] != b'{' {
            continue;
        }
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = source.text[..at].rfind('\n').map_or(0, |end| end + 1);
        all.push(Function {
            name,
            is_const: source.text[line..at].contains("const "),
            parameters: squeezed(&source.text[open + 1..close - 1]),
            returns: squeezed(&source.text[close..body]),
            at,
            body,
        });
    }
    all
}

/// The names in a parameter list without patterns.
fn argument_names(parameters: &str) -> Vec<&str> {
    let mut depth = 0i32;
    parameters
        .split(|c| {
            match c {
                '(' | '[' | '<' => depth += 1,
                ')' | ']' | '>' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(|part| part.split(':').next().unwrap_or("").trim())
        .map(|name| {
            name.trim_start_matches('&')
                .trim_start_matches("mut ")
                .trim()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// Where the path begins that ends with the name at `name`: `risk::require_mode` at `risk`.
fn path_start(source: &Source, name: usize) -> usize {
    let mut start = name;
    while start >= 2 && &source.code[start - 2..start] == b"::" {
        start -= 2;
        while start > 0
            && (source.code[start - 1].is_ascii_alphanumeric() || source.code[start - 1] == b'_')
        {
            start -= 1;
        }
    }
    start
}

fn apply(source: &Source, mut edits: Vec<Edit>) -> String {
    // Stable: what is inserted first at a place stays first.
    edits.sort_by_key(|edit| edit.at);
    let mut text = String::with_capacity(source.text.len() * 2);
    let mut from = 0;
    for edit in edits {
        text.push_str(&source.text[from..edit.at]);
        text.push_str(&edit.text);
        from = edit.at + edit.length;
    }
    text.push_str(&source.text[from..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> (String, Vec<Site>) {
        let mut rewriter = Rewriter::default();
        let text = rewriter.program("a.rs", text.to_owned());
        (text, rewriter.sites)
    }

    #[test]
    fn checks_are_left_out_and_values_are_not() {
        let (text, sites) = program(
            "fn f() { require!(a(b), E); risk::require_mode(x)?; let y = require_z(x)?; g(require_w(1)?); }",
        );
        assert_eq!(sites.len(), 2, "{sites:?}");
        assert!(text.contains("{ if !ballast_clmm::mutant::off(0) { require!(a(b), E); } }"));
        assert!(text.contains("{ if !ballast_clmm::mutant::off(1) { risk::require_mode(x)?; } }"));
        assert_eq!(sites[1].text, "risk::require_mode(x)?;");
    }

    #[test]
    fn bounds_ask_and_iterators_do_not() {
        let (text, sites) = program("fn f() { a.min(b.max(c)); it.min(); }");
        assert_eq!(sites.len(), 2);
        assert!(text.contains("a.min_unless(0, b.max_unless(1, c))"));
        assert!(text.contains("it.min()"));
    }

    #[test]
    fn roundings_call_their_twin_if_there_is_one() {
        let (text, sites) = program(
            "impl A { fn x_up(&self, a: u64, b: [u8; 2]) -> R { 1 } fn x_down(&self, a: u64, b: [u8; 2]) -> R { 2 } }\n\
             fn y_up(a: u64) -> R { 3 }\nconst fn z_up() {}\nconst fn z_down() {}",
        );
        assert_eq!(sites.len(), 2);
        assert!(text.contains("if ballast_clmm::mutant::off(0) { return self.x_down(a, b); }"));
        assert!(text.contains("if ballast_clmm::mutant::off(1) { return self.x_up(a, b); }"));
    }

    #[test]
    fn tests_and_comments_are_left_alone() {
        let (text, sites) = program(
            "// require!(a, E);\n#[cfg(test)]\nmod tests { fn f() { require!(a, E); a.min(b); } }",
        );
        assert!(sites.is_empty(), "{text}");
    }
}
