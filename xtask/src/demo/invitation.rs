//! What the demo with `--stay` prints after the story: where the keeper's page is, and what to try.
use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};

/// Before the page's address.
const BEGINS: &str = "Node, price, lenders, ";

/// What a reader is invited to.
#[derive(Debug, PartialEq)]
pub struct Invitation {
    /// Where the keeper serves its page.
    pub server: SocketAddr,
    /// What the page's address has for it.
    pub token: String,
    /// Lines for the shell before the commands.
    pub setup: Vec<String>,
    /// The commands, with what is said of them.
    pub commands: Vec<String>,
}

impl Invitation {
    /// Whether all of it has been printed: an empty line ends the commands.
    pub fn is_whole(printed: &str) -> bool {
        let lines = lines(printed);
        let mut from_commands = lines.skip_while(|line| !line.starts_with("ballast "));
        from_commands.any(str::is_empty)
    }

    /// Reads it.
    pub fn read(printed: &str) -> Result<Self> {
        let begin =
            |start: &'static str| lines(printed).filter(move |line| line.starts_with(start));
        let page = begin("http://").next().context("it has no page")?;
        let (server, token) = page
            .trim_start_matches("http://")
            .split_once("/#token=")
            .with_context(|| format!("the page's address has no token: {page:?}"))?;
        let owned = |start| begin(start).map(str::to_owned).collect::<Vec<_>>();
        let invitation = Self {
            server: server
                .parse()
                .with_context(|| format!("the page's address has no host and port: {page:?}"))?,
            token: token.to_owned(),
            setup: [owned("export "), owned("alias ")].concat(),
            commands: owned("ballast "),
        };
        ensure!(!token.is_empty(), "the token of {page:?} is empty");
        ensure!(
            !invitation.commands.is_empty(),
            "it has no commands after {BEGINS:?}"
        );
        Ok(invitation)
    }

    /// What a variable for the commands is set to.
    pub fn variable(&self, name: &str) -> Result<&str> {
        let mut words = self.setup.iter().flat_map(|line| line.split_whitespace());
        let found = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let Some(value) = found else {
            bail!("no {name} is exported: {:?}", self.setup);
        };
        Ok(value)
    }
}

/// The lines of the invitation; none before it.
fn lines(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().skip_while(|line| !line.starts_with(BEGINS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
the keeper's page, on which the story is live: http://127.0.0.1:1/#token=aa

quote tokens

report: report.json

Node, price, lenders, four positions and the keeper go on; Ctrl-C ends them. Open the keeper's page:

http://127.0.0.1:4000/#token=bb

In another terminal:

export BALLAST_URL=http://127.0.0.1:1 BALLAST_MARKET=Market
alias ballast=a/ballast

ballast positions       # three
ballast explain Address   # why

200.00  rehedge: why
";

    #[test]
    fn it_is_read_from_what_the_demo_prints() {
        let invitation = Invitation::read(PRINTED).unwrap();
        assert_eq!(invitation.server, "127.0.0.1:4000".parse().unwrap());
        assert_eq!(invitation.token, "bb");
        assert_eq!(invitation.commands.len(), 2);
        assert_eq!(invitation.setup.len(), 2);
        assert_eq!(invitation.variable("BALLAST_MARKET").unwrap(), "Market");
        assert!(invitation.variable("BALLAST").is_err());
    }

    #[test]
    fn it_is_whole_with_the_empty_line_after_its_commands() {
        let end = PRINTED.find("# why\n").unwrap() + 6;
        assert!(!Invitation::is_whole(&PRINTED[..end]));
        assert!(Invitation::is_whole(&PRINTED[..=end]));
    }

    #[test]
    fn without_page_token_or_commands_it_is_none() {
        for (from, to) in [
            ("http://127.0.0.1:4000", "http://nowhere"),
            ("http://127.0.0.1:4000", ""),
            ("#token=bb", "#token="),
            ("#token=bb", ""),
            ("ballast ", "other "),
            ("Node, price", "No node"),
        ] {
            let printed = PRINTED.replace(from, to);
            assert!(Invitation::read(&printed).is_err(), "{from:?} {to:?}");
        }
    }
}
