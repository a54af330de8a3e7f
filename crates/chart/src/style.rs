//! Colours, for readers in light and in dark rooms.

use std::fmt::Write as _;

use crate::text::FAMILY;

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The first series; the others are told from it by hue and lightness.
    Blue,
    /// The second series.
    Orange,
    /// The third series.
    Teal,
    /// The fourth series.
    Violet,
    /// Something good.
    Good,
    /// Something that wants attention.
    Warn,
    /// Something bad.
    Bad,
    /// Background information.
    Muted,
    /// As text.
    Ink,
}

/// Name, on light, on dark.
const COLOURS: [(&str, &str, &str); 12] = [
    ("surface", "#ffffff", "#14171c"),
    ("ink", "#1b1f24", "#e8eaed"),
    ("muted", "#646b75", "#9aa3af"),
    ("grid", "#e3e6ea", "#2a2f37"),
    ("blue", "#2160c4", "#6aa5ff"),
    ("orange", "#c2570c", "#f29a4e"),
    ("teal", "#0b7f71", "#3cc4af"),
    ("violet", "#7a45c9", "#b795ff"),
    ("good", "#1a7f37", "#4ac26b"),
    ("warn", "#9a6700", "#d9a72c"),
    ("bad", "#c62828", "#ff7a70"),
    ("halo", "#ffffff", "#14171c"),
];

impl Tone {
    /// Its name in style sheets.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Orange => "orange",
            Self::Teal => "teal",
            Self::Violet => "violet",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Muted => "muted",
            Self::Ink => "ink",
        }
    }
}

/// The variables, once for light and once for dark.
pub(crate) fn variables(selector: &str) -> String {
    let set = |of: fn(&(&str, &str, &'static str)) -> &'static str| {
        let mut text = String::new();
        for colour in &COLOURS {
            let _ = write!(text, "--{}:{};", colour.0, of(colour));
        }
        text
    };
    let light = COLOURS.iter().fold(String::new(), |mut text, colour| {
        let _ = write!(text, "--{}:{};", colour.0, colour.1);
        text
    });
    let dark = set(|colour| colour.2);
    format!(
        "{selector}{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{{selector}{{{dark}}}}}"
    )
}

/// Rules of the classes that pictures use. Each colour comes twice: programs that know no variables take the first, light one.
pub(crate) fn rules() -> String {
    let mut rules = String::new();
    for (name, light, _) in &COLOURS {
        let _ = write!(
            rules,
            ".f-{name}{{fill:{light};fill:var(--{name},{light})}}.s-{name}{{stroke:{light};stroke:var(--{name},{light})}}"
        );
    }
    let _ = write!(
        rules,
        ".chart text{{font-family:{FAMILY}}}.line{{fill:none;stroke-width:2;stroke-linejoin:round}}\
         .hair{{stroke-width:1}}.dash{{stroke-dasharray:5 4}}.area{{fill-opacity:.16}}.region{{fill-opacity:.10}}.bar{{fill-opacity:.75}}\
         .label{{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}}.title{{font-weight:600}}"
    );
    rules
}
