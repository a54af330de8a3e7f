//! What is asked of a keeper, and why it may be refused.

use ballast_view::text::utc;
use serde::Deserialize;
use serde_json::Value;
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;

use super::{
    Mode,
    record::{Applied, Override, Scope, Verb},
};

/// Least letters of a reason.
const LEAST_NOTE: usize = 3;
/// Most bytes of a reason.
const MOST_NOTE: usize = 2_000;
/// Most bytes of an idempotency key.
const MOST_KEY: usize = 128;
/// Longest time for which an override may be given; without an end it holds until somebody says otherwise.
pub const LONGEST_SECS: i64 = 366 * 86_400;

/// A checked request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// About what.
    pub scope: Scope,
    /// What is asked for.
    pub verb: Verb,
    /// Why.
    pub note: String,
    /// When it is to end by itself, Unix seconds.
    pub until_secs: Option<i64>,
    /// The mode (of the keeper, or of the position) that whoever asks believes to be in force.
    pub expect_mode: Option<Mode>,
    /// The same key is answered the same for a day, whatever happened since.
    pub key: Option<String>,
    /// By which way it came.
    pub by: String,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// A field makes no sense. 422.
    #[error("{message}")]
    BadField {
        /// Which.
        field: &'static str,
        /// What is wrong, and what to write.
        message: String,
    },
    /// Somebody else was faster. 409.
    #[error("{} now, not {}{}; look again, then decide", standing(.scope, *.found), named(.scope, *.expected), who(.latest.as_deref()))]
    ModeChanged {
        /// Of whom.
        scope: Scope,
        /// What was believed.
        expected: Mode,
        /// What is.
        found: Mode,
        /// What made it so, if an override did.
        latest: Option<Box<Override>>,
    },
    /// A file in the journal's directory says otherwise. 409.
    #[error(
        "the file `{file}` in the journal's directory holds the keeper; remove it, then try again"
    )]
    HeldByFile {
        /// Its name.
        file: &'static str,
    },
    /// The keeper has not read its journal yet. 503.
    #[error("the keeper is starting and has not read its journal yet; try again in a moment")]
    NotReady,
    /// It could not be journaled. The keeper sends nothing any more and stops. 500.
    #[error(
        "it could not be journaled ({0}); the keeper sends nothing more and stops: repair the disk, start it, ask again"
    )]
    Journal(String),
}

/// A position is paused, not halted.
fn named(scope: &Scope, mode: Mode) -> &'static str {
    match (scope, mode) {
        (Scope::Position { .. }, Mode::Halted) => "paused",
        _ => mode.name(),
    }
}

fn standing(scope: &Scope, found: Mode) -> String {
    let whose = match scope {
        Scope::Keeper => "the keeper's mode",
        Scope::Position { .. } => "the position's mode",
    };
    format!("{whose} is {}", named(scope, found))
}

fn who(latest: Option<&Override>) -> String {
    latest.map_or_else(String::new, |entry| {
        format!(" (#{} by {}: {})", entry.id, entry.by, entry.note)
    })
}

impl Refused {
    /// Its code in the API's errors.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadField { .. } => "bad_field",
            Self::ModeChanged { .. } => "mode_changed",
            Self::HeldByFile { .. } => "held_by_file",
            Self::NotReady => "not_ready",
            Self::Journal(_) => "not_journaled",
        }
    }

    /// The HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadField { .. } => 422,
            Self::ModeChanged { .. } | Self::HeldByFile { .. } => 409,
            Self::NotReady => 503,
            Self::Journal(_) => 500,
        }
    }

    /// The field that is wrong.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::BadField { field, .. } => Some(field),
            _ => None,
        }
    }
}

pub(super) fn bad(field: &'static str, message: impl Into<String>) -> Refused {
    Refused::BadField {
        field,
        message: message.into(),
    }
}

/// The body of a request, before anything is checked.
#[derive(Deserialize)]
struct Body {
    scope: Option<Value>,
    position: Option<Value>,
    mode: Option<Value>,
    note: Option<Value>,
    until_secs: Option<Value>,
    expect_mode: Option<Value>,
}

fn string(value: Option<Value>, field: &'static str) -> Result<Option<String>, Refused> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(field, format!("{field} has to be text"))),
    }
}

