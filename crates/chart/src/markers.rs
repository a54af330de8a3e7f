//! Labelled vertical lines whose labels keep out of each other's way.
//!
//! Labels stand in lanes above the picture, each beside the upper end of its line. Those left of the middle marker reach outwards
//! to the left, those right of it to the right: so a label covers only lines further out, and a line further in passes by it. From
//! outside to inside each label takes the lowest lane that is above all lines it covers, and the middle one the highest. Where all
//! say what begins at their line, all reach to the right.

use crate::{
    Tone,
    text::{Rect, width},
};

/// A labelled vertical line.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    /// Where.
    pub x: f64,
    /// What is written above it.
    pub label: String,
    /// Its colour.
    pub tone: Tone,
    /// Whether it is dashed.
    pub dashed: bool,
    /// Whether it is what all others lie around.
    pub middle: bool,
    /// Whether it is where something begins that goes on to the right, as do all others of the picture.
    pub begins: bool,
}

/// Size of labels.
pub(crate) const SIZE: f64 = 12.0;
/// Height of a lane.
pub(crate) const LANE: f64 = 16.0;
/// Between a line and its label.
const GAP: f64 = 4.0;

/// Where a marker's label stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placed {
    /// 0 is the lowest.
    pub lane: usize,
    /// Left end of the label.
    pub left: f64,
    pub width: f64,
}

impl Placed {
    /// Where the label hangs for a line at `x`, and by which end: by the one beside the line, so that it stays there in faces that
    /// are narrower than [`width`] says.
    pub fn anchor(&self, x: f64) -> (f64, &'static str) {
        let right = self.left + self.width;
        if right <= x {
            (right, "end")
        } else if (x - (self.left + right) / 2.0).abs() < 0.5 {
            (x, "middle")
        } else {
            (self.left, "start")
        }
    }

    /// The label's rectangle above a picture whose upper edge is at `top`.
    pub fn rect(&self, top: f64) -> Rect {
        let bottom = top - 6.0 - LANE * self.lane as f64;
        Rect {
            left: self.left,
            top: bottom - LANE,
            right: self.left + self.width,
            bottom,
        }
    }
}

/// Places the labels of lines at `pixels` between `left` and `right`.
pub(crate) fn place(markers: &[Marker], pixels: &[f64], (left, right): (f64, f64)) -> Vec<Placed> {
    let middle = markers.iter().position(|marker| marker.middle);
    let pivot = match middle {
        Some(index) => pixels[index],
        None if markers.iter().all(|marker| marker.begins) => left,
        None => (left + right) / 2.0,
    };
    let outwards = |index: usize| {
        let label = width(&markers[index].label, SIZE);
        let x = pixels[index];
        let start = if Some(index) == middle {
            x - label / 2.0
        } else if x < pivot {
            x - GAP - label
        } else {
            x + GAP
        };
        // Rather over a line than out of the picture.
        let start = start.min(right - label).max(left);
        (start, label)
    };
    let mut order: Vec<usize> = (0..markers.len()).collect();
    order.sort_by(|a, b| {
        let far = |index: usize| {
            if Some(index) == middle {
                -1.0
            } else {
                (pixels[index] - pivot).abs()
            }
        };
        far(*b).total_cmp(&far(*a)).then(a.cmp(b))
    });
    let mut placed: Vec<Option<Placed>> = vec![None; markers.len()];
    for index in order {
        let (start, label) = outwards(index);
        let end = start + label;
        let others = |index: usize| placed[index].map(|other| (pixels[index], other));
        let known: Vec<_> = (0..markers.len()).filter_map(others).collect();
        // Above every line that it covers.
        let covered = known
            .iter()
            .filter(|(x, _)| (start - GAP..end + GAP).contains(x))
            .map(|(_, other)| other.lane + 1);
        let mut lane = covered.max().unwrap_or(0);
        // And beside or above every other label.
        while known.iter().any(|(_, other)| {
            other.lane == lane && start - GAP < other.left + other.width && other.left < end + GAP
        }) {
            lane += 1;
        }
        placed[index] = Some(Placed {
            lane,
            left: start,
            width: label,
        });
    }
    placed.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(label: &str, middle: bool) -> Marker {
        Marker {
            x: 0.0,
            label: label.into(),
            tone: Tone::Bad,
            dashed: false,
            middle,
            begins: false,
        }
    }

    #[test]
    fn what_begins_at_a_line_stands_to_the_right_of_it() {
        let pixels = [20.0, 150.0, 160.0, 170.0, 280.0];
        let markers: Vec<_> = (0..5)
            .map(|_| Marker {
                begins: true,
                ..marker("chapter", false)
            })
            .collect();
        let placed = place(&markers, &pixels, (0.0, 400.0));
        for (index, here) in placed.iter().enumerate() {
            assert_eq!(here.left, pixels[index] + GAP, "{here:?}");
            let rect = here.rect(200.0);
            for (other, there) in placed
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
            {
                assert!(!rect.overlaps(&there.rect(200.0)), "{index} {other}");
                let crosses =
                    there.lane > here.lane && (rect.left..rect.right).contains(&pixels[other]);
                assert!(!crosses, "line {other} through label {index}");
            }
        }
    }

    #[test]
    fn labels_never_cover_each_other_and_lines_pass_by_the_labels_of_others() {
        let pixels = [100.0, 380.0, 395.0, 400.0, 405.0, 420.0, 700.0];
        let markers: Vec<_> = (0..7)
            .map(|index| marker("liquidation 110.85 (-44.6%)", index == 3))
            .collect();
        let placed = place(&markers, &pixels, (0.0, 800.0));
        for (index, here) in placed.iter().enumerate() {
            let rect = here.rect(200.0);
            assert!(rect.left >= 0.0 && rect.right <= 800.0, "{rect:?}");
            for (other, there) in placed.iter().enumerate() {
                if index != other {
                    assert!(!rect.overlaps(&there.rect(200.0)), "{index} {other}");
                    // A line reaches up to its own label: it must not cross one in a lower lane.
                    let crosses =
                        there.lane > here.lane && (rect.left..rect.right).contains(&pixels[other]);
                    assert!(!crosses, "line {other} through label {index}");
                }
            }
        }
        // Each hangs by the end beside its line.
        let anchors: Vec<_> = (0..7)
            .map(|index| placed[index].anchor(pixels[index]))
            .collect();
        assert_eq!(
            (anchors[1], anchors[3]),
            ((376.0, "end"), (400.0, "middle"))
        );
        assert_eq!(anchors[5], (424.0, "start"));
        // Alone on its side: the lowest lane.
        assert_eq!((placed[0].lane, placed[6].lane), (0, 0));
        assert!(placed[3].lane > placed[2].lane);
    }

    #[test]
    fn at_the_edge_a_label_turns_inwards() {
        let placed = place(&[marker("at the very edge", false)], &[1.0], (0.0, 300.0));
        assert_eq!(placed[0].left, 0.0);
        assert!(place(&[], &[], (0.0, 1.0)).is_empty());
    }

    #[test]
    fn lines_at_the_same_place_stack_their_labels() {
        let markers = [
            marker("one", false),
            marker("two", false),
            marker("now", true),
        ];
        let placed = place(&markers, &[50.0, 50.0, 50.0], (0.0, 300.0));
        let mut lanes: Vec<_> = placed.iter().map(|placed| placed.lane).collect();
        lanes.sort_unstable();
        assert_eq!(lanes, [0, 1, 2]);
    }
}
