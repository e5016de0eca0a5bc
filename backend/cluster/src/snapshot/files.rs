//! Finds files and reads them, on every core.

use super::document::{decode, hidden_kinds};
use super::entry::{Entry, FileEntries, Hides, What};
use super::input::is_stdin;
use super::{Content, Limits, MANIFEST_FILE, Manifest, SnapshotError, SnapshotInput, json, yaml};
use crate::archive::{ANONYMOUS_FILE, FLAGZ_FILE, METRICS_FILE};
use crate::control_plane::{flagz, read_metric};
use crate::malformed;
use rampart_checklist::Kind;
use rampart_checklist::inventory::{ApiServerMetrics, KubeletConfiguration};
use serde::Deserialize;
use serde_json::Value;
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::panic;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// A file that is to be read.
enum Work {
    /// From the file system.
    File { path: PathBuf, file: String },
    /// Already read: standard input or an entry of an archive.
    Bytes { file: String, bytes: Vec<u8> },
    /// Cannot be read.
    Unusable { file: String, cause: String },
}

/// Reads every file of an input: those of a folder or archive in the order of their paths, single files in the order in
/// which they are named, so that the same files give the same result.
pub(super) fn read(input: &SnapshotInput, limits: &Limits) -> Result<Vec<FileEntries>, SnapshotError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    // A short queue: an archive's entries wait in it, decompressed.
    let (sender, receiver) = mpsc::sync_channel::<(usize, Work)>(threads);
    let receiver = Mutex::new(receiver);
    let read = Mutex::new(Vec::new());
    let found = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, work)) = next(&receiver) {
                    let entries = work.read(limits);
                    read.lock().unwrap_or_else(PoisonError::into_inner).push((number, entries));
                }
            });
        }
        let count = Cell::new(0);
        let found = find(input, limits, &|work| {
            // Fails only when every reader is gone, and they go last.
            let _ = sender.send((count.replace(count.get() + 1), work));
        });
        drop(sender);
        found
    });
    found?;
    let mut files: Vec<(usize, FileEntries)> = read.into_inner().unwrap_or_else(PoisonError::into_inner);
    match input.content {
        Content::Files(_) => files.sort_by_key(|(number, _)| *number),
        Content::Folder(_) | Content::Archive(_) => files.sort_by(|(_, a), (_, b)| a.file.cmp(&b.file)),
    }
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

fn next(receiver: &Mutex<mpsc::Receiver<(usize, Work)>>) -> Option<(usize, Work)> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn find(input: &SnapshotInput, limits: &Limits, send: &dyn Fn(Work)) -> Result<(), SnapshotError> {
    match &input.content {
        Content::Folder(path) => {
            let unreadable = |source| SnapshotError::Unreadable { path: path.clone(), source };
            let root = path.canonicalize().map_err(unreadable)?;
            let entries = fs::read_dir(&root).map_err(unreadable)?;
            find_in_folder(&root, entries, "", send);
            Ok(())
        }
        Content::Archive(path) => find_in_archive(path, limits, send),
        Content::Files(paths) => {
            for path in paths {
                if is_stdin(path) {
                    let file = "stdin".to_owned();
                    send(match read_whole(io::stdin().lock(), Vec::new(), limits.file) {
                        Ok(bytes) => Work::Bytes { file, bytes },
                        Err(cause) => Work::Unusable { file, cause },
                    });
                } else {
                    let readable = File::open(path);
                    readable.map_err(|source| SnapshotError::Unreadable { path: path.clone(), source })?;
                    send(Work::File { path: path.clone(), file: path.to_string_lossy().into_owned() });
                }
            }
            Ok(())
        }
    }
}

