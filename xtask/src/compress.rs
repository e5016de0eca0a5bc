//! Compression once, at build time, as well as brotli can, and the limit for what a page may transfer.

use std::io::Cursor;

use anyhow::{Context, Result, bail};
use brotli::enc::BrotliEncoderParams;

/// The most that all files of the dashboard may transfer together.
pub(crate) const BUDGET: u64 = 250 * 1024;

const QUALITY: i32 = 11;
/// 16 MiB, the largest window that every browser accepts; the module is smaller than that.
const WINDOW: i32 = 24;

/// The content compressed; `None` if that would not make it smaller.
pub(crate) fn brotli(content: &[u8]) -> Result<Option<Vec<u8>>> {
    let parameters = BrotliEncoderParams {
        quality: QUALITY,
        lgwin: WINDOW,
        size_hint: content.len(),
        ..BrotliEncoderParams::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut Cursor::new(content), &mut compressed, &parameters)
        .context("cannot compress with brotli")?;
    Ok(Some(compressed).filter(|compressed| compressed.len() < content.len()))
}

/// Fails if the dashboard has become too large.
pub(crate) fn check_budget(transferred: u64) -> Result<()> {
    if transferred > BUDGET {
        bail!(
            "the dashboard transfers {transferred} bytes, {} more than the {BUDGET} it may: \
             see which file grew in the table above",
            transferred - BUDGET
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_can_be_read_back() {
        let content = b"status is shape and word as well as colour; ".repeat(100);
        let compressed = brotli(&content).unwrap().unwrap();
        assert!(compressed.len() < content.len() / 10);
        let mut read_back = Vec::new();
        brotli::BrotliDecompress(&mut Cursor::new(compressed), &mut read_back).unwrap();
        assert_eq!(read_back, content);
    }

    #[test]
    fn what_would_grow_is_left_alone() {
        assert!(brotli(b"x").unwrap().is_none());
    }

    #[test]
    fn the_budget_is_the_last_size_allowed() {
        assert!(check_budget(BUDGET).is_ok());
        let error = check_budget(BUDGET + 1).unwrap_err();
        assert!(error.to_string().contains("256001 bytes, 1 more than"), "{error}");
    }
}
