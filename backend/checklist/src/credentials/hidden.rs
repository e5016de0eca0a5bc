//! The value of a credential on its way to a fingerprint.

use super::{CredentialFingerprint, FingerprintKey};
use std::fmt;

/// The value of a credential. Nothing shows or serialises it; only its fingerprint can be had.
///
/// What reads objects has no key, and what judges them has one: in between, the value is here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HiddenValue(Hidden);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Hidden {
    Value(Box<str>),
    /// It was redacted before, and this is what was left.
    Redacted(CredentialFingerprint),
}

impl HiddenValue {
    pub(super) fn new(value: &str) -> HiddenValue {
        HiddenValue(Hidden::Value(value.into()))
    }

    pub(super) const fn redacted(fingerprint: CredentialFingerprint) -> HiddenValue {
        HiddenValue(Hidden::Redacted(fingerprint))
    }

    /// Its fingerprint: of this key, or, when it was redacted before, of the key of that time.
    pub fn fingerprint(&self, key: &FingerprintKey) -> CredentialFingerprint {
        match &self.0 {
            Hidden::Value(value) => key.fingerprint(value),
            Hidden::Redacted(fingerprint) => fingerprint.clone(),
        }
    }

    /// Its fingerprint where no key is needed for it: it was redacted before.
    pub const fn redacted_fingerprint(&self) -> Option<&CredentialFingerprint> {
        match &self.0 {
            Hidden::Value(_) => None,
            Hidden::Redacted(fingerprint) => Some(fingerprint),
        }
    }
}

impl fmt::Debug for HiddenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HiddenValue(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nothing_and_gives_the_same_fingerprint_when_redacted() {
        let key = FingerprintKey::new([7; 32]);
        let live = HiddenValue::new("hunter2");
        let fingerprint = live.fingerprint(&key);
        assert_eq!(format!("{live:?}"), "HiddenValue(..)");
        let redacted = HiddenValue::redacted(fingerprint.clone());
        assert_eq!(redacted.fingerprint(&FingerprintKey::new([8; 32])), fingerprint);
        assert_ne!(live.fingerprint(&FingerprintKey::new([8; 32])), fingerprint);
    }
}