impl Request {
    /// Reads the body of `POST /overrides`; `key` is the `Idempotency-Key`. Fields that are not known are passed over.
    ///
    /// # Errors
    /// [`Refused::BadField`].
    pub fn parse(body: &Value, by: &str, key: Option<&str>) -> Result<Self, Refused> {
        let body: Body = Body::deserialize(body).map_err(|_| {
            bad(
                "scope",
                "the body has to be a JSON object with scope, mode and note",
            )
        })?;
        let (scope, verb) = subject(
            string(body.scope, "scope")?,
            string(body.position, "position")?,
            string(body.mode, "mode")?,
        )?;
        let until_secs = match body.until_secs {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_i64().ok_or_else(|| {
                bad(
                    "until_secs",
                    "until_secs has to be a whole number of Unix seconds",
                )
            })?),
        };
        let expect_mode = string(body.expect_mode, "expect_mode")?;
        let expect_mode = expect_mode.map(|text| mode(&text)).transpose()?;
        let request = Self {
            scope,
            verb,
            note: string(body.note, "note")?.unwrap_or_default(),
            until_secs,
            expect_mode,
            key: key.map(str::to_owned),
            by: by.to_owned(),
        };
        request.checked()
    }

    /// The request with its note trimmed, if it makes sense.
    ///
    /// # Errors
    /// [`Refused::BadField`].
    pub fn checked(mut self) -> Result<Self, Refused> {
        self.note = self.note.trim().to_owned();
        if self
            .note
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .count()
            < LEAST_NOTE
        {
            return Err(bad(
                "note",
                "say why, in three letters or more: it goes into the journal",
            ));
        }
        if self.note.len() > MOST_NOTE {
            return Err(bad(
                "note",
                format!("a reason has at most {MOST_NOTE} bytes"),
            ));
        }
        let known = match self.scope {
            Scope::Keeper => self.verb != Verb::Pause,
            Scope::Position { .. } => self.verb != Verb::Halt,
        };
        if !known {
            return Err(bad(
                "mode",
                match self.scope {
                    Scope::Keeper => "a keeper is halted, not paused: write halt, reduce or resume",
                    Scope::Position { .. } => {
                        "a position is paused, not halted: write pause, reduce or resume"
                    }
                },
            ));
        }
        if self.verb == Verb::Resume && self.until_secs.is_some() {
            return Err(bad(
                "until_secs",
                "a resume has no end: leave until_secs out",
            ));
        }
        if self
            .key
            .as_ref()
            .is_some_and(|key| key.is_empty() || key.len() > MOST_KEY)
        {
            return Err(bad(
                "Idempotency-Key",
                format!("a key has 1 to {MOST_KEY} bytes"),
            ));
        }
        Ok(self)
    }

    /// Whether the end makes sense at this time.
    pub(super) fn check_end(&self, now_secs: i64) -> Result<(), Refused> {
        let Some(until) = self.until_secs else {
            return Ok(());
        };
        if until <= now_secs {
            return Err(bad(
                "until_secs",
                format!("{} is past: it is {}", utc(until), utc(now_secs)),
            ));
        }
        if until > now_secs.saturating_add(LONGEST_SECS) {
            return Err(bad(
                "until_secs",
                "at most a year ahead; leave it out for no end",
            ));
        }
        Ok(())
    }

    /// Whether it is what was answered under the same key before.
    pub(super) fn require_same(&self, applied: &Applied) -> Result<(), Refused> {
        let entry = &applied.entry;
        let same = (self.scope, self.verb, &self.note, self.until_secs)
            == (entry.scope, entry.mode, &entry.note, entry.until_secs);
        if same {
            return Ok(());
        }
        Err(bad(
            "Idempotency-Key",
            format!(
                "this key was used for another request (#{}); take a new one",
                entry.id
            ),
        ))
    }
}

/// Scope and verb of a request, or of a preview.
///
/// # Errors
/// [`Refused::BadField`].
pub fn subject(
    scope: Option<String>,
    position: Option<String>,
    verb: Option<String>,
) -> Result<(Scope, Verb), Refused> {
    let scope = match scope.as_deref() {
        Some("keeper") => Scope::Keeper,
        Some("position") => {
            let address = position.as_deref().unwrap_or_default();
            let position: Pubkey = address
                .parse()
                .map_err(|_| bad("position", "name the position's address, in base58"))?;
            Scope::Position { position }
        }
        _ => return Err(bad("scope", "scope is `keeper` or `position`")),
    };
    let verb = match verb.as_deref() {
        Some("halt") => Verb::Halt,
        Some("reduce") => Verb::Reduce,
        Some("pause") => Verb::Pause,
        Some("resume") => Verb::Resume,
        _ => {
            return Err(bad(
                "mode",
                "mode is `halt` (keeper), `pause` (position), `reduce` or `resume`",
            ));
        }
    };
    Ok((scope, verb))
}

