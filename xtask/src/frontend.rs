//! The dashboard as browsers get it: `target/frontend/dist` with every file raw and compressed, and
//! `manifest.json`, which tells the backend how to serve them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::assets::{self, Files, Manifest, ManifestFile};
use crate::{compress, node, strip, wasm, wasm_toolchain, workspace};

const ENTRY: &str = "index.html";
const MANIFEST: &str = "manifest.json";

/// Whether a module that wasm-opt has not made smaller will do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Optimise {
    /// For what is shipped and what is measured.
    Always,
    /// Only where Node.js is there, which wasm-opt needs: trying Rampart out must not take more than Rust.
    IfPossible,
}

/// Builds `target/frontend/dist`, or leaves it alone if nothing that it is made of has changed.
pub(crate) fn build(optimise: Optimise) -> Result<()> {
    let to_ship = optimise == Optimise::Always;
    if to_ship {
        node::require()?;
    }
    let optimise = to_ship || node::is_there();
    let module = wasm::compile(wasm_toolchain::ensure()?)?;
    let sources = sources(&workspace::root().join("frontend"))?;
    let inputs = digest_of_inputs(&module, &sources, optimise)?;

    let dist = workspace::target().join("frontend/dist");
    let note = workspace::own_state().join("frontend-inputs");
    let unchanged = fs::read_to_string(&note).is_ok_and(|built_from| built_from == inputs);
    let manifest = match unchanged.then(|| read_manifest(&dist)) {
        Some(Ok(manifest)) => manifest,
        _ => {
            let manifest = make(&module, sources, optimise, &dist)?;
            fs::create_dir_all(workspace::own_state())?;
            fs::write(&note, inputs).with_context(|| format!("cannot write {}", note.display()))?;
            manifest
        }
    };
    print_table(&manifest);
    if !manifest.optimised {
        println!("Node.js is not there, so wasm-opt did not make the module smaller. It works the same.");
    }
    // To look at Rampart, a large dashboard is better than none.
    if to_ship { compress::check_budget(manifest.transferred_bytes) } else { Ok(()) }
}

