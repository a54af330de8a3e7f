//! `ballast halt | reduce | pause | resume`: what a person tells a running keeper, or leaves for the next one.

mod api;
mod place;
mod report;

use std::{
    io,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use ballast_client::Pubkey;
use ballast_keeper::control::{Mode, Request, Scope, Verb, files};
use clap::Args;
use serde_json::{Value, json};

use self::{
    api::{Answer, Api},
    place::Place,
    report::{Done, Left, Report},
};
use crate::{
    address::address,
    consent::{Agreed, NotAgreed, Plan},
    globals::Globals,
    report::Output,
    time::Time,
    trouble::misuse,
};

/// What is told to a keeper as a whole.
#[derive(Args, Debug)]
pub struct KeeperArgs {
    #[command(flatten)]
    word: WordArgs,
}

/// What is told to a keeper, as a whole or for one position.
#[derive(Args, Debug)]
pub struct EitherArgs {
    /// Only for this position
    #[arg(value_name = "POSITION", value_parser = address)]
    position: Option<Pubkey>,
    #[command(flatten)]
    word: WordArgs,
}

/// What is told to a keeper for one position.
#[derive(Args, Debug)]
pub struct PositionArgs {
    /// The position
    #[arg(value_name = "POSITION", value_parser = address)]
    position: Pubkey,
    #[command(flatten)]
    word: WordArgs,
}

#[derive(Args, Debug)]
struct WordArgs {
    /// Why: it goes into the keeper's journal, for whoever finds it so
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// End by itself after this time, like 90s, 30m, 12h or 7d; for a keeper whose API answers
    #[arg(long, value_name = "DURATION")]
    until: Option<Time>,
    /// The mode that you see now; if it is another by then, nothing is changed
    #[arg(long, value_name = "MODE", value_parser = mode)]
    expect: Option<Mode>,
    /// The keeper's configuration (TOML): it says where the journal and the keeper's address are
    #[arg(
        long,
        value_name = "FILE",
        env = "BALLAST_KEEPER_CONFIG",
        required_unless_present = "journal_dir"
    )]
    config: Option<PathBuf>,
    /// The keeper's journal directory, in place of --config
    #[arg(long, value_name = "DIR")]
    journal_dir: Option<PathBuf>,
    /// Address of the keeper's API [default: the configuration's, or http://127.0.0.1:9464]
    #[arg(long, value_name = "URL")]
    api: Option<String>,
}

fn mode(text: &str) -> Result<Mode, String> {
    let mut modes = Mode::ALL.into_iter();
    match text {
        "paused" => Ok(Mode::Halted),
        _ => modes
            .find(|mode| mode.name() == text)
            .ok_or_else(|| "write observe, paper, reducing, active, halted or paused".to_owned()),
    }
}

/// What is asked, of whom.
struct Word<'a> {
    verb: Verb,
    position: Option<Pubkey>,
    args: &'a WordArgs,
    globals: &'a Globals,
}

/// Halts.
///
/// # Errors
/// See [`Word::say`].
pub async fn halt(args: &KeeperArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    Word::new(Verb::Halt, None, &args.word, globals)
        .say(output)
        .await
}

/// Reduces.
///
/// # Errors
/// See [`Word::say`].
pub async fn reduce(args: &EitherArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    Word::new(Verb::Reduce, args.position, &args.word, globals)
        .say(output)
        .await
}

/// Pauses.
///
/// # Errors
/// See [`Word::say`].
pub async fn pause(args: &PositionArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    Word::new(Verb::Pause, Some(args.position), &args.word, globals)
        .say(output)
        .await
}

/// Resumes.
///
/// # Errors
/// See [`Word::say`].
pub async fn resume(args: &EitherArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    Word::new(Verb::Resume, args.position, &args.word, globals)
        .say(output)
        .await
}

impl<'a> Word<'a> {
    fn new(verb: Verb, position: Option<Pubkey>, args: &'a WordArgs, globals: &'a Globals) -> Self {
        Self {
            verb,
            position,
            args,
            globals,
        }
    }

    /// Tells the keeper. Where none answers, a halt or a reduction is left as a file.
    ///
    /// # Errors
    /// What the keeper refuses; what nobody agreed to; what cannot be left as a file.
    async fn say(&self, output: &mut Output) -> Result<()> {
        ensure!(
            self.verb != Verb::Resume || self.args.until.is_none(),
            misuse!("a resume has no end: leave --until out")
        );
        self.reason()?;
        let place = self.place()?;
        let directory = place.journal_dir;
        let url = self.args.api.clone().or(place.api);
        match Api::open(&directory, url.as_deref()) {
            Ok(api) => self.ask(&api, &directory, output).await,
            Err(error) => self.leave(&directory, &format!("{error:#}"), output),
        }
    }

    fn place(&self) -> Result<Place> {
        match (&self.args.journal_dir, &self.args.config) {
            (Some(directory), _) => Ok(Place {
                journal_dir: directory.clone(),
                api: None,
            }),
            (None, Some(path)) => Place::read(path),
            (None, None) => bail!(misuse!("name --config or --journal-dir")),
        }
    }

