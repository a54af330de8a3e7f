//! What each chapter of the built-in path is there to show, by what both positions are worth at its end.

use anyhow::{Context, Result, ensure};

use crate::report::Moment;

/// A chapter: what was before it, and its moments.
struct Chapter<'a> {
    name: &'a str,
    before: &'a Moment,
    moments: &'a [Moment],
}

/// Checks that each chapter shows what its title says. `pauses`: time passes as the path says, so that the owner's pauses between a
/// keeper's swaps count; without them every step is hedged before leverage has risen.
///
/// # Errors
/// What a chapter does not show, with the values.
pub fn check(moments: &[Moment], pauses: bool) -> Result<()> {
    let chop = Chapter::find(moments, "chop")?;
    for (whose, [start, end]) in [("kept", chop.kept()), ("unkept", chop.unkept())] {
        ensure!(
            end > start,
            "the chop should pay, but the {whose} position goes from {start} to {end}"
        );
    }

    let trend = Chapter::find(moments, "trend")?;
    trend.shows(&["recenter"])?;
    trend.costs_no_larger_part_with_a_keeper()?;

    let crash = Chapter::find(moments, "crash")?;
    let calm = Chapter::find(moments, "calm")?;
    if pauses {
        crash.shows(&["deleverage", "deleverage_swap"])?;
        for kind in ["rehedge", "recenter"] {
            ensure!(
                !crash.has(&[kind]),
                "the crash should be over before keepers may trade again, but it shows a {kind}"
            );
        }
        calm.shows(&["rehedge", "recenter"])?;
    }

    let gap = Chapter::find(moments, "gap")?;
    gap.shows(&["recenter"])?;
    gap.costs_no_larger_part_with_a_keeper()
}

impl<'a> Chapter<'a> {
    /// By the first word of its title.
    fn find(moments: &'a [Moment], name: &'a str) -> Result<Self> {
        let begins = |moment: &Moment| {
            let title = moment.chapter.unwrap_or_default();
            title.split(':').next() == Some(name)
        };
        let start = moments.iter().position(begins);
        let start = start.with_context(|| format!("there is no chapter `{name}`"))?;
        let later = &moments[start + 1..];
        let more = later.iter().take_while(|moment| moment.chapter.is_none());
        let before = start.checked_sub(1).and_then(|index| moments.get(index));
        Ok(Self {
            name,
            before: before.with_context(|| format!("nothing is before the {name}"))?,
            moments: &moments[start..=start + more.count()],
        })
    }

    /// Equity before it and at its end, in quote tokens.
    fn kept(&self) -> [f64; 2] {
        self.ends(|moment| moment.with_keeper)
    }

    fn unkept(&self) -> [f64; 2] {
        self.ends(|moment| moment.without_keeper)
    }

    fn ends(&self, equity: fn(&Moment) -> f64) -> [f64; 2] {
        [self.before, self.moments.last().unwrap_or(self.before)].map(equity)
    }

    /// Whether the keeper did one of these in it.
    fn has(&self, kinds: &[&str]) -> bool {
        let done = self.moments.iter().flat_map(|moment| &moment.actions);
        let mut names = done.filter_map(|action| Some(action.split_once(':')?.0));
        names.any(|name| kinds.contains(&name))
    }

    fn shows(&self, kinds: &[&str]) -> Result<()> {
        ensure!(
            self.has(kinds),
            "the {} should show a {}, but the keeper made none there",
            self.name,
            kinds.join(" or ")
        );
        Ok(())
    }

    /// Parts of equity: what is left of a position that was liquidated is smaller.
    fn costs_no_larger_part_with_a_keeper(&self) -> Result<()> {
        let [kept, unkept] = [self.kept(), self.unkept()].map(|[start, end]| 1.0 - end / start);
        ensure!(
            kept <= unkept,
            "the {} takes {:.2} % of the kept position's equity, and {:.2} % of the other's",
            self.name,
            kept * 100.0,
            unkept * 100.0
        );
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A story as it should be: title, equity with and without, actions.
    pub(crate) fn story() -> Vec<Moment> {
        let moment = |chapter, with_keeper, without_keeper, actions: &[&str]| Moment {
            time: String::new(),
            chapter,
            price: 200.0,
            with_keeper,
            without_keeper,
            secs: 1.0,
            liquidated: false,
            actions: actions.iter().map(|&action| action.into()).collect(),
        };
        vec![
            moment(None, 100.0, 100.0, &[]),
            moment(Some("chop: pays"), 100.2, 100.2, &["compound: why"]),
            moment(None, 101.4, 101.4, &[]),
            moment(Some("trend: up"), 101.2, 95.0, &["rehedge: why"]),
            moment(None, 97.6, 56.7, &["rehedge: why", "recenter: why"]),
            moment(Some("crash: soon"), 95.0, 60.0, &["still due: rehedge"]),
            moment(None, 82.6, 66.5, &["deleverage: why"]),
            moment(Some("calm: over"), 83.3, 66.0, &["recenter: why"]),
            moment(Some("gap: a jump"), 77.8, 61.3, &["recenter: why"]),
            moment(Some("and on"), 78.2, 61.2, &[]),
        ]
    }

    #[test]
    fn each_chapter_has_to_show_what_it_says() {
        check(&story(), true).unwrap();
        type Change = fn(&mut Vec<Moment>);
        let changes: [(Change, &str); 11] = [
            (
                |story| story[2].with_keeper = 99.9,
                "kept position goes from 100 to 99.9",
            ),
            (
                |story| story[2].without_keeper = 100.0,
                "unkept position goes from 100 to 100",
            ),
            (
                |story| story[4].actions.truncate(1),
                "the trend should show a recenter",
            ),
            (
                |story| story[4].with_keeper = 56.0,
                "the trend takes 44.77 %",
            ),
            (
                |story| story[6].actions.clear(),
                "the crash should show a deleverage",
            ),
            (
                |story| story[5].actions[0] = "rehedge: why".into(),
                "it shows a rehedge",
            ),
            (
                |story| story[6].actions.push("recenter: why".into()),
                "it shows a recenter",
            ),
            (
                |story| story[7].actions.clear(),
                "the calm should show a rehedge or recenter",
            ),
            (
                |story| story[8].actions.clear(),
                "the gap should show a recenter",
            ),
            (
                |story| story[8].with_keeper = 77.3,
                "the gap takes 7.20 % of the kept position's equity, and 7.12 %",
            ),
            (
                |story| {
                    story.remove(8);
                },
                "no chapter `gap`",
            ),
        ];
        for (change, part) in changes {
            let mut story = story();
            change(&mut story);
            let error = check(&story, true).unwrap_err().to_string();
            assert!(error.contains(part), "{error}, not {part}");
        }
    }

    #[test]
    fn without_pauses_a_crash_is_hedged_on_the_way() {
        let mut story = story();
        story[6].actions = vec!["rehedge: why".into(), "recenter: why".into()];
        story[7].actions.clear();
        check(&story, false).unwrap();
        story[2].with_keeper = 99.0;
        assert!(check(&story, false).is_err());
    }
}