/// A mode by its name. A position that is paused is what a keeper that is halted is.
fn mode(text: &str) -> Result<Mode, Refused> {
    if text == "paused" {
        return Ok(Mode::Halted);
    }
    let mut modes = Mode::ALL.into_iter();
    modes.find(|mode| mode.name() == text).ok_or_else(|| {
        bad(
            "expect_mode",
            "expect_mode is observe, paper, reducing, active, halted or paused",
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const A: &str = "So11111111111111111111111111111111111111112";

    fn parse(body: Value) -> Result<Request, Refused> {
        Request::parse(&body, "test", None)
    }

    #[test]
    fn every_field_is_read() {
        let body = json!({
            "scope": "position", "position": A, "mode": "pause", "note": "  thin book \n", "until_secs": 1_900_000_000,
            "expect_mode": "active", "colour": "of a later version",
        });
        let expected = Request {
            scope: Scope::Position {
                position: A.parse().unwrap(),
            },
            verb: Verb::Pause,
            note: "thin book".into(),
            until_secs: Some(1_900_000_000),
            expect_mode: Some(Mode::Active),
            key: Some("k".into()),
            by: "dashboard".into(),
        };
        assert_eq!(
            Request::parse(&body, "dashboard", Some("k")).unwrap(),
            expected
        );
        let least =
            parse(json!({ "scope": "keeper", "mode": "halt", "note": "why", "position": null }))
                .unwrap();
        assert_eq!(
            (least.scope, least.verb, least.until_secs),
            (Scope::Keeper, Verb::Halt, None)
        );
        let paused = parse(
            json!({ "scope": "keeper", "mode": "resume", "note": "why", "expect_mode": "paused" }),
        );
        assert_eq!(paused.unwrap().expect_mode, Some(Mode::Halted));
    }

    #[test]
    fn every_mistake_names_its_field() {
        let halt = json!({ "scope": "keeper", "mode": "halt", "note": "why" });
        for (field, value) in [
            ("scope", json!("world")),
            ("scope", json!(null)),
            ("scope", json!(7)),
            ("mode", json!("stop")),
            ("mode", json!("pause")),
            ("mode", json!(["halt"])),
            ("note", json!("ab")),
            ("note", json!(" a b ")),
            ("note", json!(null)),
            ("note", json!("x".repeat(2_001))),
            ("until_secs", json!("soon")),
            ("until_secs", json!(1.5)),
            ("until_secs", json!(u64::MAX)),
            ("expect_mode", json!("busy")),
        ] {
            let mut body = halt.clone();
            body[field] = value;
            let refused = parse(body.clone()).unwrap_err();
            assert_eq!(refused.field(), Some(field), "{body}: {refused}");
            assert_eq!((refused.status(), refused.code()), (422, "bad_field"));
        }
        for (field, body) in [
            (
                "position",
                json!({ "scope": "position", "mode": "pause", "note": "why" }),
            ),
            (
                "position",
                json!({ "scope": "position", "position": "xyz", "mode": "pause", "note": "why" }),
            ),
            (
                "mode",
                json!({ "scope": "position", "position": A, "mode": "halt", "note": "why" }),
            ),
            (
                "until_secs",
                json!({ "scope": "keeper", "mode": "resume", "note": "why", "until_secs": 5 }),
            ),
            ("scope", json!("halt")),
            ("scope", json!([])),
        ] {
            assert_eq!(
                parse(body.clone()).unwrap_err().field(),
                Some(field),
                "{body}"
            );
        }
        for key in ["", &"k".repeat(129)] {
            let refused = Request::parse(&halt, "test", Some(key)).unwrap_err();
            assert_eq!(refused.field(), Some("Idempotency-Key"));
        }
    }

    #[test]
    fn an_end_is_ahead_and_not_for_ever() {
        let request = |until_secs| Request {
            until_secs,
            ..parse(json!({ "scope": "keeper", "mode": "halt", "note": "why" })).unwrap()
        };
        for (until, good) in [
            (None, true),
            (Some(1_001), true),
            (Some(1_000), false),
            (Some(-5), false),
            (Some(1_000 + LONGEST_SECS), true),
            (Some(1_001 + LONGEST_SECS), false),
            (Some(i64::MAX), false),
        ] {
            assert_eq!(request(until).check_end(1_000).is_ok(), good, "{until:?}");
        }
    }
}