/// Hidden files and folders are not kubectl's; links are followed to files within the folder alone, which is how
/// Kubernetes mounts a ConfigMap.
fn find_in_folder(root: &Path, entries: fs::ReadDir, prefix: &str, send: &dyn Fn(Work)) {
    for entry in entries {
        let Ok(entry) = entry else {
            send(Work::Unusable {
                file: format!("{prefix}*"),
                cause: "the folder cannot be listed whole".to_owned(),
            });
            continue;
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let file = format!("{prefix}{name}");
        let path = entry.path();
        match entry.file_type() {
            Ok(sort) if sort.is_dir() => match fs::read_dir(&path) {
                Ok(entries) => find_in_folder(root, entries, &format!("{file}/"), send),
                Err(error) => {
                    send(Work::Unusable { file, cause: format!("the folder cannot be read: {error}") })
                }
            },
            Ok(_) if !is_manifest(&name) => {}
            Ok(sort) if sort.is_symlink() => match path.canonicalize() {
                Ok(target) if target.starts_with(root) && target.is_file() => {
                    send(Work::File { path: target, file });
                }
                Ok(_) => send(Work::Unusable {
                    file,
                    cause: "a link to outside of the folder, which is not followed; copy the file".to_owned(),
                }),
                Err(error) => send(Work::Unusable { file, cause: format!("cannot be read: {error}") }),
            },
            Ok(sort) if sort.is_file() => send(Work::File { path, file }),
            Ok(_) => {}
            Err(error) => send(Work::Unusable { file, cause: format!("cannot be read: {error}") }),
        }
    }
}

/// Nothing is extracted, so paths in an archive can lead nowhere.
fn find_in_archive(path: &Path, limits: &Limits, send: &dyn Fn(Work)) -> Result<(), SnapshotError> {
    let file =
        File::open(path).map_err(|source| SnapshotError::Unreadable { path: path.to_owned(), source })?;
    let reader: Box<dyn Read> = if path.extension().is_some_and(|ending| ending == "tar") {
        Box::new(io::BufReader::new(file))
    } else {
        Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(file)))
    };
    let used_up = Rc::new(Cell::new(false));
    let failed = |source| {
        if used_up.get() {
            SnapshotError::TooLarge { path: path.to_owned(), limit: limits.archive }
        } else {
            SnapshotError::Archive { path: path.to_owned(), source }
        }
    };
    let reader = Bounded { reader, rest: limits.archive, used_up: Rc::clone(&used_up) };
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let inside = entry.path().map_err(failed)?.to_string_lossy().replace('\\', "/");
        let file = inside.trim_start_matches("./").to_owned();
        let hidden = file.split('/').any(|part| part.starts_with('.'));
        if !entry.header().entry_type().is_file() || hidden || !is_manifest(&file) {
            continue;
        }
        if entry.size() > limits.file {
            send(Work::Unusable { file, cause: format!("larger than {} bytes", limits.file) });
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(failed)?;
        send(Work::Bytes { file, bytes });
    }
    Ok(())
}

/// Ends with an error, and says so, where more would be read than is allowed.
struct Bounded<R> {
    reader: R,
    rest: u64,
    used_up: Rc<Cell<bool>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        match self.rest.checked_sub(count as u64) {
            Some(rest) => {
                self.rest = rest;
                Ok(count)
            }
            None => {
                self.used_up.set(true);
                Err(io::Error::other("more than is allowed"))
            }
        }
    }
}

fn is_manifest(name: &str) -> bool {
    file_name(name) == METRICS_FILE || [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending))
}

impl Work {
    fn read(self, limits: &Limits) -> FileEntries {
        let (file, bytes) = match self {
            Work::Bytes { file, bytes } => (file, Ok(bytes)),
            Work::File { path, file } => (file, read_file(&path, limits.file)),
            Work::Unusable { file, cause } => (file, Err(cause)),
        };
        let entries = match bytes.map(decode) {
            Err(cause) => vec![unreadable(&file, cause)],
            // What a parser cannot cope with must not cost the other files.
            Ok(Ok(text)) => panic::catch_unwind(|| read_text(&file, &text))
                .unwrap_or_else(|_| vec![unreadable(&file, "cannot be parsed".to_owned())]),
            Ok(Err(text)) => {
                let hides = match configz_node(&file) {
                    Some(node) => Hides::Object(Kind::KubeletConfigz, node.to_owned()),
                    None => hidden_kinds(&text),
                };
                vec![Entry::broken(None, hides, "not UTF-8 text")]
            }
        };
        FileEntries { file, entries }
    }
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or_default());
    read_whole(file, bytes, limit)
}

fn read_whole(reader: impl Read, mut bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, String> {
    let mut reader = reader.take(limit.saturating_add(1));
    reader.read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than {limit} bytes"));
    }
    Ok(bytes)
}

/// A file that could not be read may hold anything, unless its name says what.
fn unreadable(file: &str, cause: String) -> Entry {
    let hides = match (configz_node(file), kind_named(file)) {
        (Some(node), _) => Hides::Object(Kind::KubeletConfigz, node.to_owned()),
        (None, Some(kind)) => Hides::Kinds(vec![kind]),
        (None, None) if special(file).is_some() => Hides::Kinds(special(file).into_iter().collect()),
        (None, None) => Hides::EveryKind,
    };
    Entry::broken(None, hides, cause)
}

fn read_text(file: &str, text: &str) -> Vec<Entry> {
    if let Some(node) = configz_node(file) {
        return vec![kubelet(node, text)];
    }
    if file_name(file) == MANIFEST_FILE {
        return vec![manifest(text)];
    }
    if let Some(kind) = special(file) {
        return vec![read_special(kind, file, text)];
    }
    if stem(file) == "version"
        && let Some(version) = version(text)
    {
        return vec![Entry { line: None, what: What::Version(version) }];
    }
    let named = kind_named(file);
    if file.ends_with(".json") { json::read(text, named) } else { yaml::read(text, named) }
}

