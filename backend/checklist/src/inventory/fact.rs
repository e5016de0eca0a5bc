//! What was seen, together with why the rest was not.

use rampart_shared::Gap;

/// What was seen of a kind, and why the rest was not. Complete when there are no gaps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fact<T> {
    /// What was seen.
    pub seen: T,
    /// Why the rest was not.
    pub gaps: Vec<Gap>,
}

impl<T> Fact<T> {
    /// Whether everything was seen.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }
}
