//! Elements as text.

use std::fmt::Write as _;

/// Text as it stands in XML: its special characters as entities; what XML does not allow at all is left out.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | ' '.. if !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{7f}'..='\u{9f}') => {
                escaped.push(c);
            }
            _ => {}
        }
    }
    escaped
}

/// A coordinate, to a hundredth of a pixel, within what renderers stand.
pub(crate) fn px(value: f64) -> String {
    let value = if value.is_finite() {
        value.clamp(-1e6, 1e6)
    } else {
        0.0
    };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".into()
    } else {
        text.into()
    }
}

/// A text with its place.
pub(crate) struct Label<'a> {
    pub at: (f64, f64),
    pub size: f64,
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
    pub class: &'a str,
    pub text: &'a str,
}

/// Grows an SVG.
#[derive(Debug, Default)]
pub(crate) struct Svg {
    pub text: String,
}

impl Svg {
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = write!(
            self.text,
            r#"<line class="{class}" x1="{}" y1="{}" x2="{}" y2="{}"/>"#,
            px(x1),
            px(y1),
            px(x2),
            px(y2)
        );
    }

    /// With a text that shows where the pointer rests.
    pub fn rect(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        tip: &str,
    ) {
        let _ = write!(
            self.text,
            r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}""#,
            px(x),
            px(y),
            px(width.max(0.0)),
            px(height.max(0.0))
        );
        if tip.is_empty() {
            self.raw("/>");
        } else {
            let _ = write!(self.text, "><title>{}</title></rect>", escape(tip));
        }
    }

    pub fn path(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>, close: bool) {
        let mut data = String::new();
        for (x, y) in points {
            let _ = write!(
                data,
                "{}{},{}",
                if data.is_empty() { "M" } else { " L" },
                px(x),
                px(y)
            );
        }
        if data.is_empty() {
            return;
        }
        let end = if close { "Z" } else { "" };
        let _ = write!(self.text, r#"<path class="{class}" d="{data}{end}"/>"#);
    }

    pub fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64, tip: &str) {
        let _ = write!(
            self.text,
            r#"<circle class="{class}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>"#,
            px(x),
            px(y),
            px(radius),
            escape(tip)
        );
    }

    pub fn label(&mut self, label: &Label) {
        let _ = write!(
            self.text,
            r#"<text class="{}" x="{}" y="{}" font-size="{}" text-anchor="{}">{}</text>"#,
            label.class,
            px(label.at.0),
            px(label.at.1),
            px(label.size),
            label.anchor,
            escape(label.text)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_element() {
        assert_eq!(
            escape("a<b>&\"c'\u{0}\u{1b}\u{e9}\u{2212}"),
            "a&lt;b&gt;&amp;&quot;c&#39;\u{e9}\u{2212}"
        );
        assert_eq!(
            (px(1.0), px(-0.001), px(2.345), px(f64::NAN)),
            ("1".into(), "0".into(), "2.35".into(), "0".into())
        );
        assert_eq!(px(f64::INFINITY), "0");
    }
}
