use super::ActionKind;

/// A set of kinds of action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// None.
    pub const NONE: Self = Self(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, kind: ActionKind) -> Self {
        Self(self.0 | 1 << kind as u16)
    }

    /// Without one.
    #[must_use]
    pub const fn without(self, kind: ActionKind) -> Self {
        Self(self.0 & !(1 << kind as u16))
    }

    /// Whether it is among them.
    pub const fn contains(self, kind: ActionKind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_an_element_of_its_own() {
        let mut all = Kinds::NONE;
        for kind in ActionKind::ALL {
            assert!(!all.contains(kind));
            all = all.with(kind);
            assert!(all.contains(kind) && !all.without(kind).contains(kind));
        }
        for kind in ActionKind::ALL {
            all = all.without(kind);
        }
        assert_eq!(all, Kinds::NONE);
    }
}
