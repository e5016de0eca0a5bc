//! What is kept of a credential: a fingerprint that nobody without the key can try values against.

use crate::fingerprint::hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

const BLOCK: usize = 64;

/// The key of the fingerprints. Another key gives other fingerprints.
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// A key of random bytes.
    pub const fn new(bytes: [u8; 32]) -> FingerprintKey {
        FingerprintKey(bytes)
    }

    pub(super) fn fingerprint(&self, value: &str) -> CredentialFingerprint {
        // HMAC fills a key up to the block with zeros; doing it here leaves no error to handle.
        let mut block = [0; BLOCK];
        block[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(value.as_bytes());
        CredentialFingerprint(hex(&mac.finalize().into_bytes()[..8]))
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(..)")
    }
}

/// The first 16 hexadecimal digits of HMAC-SHA-256 over a credential.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialFingerprint(String);

impl CredentialFingerprint {
    pub(super) fn read(hexadecimal: &str) -> CredentialFingerprint {
        CredentialFingerprint(hexadecimal.to_owned())
    }
}

impl fmt::Display for CredentialFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_hmac_sha_256() {
        // Computed with OpenSSL: a key of 32 times 0x0b, over "Hi There".
        let fingerprint = FingerprintKey::new([0x0b; 32]).fingerprint("Hi There");
        assert_eq!(fingerprint.to_string(), "198a607eb44bfbc6");
        assert_ne!(FingerprintKey::new([0x0c; 32]).fingerprint("Hi There"), fingerprint);
        assert_eq!(format!("{:?}", FingerprintKey::new([7; 32])), "FingerprintKey(..)");
    }
}
