//! Metrics of the group of keepers that positions are shared out to.

use super::text::Text;
use crate::shards::GroupNow;

pub(super) fn shards(text: &mut Text, now: &GroupNow) {
    for (name, help, value) in [
        (
            "ballast_shards_held",
            "Shards of positions whose lease this keeper holds, and may sign under.",
            now.held,
        ),
        (
            "ballast_shards_unsettled",
            "Leases taken whose former holder's transactions have no outcome yet.",
            now.unsettled,
        ),
        (
            "ballast_shards_members",
            "Keepers of the group that are there.",
            now.members,
        ),
        (
            "ballast_shards_leases_answered",
            "1 while the table of leases answers.",
            usize::from(now.answers),
        ),
    ] {
        text.gauge(name, help, value as f64);
    }
}