fn make(module: &[u8], sources: Files, optimise: bool, dist: &Path) -> Result<Manifest> {
    let mut files = wasm::bind(module)?;
    if optimise && let Some(module) = files.get_mut(&wasm::module_path()) {
        *module = wasm::optimise(module)?;
    }
    for (path, content) in sources {
        if files.insert(path.clone(), content).is_some() {
            bail!("two files want to be published as /{path}");
        }
    }
    for (path, content) in &mut files {
        let strip = match Path::new(path).extension().and_then(OsStr::to_str) {
            Some("css") => strip::style,
            Some("js") => strip::script,
            _ => continue,
        };
        *content =
            strip(str::from_utf8(content).with_context(|| format!("{path} is not text"))?).into_bytes();
    }

    // Written beside and then renamed: whoever reads the folder finds the old one or the new one.
    let fresh = dist.with_extension("new");
    remove_folder(&fresh)?;
    let mut manifest =
        Manifest { entry: ENTRY.to_owned(), files: Vec::new(), transferred_bytes: 0, optimised: optimise };
    for file in assets::publish(&files)? {
        let compressed = compress::brotli(&file.content)?;
        write(&fresh.join(&file.path), &file.content)?;
        if let Some(compressed) = &compressed {
            write(&fresh.join(format!("{}.br", file.path)), compressed)?;
        }
        let entry = ManifestFile {
            content_type: assets::content_type(&file.path)?.to_owned(),
            path: file.path,
            source: file.source,
            immutable: file.immutable,
            bytes: file.content.len() as u64,
            brotli_bytes: compressed.map(|compressed| compressed.len() as u64),
        };
        manifest.transferred_bytes += entry.transferred_bytes();
        manifest.files.push(entry);
    }
    write(&fresh.join(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;
    remove_folder(dist)?;
    fs::rename(&fresh, dist)
        .with_context(|| format!("cannot move {} to {}", fresh.display(), dist.display()))?;
    Ok(manifest)
}

impl ManifestFile {
    fn transferred_bytes(&self) -> u64 {
        self.brotli_bytes.unwrap_or(self.bytes)
    }
}

/// The files of the crate's folder that are published: the page, its start, one style sheet made of all in
/// `style/` in the order of their names, and everything in `public/` as it is.
fn sources(crate_folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    for name in [ENTRY, "boot.js"] {
        files.insert(name.to_owned(), read(&crate_folder.join(name))?);
    }
    let mut style = Vec::new();
    for path in files_below(&crate_folder.join("style"))? {
        if path.extension().is_some_and(|extension| extension == "css") {
            style.extend(read(&path)?);
            style.push(b'\n');
        }
    }
    if !style.is_empty() {
        files.insert("style.css".to_owned(), style);
    }
    let public = crate_folder.join("public");
    for path in files_below(&public)? {
        let below = path.strip_prefix(&public)?.to_string_lossy().replace('\\', "/");
        files.insert(below, read(&path)?);
    }
    Ok(files)
}

/// All files of a folder and its folders, sorted by path; none if there is no such folder.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// What the result depends on. xtask itself is part of it, so that a change of these steps takes effect.
fn digest_of_inputs(module: &[u8], sources: &Files, optimise: bool) -> Result<String> {
    let mut hasher = Sha256::new();
    let own_program = read(&workspace::own_program()?)?;
    let wasm_opt = read(&workspace::root().join("xtask/wasm-opt/package-lock.json"))?;
    let parts = [&own_program, &wasm_opt, module, &[u8::from(optimise)]];
    let named = sources.iter().flat_map(|(path, content)| [path.as_bytes(), content]);
    for part in parts.into_iter().chain(named) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    Ok(assets::digest(&hasher.finalize()))
}

/// What an earlier build left, if all of it is there.
fn read_manifest(dist: &Path) -> Result<Manifest> {
    let manifest: Manifest = serde_json::from_slice(&read(&dist.join(MANIFEST))?)?;
    match manifest.files.iter().find(|file| !dist.join(&file.path).is_file()) {
        Some(missing) => bail!("{} is not there", missing.path),
        None => Ok(manifest),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn print_table(manifest: &Manifest) {
    println!("\n{:<44} {:>10} {:>10}", "target/frontend/dist", "bytes", "brotli");
    for file in &manifest.files {
        let brotli = file.brotli_bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        println!("{:<44} {:>10} {:>10}", file.path, file.bytes, brotli);
    }
    println!(
        "{:<44} {:>10} {:>10}  ({:.0} % of the {} KiB it may be)\n",
        "transferred",
        "",
        manifest.transferred_bytes,
        100.0 * manifest.transferred_bytes as f64 / compress::BUDGET as f64,
        compress::BUDGET / 1024
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_sheets_become_one_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("index.html", "<!doctype html>"),
            ("boot.js", ""),
            ("style/20-layout.css", "main {}"),
            ("style/10-tokens.css", ":root {}"),
            ("style/notes.txt", "not published"),
            ("public/favicon.svg", "<svg/>"),
        ] {
            write(&folder.path().join(name), text.as_bytes()).unwrap();
        }
        let sources = sources(folder.path()).unwrap();
        assert_eq!(sources.keys().collect::<Vec<_>>(), ["boot.js", "favicon.svg", "index.html", "style.css"]);
        assert_eq!(sources["style.css"], b":root {}\nmain {}\n");
    }

    #[test]
    fn every_input_counts() {
        let sources = Files::from([("boot.js".to_owned(), b"1".to_vec())]);
        let renamed = Files::from([("boot.j".to_owned(), b"s1".to_vec())]);
        let digest = digest_of_inputs(b"module", &sources, true).unwrap();
        assert_eq!(digest, digest_of_inputs(b"module", &sources, true).unwrap());
        assert_ne!(digest, digest_of_inputs(b"module", &sources, false).unwrap());
        assert_ne!(digest, digest_of_inputs(b"module2", &sources, true).unwrap());
        assert_ne!(digest, digest_of_inputs(b"module", &renamed, true).unwrap());
    }
}
