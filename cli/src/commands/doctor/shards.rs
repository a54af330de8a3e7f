//! Is the group there between whose keepers positions are shared out?

use ballast_client::{Chain, RpcChain};
use ballast_keeper::{
    config::Shards,
    shards::table::{GroupSeen, look},
};

use super::State;

/// Asks the table of leases.
pub(super) async fn check(group: &Shards, chain: &RpcChain) -> (State, String) {
    let height = match chain.block_height().await {
        Ok(height) => height,
        Err(error) => return (State::Fail, error.to_string()),
    };
    match look(group, height).await {
        Ok(seen) => judge(&seen, &group.member),
        Err(error) => (
            State::Fail,
            format!("{error}; without leases keepers do only what protects positions"),
        ),
    }
}

fn judge(seen: &GroupSeen, member: &str) -> (State, String) {
    if seen.members.is_empty() {
        let finding = format!(
            "the table of leases answers, no keeper is there: start {member:?} in active mode"
        );
        return (State::Warn, finding);
    }
    let held: u64 = seen.owners.iter().map(|(_, held)| held).sum();
    let owners: Vec<String> = seen
        .owners
        .iter()
        .map(|(owner, held)| format!("{owner} {held}"))
        .collect();
    let finding = format!(
        "there: {}; of {} shards are held: {}",
        seen.members.join(", "),
        seen.shards,
        if owners.is_empty() {
            "none".into()
        } else {
            owners.join(", ")
        }
    );
    match held == seen.shards {
        true => (State::Ok, finding),
        false => (
            State::Warn,
            format!("{finding}; the rest has nobody yet, look again in a minute"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(members: &[&str], owners: &[(&str, u64)]) -> GroupSeen {
        let text = |text: &&str| (*text).to_owned();
        GroupSeen {
            members: members.iter().map(text).collect(),
            owners: owners
                .iter()
                .map(|(owner, held)| ((*owner).to_owned(), *held))
                .collect(),
            shards: 256,
        }
    }

    #[test]
    fn a_group_is_well_when_every_shard_has_somebody() {
        let (state, finding) = judge(&seen(&["a", "b"], &[("a", 120), ("b", 136)]), "a");
        assert_eq!(state, State::Ok);
        assert!(finding.contains("a 120, b 136"), "{finding}");
        let (state, finding) = judge(&seen(&["a"], &[("a", 120)]), "a");
        assert_eq!(state, State::Warn);
        assert!(finding.contains("nobody yet"), "{finding}");
        let (state, finding) = judge(&seen(&[], &[]), "eu-1");
        assert_eq!(state, State::Warn);
        assert!(finding.contains("eu-1"), "{finding}");
    }
}