fn file_name(file: &str) -> &str {
    file.rsplit(['/', std::path::MAIN_SEPARATOR]).next().unwrap_or(file)
}

fn stem(file: &str) -> &str {
    let name = file_name(file);
    [".yaml", ".yml", ".json"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// The kind that a file is named for: `networkpolicies.yaml`, `deployments.apps.json`.
fn kind_named(file: &str) -> Option<Kind> {
    let stem = stem(file);
    if stem == "constraints" {
        return Some(Kind::GatekeeperConstraints);
    }
    let whole = Kind::ALL.into_iter().find(|kind| kind.is_listed() && stem == kind.name().as_str());
    let mut by_resource = Kind::ALL.into_iter().filter(|kind| kind.is_listed() && stem == kind.resource());
    // Several groups have `networkpolicies`: kubectl means the built-in one, and of two custom resources none is sure.
    whole.or_else(|| match (by_resource.next(), by_resource.next()) {
        (Some(kind), None) => Some(kind),
        (Some(kind), Some(_)) if !kind.is_optional() => Some(kind),
        _ => None,
    })
}

/// What a file holds that is no list of objects, by its name.
fn special(file: &str) -> Option<Kind> {
    match file_name(file) {
        ANONYMOUS_FILE => Some(Kind::KubeletConfigz),
        FLAGZ_FILE => Some(Kind::ApiServerFlagz),
        METRICS_FILE => Some(Kind::ApiServerMetrics),
        _ => None,
    }
}

fn read_special(kind: Kind, file: &str, text: &str) -> Entry {
    let what = match kind {
        Kind::ApiServerFlagz => flagz(text.as_bytes()).map(What::Flags),
        Kind::ApiServerMetrics => {
            let mut metrics = ApiServerMetrics::default();
            text.lines().for_each(|line| read_metric(&mut metrics, line));
            Ok(What::Metrics(metrics))
        }
        _ => serde_json::from_str(text).map(What::KubeletAnonymous).map_err(|error| malformed::json(&error)),
    };
    match what {
        Ok(what) => Entry { line: None, what },
        Err(cause) => unreadable(file, cause),
    }
}

/// The node of `configz/<node>.json`.
fn configz_node(file: &str) -> Option<&str> {
    let folder = Path::new(file).parent()?.file_name()?;
    (folder == "configz").then(|| stem(file))
}

fn kubelet(node: &str, text: &str) -> Entry {
    let hides = || Hides::Object(Kind::KubeletConfigz, node.to_owned());
    let value = match yaml::value(text) {
        Ok(value) => value,
        Err(error) => return Entry::broken(None, hides(), malformed::yaml(&error)),
    };
    // An error that the API server answered with is JSON too: only what is plainly a configuration is one.
    let is_bare = value.get("kind").and_then(Value::as_str) == Some("KubeletConfiguration")
        || (value.get("authentication").is_some() && value.get("authorization").is_some());
    let configuration = match value.get("kubeletconfig") {
        Some(configuration) if configuration.is_object() => configuration,
        None if is_bare => &value,
        _ => {
            let cause = "no kubelet configuration; it should be the output of \
                         `kubectl get --raw /api/v1/nodes/NODE/proxy/configz`";
            return Entry::broken(None, hides(), cause);
        }
    };
    match KubeletConfiguration::deserialize(configuration) {
        Ok(configuration) => {
            Entry { line: None, what: What::Kubelet { node: node.to_owned(), configuration } }
        }
        Err(error) => Entry::broken(None, hides(), malformed::json(&error)),
    }
}

/// A manifest that cannot be used only means that nothing is known to be complete.
fn manifest(text: &str) -> Entry {
    let problem = |line: Option<u64>, cause: String| {
        Entry::broken(line, Hides::Kinds(Vec::new()), format!("{cause}; nothing in it is used"))
    };
    match serde_json::from_str::<Manifest>(text) {
        Ok(manifest) if manifest.schema == Manifest::SCHEMA => {
            Entry { line: None, what: What::Manifest(manifest) }
        }
        Ok(_) => problem(None, format!("schema is not {}", Manifest::SCHEMA)),
        Err(error) => problem(u64::try_from(error.line()).ok(), malformed::json(&error)),
    }
}

/// `kubectl version -o json` has it under `serverVersion`, the raw `/version` at the top.
fn version(text: &str) -> Option<String> {
    let value = yaml::value(text).ok()?;
    let server = value.get("serverVersion").unwrap_or(&value);
    let version = server.get("gitVersion")?.as_str()?;
    (!version.is_empty()).then(|| version.to_owned())
}
