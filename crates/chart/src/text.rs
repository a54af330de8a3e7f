//! How much room a text takes.

/// Family of all texts: what the reader's system has.
pub(crate) const FAMILY: &str =
    "system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif";

/// Width in pixels, rather too much than too little: the advances of DejaVu Sans, the widest of the usual faces.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

fn advance(c: char) -> f64 {
    match c {
        'i' | 'l' | 'j' | '\'' | '|' => 0.30,
        ' ' | '.' | ',' | ':' | ';' | '!' => 0.34,
        'f' | 't' | 'r' | 'I' | '(' | ')' | '[' | ']' | '/' | '-' => 0.42,
        's' | 'c' | 'z' | 'J' | '\u{00b7}' => 0.56,
        '0'..='9' | 'a'..='z' if c != 'm' && c != 'w' => 0.64,
        'm' | 'M' | 'W' | '%' => 1.0,
        'w' | '\u{2212}' | '+' | '=' | '<' | '>' | '\u{2248}' => 0.84,
        'A'..='Z' => 0.76,
        _ => 1.0,
    }
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    /// Whether they share more than an edge.
    #[cfg(test)]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}