    /// What the API would refuse is refused for a file as well.
    fn reason(&self) -> Result<String> {
        let request = Request {
            scope: self
                .position
                .map_or(Scope::Keeper, |position| Scope::Position { position }),
            verb: self.verb,
            note: self.args.reason.clone(),
            until_secs: None,
            expect_mode: None,
            key: None,
            by: "cli".to_owned(),
        };
        match request.checked() {
            Ok(request) => Ok(request.note),
            Err(refused) => bail!(misuse!("--reason {:?}: {refused}", self.args.reason)),
        }
    }

    fn subject(&self) -> Value {
        let mut body = json!({ "scope": "keeper", "mode": self.verb.name() });
        if let Some(position) = self.position {
            body["scope"] = "position".into();
            body["position"] = position.to_string().into();
        }
        body
    }

    fn raises_risk(&self) -> bool {
        matches!(self.verb, Verb::Halt | Verb::Pause)
    }

    async fn ask(&self, api: &Api, directory: &std::path::Path, output: &mut Output) -> Result<()> {
        // What was agreed to beforehand is not kept waiting by a keeper that is slow to say what is at stake.
        if self.raises_risk() && !self.globals.yes {
            let stake = match api.post("overrides/preview", &self.subject(), None).await {
                Answer::Done(preview) => report::stake(&preview),
                Answer::Refused(error) => return Err(error),
                Answer::Unreached(why) => {
                    format!("The keeper does not say what is at stake ({why}).")
                }
            };
            self.agreed(&stake)?;
        }
        let mut body = self.subject();
        body["note"] = self.args.reason.as_str().into();
        if let Some(Time(secs)) = self.args.until {
            body["until_secs"] = (now_secs()? + i64::from(secs)).into();
        }
        if let Some(expected) = self.args.expect {
            body["expect_mode"] = expected.name().into();
        }
        match api.post("overrides", &body, Some(&api::new_key())).await {
            Answer::Done(entry) => output.print(&Report::Done(Done::new(entry))),
            Answer::Refused(error) => Err(error),
            Answer::Unreached(why) => self.leave(directory, &why, output),
        }
    }

    /// Leaves a file, if that says the same.
    fn leave(&self, directory: &std::path::Path, why: &str, output: &mut Output) -> Result<()> {
        let no_file = |what: &str| {
            format!(
                "no keeper was reached ({why}), and {what}; start it, or pass with --api or --config where it answers"
            )
        };
        let has_journal = has_journal(directory).with_context(|| {
            format!(
                "no keeper was reached ({why}), and {} cannot be looked into: run this as the keeper's user",
                directory.display()
            )
        })?;
        ensure!(
            has_journal,
            misuse!(
                "no keeper was reached ({why}), and {} holds no keeper's journal, so that nobody would follow: name the journal_dir of \
                 the keeper's configuration, or pass it with --config",
                directory.display()
            )
        );
        ensure!(
            self.position.is_none(),
            no_file("a file can only halt or reduce a keeper as a whole")
        );
        if self.verb == Verb::Resume {
            let there = files::present(directory);
            let files = match there.as_slice() {
                [] => String::new(),
                files => format!(
                    " (remove {} from {} before that)",
                    files.join(" and "),
                    directory.display()
                ),
            };
            bail!(no_file(&format!(
                "what it has journaled it holds until it is told{files}"
            )));
        }
        ensure!(
            self.args.until.is_none(),
            no_file("a file has no end: leave --until out to write one")
        );
        ensure!(
            self.args.expect.is_none(),
            no_file("its mode cannot be told: leave --expect out to write a file")
        );
        if self.raises_risk() && !self.globals.yes {
            self.agreed(&format!(
                "No keeper was reached ({why}), so that it cannot be told what is at stake. A file will halt the keeper of {}.",
                directory.display()
            ))?;
        }
        let path = files::place(directory, self.verb, &self.reason()?).with_context(|| {
            format!(
                "no keeper was reached ({why}), and no file can be written into {}",
                directory.display()
            )
        })?;
        output.print(&Report::Left(Left::new(path, self.verb, why)))
    }

    /// Asks about what raises risk.
    fn agreed(&self, stake: &str) -> Result<Agreed, NotAgreed> {
        let what = match self.verb {
            Verb::Pause => "pausing a position raises risk",
            _ => "halting the keeper raises risk",
        };
        let plan = Plan::new(what);
        let plan = match self.position {
            Some(position) => plan.line("position", position),
            None => plan,
        };
        plan.lines(stake).agreed(self.globals)
    }
}

/// Whether a keeper keeps its journal there, or has: it leaves its lock before it writes anything.
fn has_journal(directory: &std::path::Path) -> io::Result<bool> {
    for name in ["lock", "journal.jsonl"] {
        match std::fs::metadata(directory.join(name)) {
            Ok(found) if found.is_file() => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            _ => {}
        }
    }
    Ok(false)
}

fn now_secs() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_secs())?)
}
