//! Just enough of Rust's syntax to find where calls end: brackets, strings, characters, comments.

use std::ops::Range;

/// Source text with what cannot hold code, comments and literals, blanked out, byte for byte.
pub struct Source {
    /// As written.
    pub text: String,
    /// The same length; comments and contents of literals are spaces.
    pub code: Vec<u8>,
}

impl Source {
    pub fn new(text: String) -> Self {
        let code = blanked(text.as_bytes());
        Self { text, code }
    }

    /// Where the tests of the file begin, or its end.
    pub fn end_of_code(&self) -> usize {
        self.text.find("#[cfg(test)]").unwrap_or(self.text.len())
    }

    /// The position after the bracket that closes the one at `open`.
    pub fn after_closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (at, byte) in self.code.iter().enumerate().skip(open) {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Where the arguments of a call are whose bracket opens at `open`, without the white space around them.
    pub fn arguments(&self, open: usize) -> Option<Vec<Range<usize>>> {
        let end = self.after_closing(open)? - 1;
        let mut cuts = vec![open];
        let mut depth = 0usize;
        for at in open + 1..end {
            match self.code[at] {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
                b',' if depth == 0 => cuts.push(at),
                _ => {}
            }
        }
        cuts.push(end);
        let argument = |cut: &[usize]| {
            let text = &self.text[cut[0] + 1..cut[1]];
            let start = cut[0] + 1 + text.len() - text.trim_start().len();
            start..start + text.trim().len()
        };
        Some(cuts.windows(2).map(argument).collect())
    }

    /// Every place of `word`, not as a part of a longer identifier, in code.
    pub fn places(&self, word: &str) -> Vec<usize> {
        let bytes = word.as_bytes();
        let ident =
            |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let starts_ident = bytes.first().is_some_and(|b| b.is_ascii_alphabetic());
        (0..self.code.len().saturating_sub(bytes.len()))
            .filter(|at| self.code[*at..].starts_with(bytes))
            .filter(|at| !(starts_ident && *at > 0 && ident(self.code.get(*at - 1))))
            .collect()
    }

    /// Every place of `word` in code that is no test.
    pub fn places_before_tests(&self, word: &str) -> Vec<usize> {
        let end = self.end_of_code();
        let mut places = self.places(word);
        places.retain(|at| *at < end);
        places
    }

    /// The innermost bracket that is open at a position.
    pub fn opening_before(&self, at: usize) -> Option<usize> {
        let mut closed = 0usize;
        for (at, byte) in self.code[..at].iter().enumerate().rev() {
            match byte {
                b')' | b']' | b'}' => closed += 1,
                b'(' | b'[' | b'{' if closed == 0 => return Some(at),
                b'(' | b'[' | b'{' => closed -= 1,
                _ => {}
            }
        }
        None
    }

    /// The last byte of code before a position that is no white space.
    pub fn before(&self, at: usize) -> Option<u8> {
        self.code[..at]
            .iter()
            .rev()
            .copied()
            .find(|byte| !byte.is_ascii_whitespace())
    }

    /// The number of the line that holds a position, from 1.
    pub fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
    }
}

fn blanked(text: &[u8]) -> Vec<u8> {
    let mut code = text.to_vec();
    let mut at = 0;
    let blank = |code: &mut Vec<u8>, from: usize, to: usize| {
        for byte in &mut code[from..to.min(text.len())] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    };
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(b"//") {
            let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            blank(&mut code, at, at + end);
            at += end;
        } else if rest.starts_with(b"\"") {
            let end = string_end(rest);
            blank(&mut code, at + 1, (at + end).saturating_sub(1));
            at += end;
        } else if rest.starts_with(b"'")
            && (rest.get(2) == Some(&b'\'') || rest.get(1) == Some(&b'\\'))
        {
            let end = 2 + rest[2..].iter().position(|b| *b == b'\'').unwrap_or(0) + 1;
            blank(&mut code, at, at + end);
            at += end;
        } else {
            at += 1;
        }
    }
    code
}

/// Length of the string literal that `rest` begins with.
fn string_end(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_end_where_their_bracket_closes() {
        let source = Source::new("f(\")\", ')', [1] /* x */); // )\ng()".into());
        assert_eq!(source.places("f("), [0]);
        let end = source.after_closing(1).unwrap();
        assert_eq!(&source.text[end..end + 1], ";");
        assert_eq!(source.line(end), 1);
        assert_eq!(source.places("g(").len(), 1);
        assert_eq!(source.opening_before(end), None);
        assert_eq!(source.opening_before(5), Some(1));
    }

    #[test]
    fn arguments_end_at_their_own_commas() {
        let source = Source::new("f!(a(b, c), [d, e] == \",\", g)".into());
        let arguments = source.arguments(2).unwrap();
        let texts: Vec<_> = arguments.into_iter().map(|it| &source.text[it]).collect();
        assert_eq!(texts, ["a(b, c)", "[d, e] == \",\"", "g"]);
    }

    #[test]
    fn parts_of_identifiers_comments_and_strings_are_no_places() {
        let source =
            Source::new("xmin(a); // min(b)\nlet s = \"min(c)\"; min(d); 'min: loop {}".into());
        assert_eq!(source.places("min(").len(), 1);
        assert_eq!(source.before(0), None);
    }
}
