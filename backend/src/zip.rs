//! Files as a zip: the same files give the same bytes.

use ::zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};
use rampart_checklist::export::ExportFile;
use std::io::{self, Cursor, Write};

/// The files, in their order, of no time and for everybody to read.
///
/// # Errors
/// When there are more or larger files than a zip holds.
pub fn zip(files: &[ExportFile]) -> io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        writer.start_file(file.path.as_str(), options)?;
        writer.write_all(file.content.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_zip_holds_the_files_and_is_the_same_each_time() {
        let file = |path: &str, content: &str| ExportFile { path: path.into(), content: content.into() };
        let files = [file("a/b.yaml", &"x: y\n".repeat(1000)), file("ü.md", "")];
        let bytes = zip(&files).unwrap();
        assert_eq!(bytes, zip(&files).unwrap());
        assert!(bytes.len() < 1000, "{}", bytes.len());
        let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(archive.len(), 2);
        for file in &files {
            let mut content = String::new();
            archive.by_name(&file.path).unwrap().read_to_string(&mut content).unwrap();
            assert_eq!(content, file.content);
        }
    }
}
