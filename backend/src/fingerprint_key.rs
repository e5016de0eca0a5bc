//! The key under which credentials are fingerprinted: made at the first start, kept with the history.

use rampart_checklist::credentials::FingerprintKey;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The file's name in the data folder.
const FILE: &str = "fingerprint.key";
const BYTES: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum FingerprintKeyError {
    /// The file cannot be read or made.
    #[error("cannot keep the key of fingerprints in {path}: {cause}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file is something else.
    #[error(
        "{0} is no key of fingerprints, which has 32 bytes. Restore it, or delete it: with a new key every credential \
         counts as changed once"
    )]
    NoKey(PathBuf),
}

/// The key that this folder keeps; it is made if there is none, for its owner alone.
///
/// # Errors
/// When it can be neither read nor made.
pub fn of_folder(folder: &Path) -> Result<FingerprintKey, FingerprintKeyError> {
    let path = folder.join(FILE);
    let failed = |cause| FingerprintKeyError::Io { path: path.clone(), cause };
    match File::open(&path) {
        Ok(file) => read(file, &path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).map_err(failed)?;
            let mut bytes = [0; BYTES];
            getrandom::fill(&mut bytes).map_err(|error| failed(io::Error::other(error)))?;
            match make(&path, &bytes) {
                Ok(()) => Ok(FingerprintKey::new(bytes)),
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    read(File::open(&path).map_err(failed)?, &path)
                }
                Err(error) => Err(failed(error)),
            }
        }
        Err(error) => Err(failed(error)),
    }
}

fn read(file: File, path: &Path) -> Result<FingerprintKey, FingerprintKeyError> {
    let mut bytes = Vec::new();
    file.take(BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|cause| FingerprintKeyError::Io { path: path.to_path_buf(), cause })?;
    let bytes = bytes.try_into().map_err(|_| FingerprintKeyError::NoKey(path.to_path_buf()))?;
    Ok(FingerprintKey::new(bytes))
}

/// Whole or not at all: another process may look at any time.
fn make(path: &Path, bytes: &[u8; BYTES]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("key.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    let made =
        file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&unfinished, path));
    fs::remove_file(&unfinished)?;
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let key = of_folder(&data).unwrap();
        assert!(key == of_folder(&data).unwrap());
        assert!(key != of_folder(folder.path()).unwrap());
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(data.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_named_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "not 32 bytes").unwrap();
        let error = of_folder(folder.path()).unwrap_err();
        assert!(matches!(error, FingerprintKeyError::NoKey(_)) && error.to_string().contains(FILE));
        assert_eq!(fs::read(&path).unwrap(), b"not 32 bytes");
    }
}
