//! Names files by their content and rewrites what refers to them. Sources refer to each other by address
//! (`"/boot.js"`, `url(/icon.svg)`); what is published says `/boot.0123456789abcdef.js` instead.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Files by their path below the web root, with `/` between folders.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A file as browsers get it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    /// Where it stands below the web root; with a hash if `immutable`.
    pub(crate) path: String,
    /// Its path before hashing.
    pub(crate) source: String,
    /// Whether this path can never mean another content.
    pub(crate) immutable: bool,
    pub(crate) content: Vec<u8>,
}

/// What the backend reads to serve the files.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The page that starts the dashboard, whatever its address.
    pub(crate) entry: String,
    /// All files, sorted by path.
    pub(crate) files: Vec<ManifestFile>,
    /// What a browser that knows brotli transfers for all files.
    pub(crate) transferred_bytes: u64,
    /// Whether wasm-opt made the module smaller.
    pub(crate) optimised: bool,
}

/// One file of the manifest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ManifestFile {
    pub(crate) path: String,
    pub(crate) source: String,
    pub(crate) content_type: String,
    /// Whether it may be cached for ever.
    pub(crate) immutable: bool,
    pub(crate) bytes: u64,
    /// The size of the same path with `.br` added; null if compressing would not make it smaller.
    pub(crate) brotli_bytes: Option<u64>,
}

/// Hashes and rewrites. A file that another one refers to gets a hashed name; the rest (the page itself,
/// `robots.txt`) keep theirs.
pub(crate) fn publish(files: &Files) -> Result<Vec<Published>> {
    let references = files
        .iter()
        .map(|(path, content)| Ok((path.clone(), references(path, content, files)?)))
        .collect::<Result<BTreeMap<_, _>>>()?;
    let referred: BTreeSet<String> = references.values().flatten().cloned().collect();

    let mut hashed = BTreeMap::new();
    let mut published = Vec::new();
    for path in dependencies_first(&references)? {
        let content = rewritten(&files[&path], &references[&path], &hashed);
        let immutable = referred.contains(&path);
        let public_path = if immutable { with_hash(&path, &digest(&content)) } else { path.clone() };
        hashed.insert(path.clone(), public_path.clone());
        published.push(Published { path: public_path, source: path, immutable, content });
    }
    published.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(published)
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The media type of a file by its extension.
pub(crate) fn content_type(path: &str) -> Result<&'static str> {
    Ok(match extension(path) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => bail!("{path} is to be published, but its media type is unknown: add it in xtask/src/assets.rs"),
    })
}

/// The other files that a text refers to, each as `/path` between quotes or brackets. An address that looks
/// like a file and is none is an error, since browsers would only find out later.
fn references(path: &str, content: &[u8], files: &Files) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for address in addresses(path, content) {
        if files.contains_key(address) {
            found.insert(address.to_owned());
        } else {
            bail!("{path} refers to /{address}, and there is no such file");
        }
    }
    Ok(found)
}

/// Addresses of files in a text, without the leading `/`. The generated bindings hold many strings that are
/// not addresses, so an address is only what has a file's extension.
fn addresses<'a>(path: &str, content: &'a [u8]) -> Vec<&'a str> {
    let Ok(text) = std::str::from_utf8(content) else { return Vec::new() };
    if !["html", "js", "css", "svg", "webmanifest"].contains(&extension(path)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (start, opening) in text.match_indices(['"', '\'', '`', '(']) {
        let Some(address) = text[start + opening.len()..].strip_prefix('/') else { continue };
        let closing = if opening == "(" { ")" } else { opening };
        let Some(end) = address.find(closing) else { continue };
        let address = &address[..end];
        let is_file = !address.starts_with(['/', '*'])
            && !address.contains(|letter: char| letter.is_whitespace() || "<>{}$".contains(letter))
            && content_type(address).is_ok();
        if is_file {
            found.push(address);
        }
    }
    found
}

fn rewritten(content: &[u8], references: &BTreeSet<String>, hashed: &BTreeMap<String, String>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(content) else { return content.to_vec() };
    let mut text = text.to_owned();
    for reference in references {
        for (opening, closing) in [("\"", "\""), ("'", "'"), ("`", "`"), ("(", ")")] {
            text = text.replace(
                &format!("{opening}/{reference}{closing}"),
                &format!("{opening}/{}{closing}", hashed[reference]),
            );
        }
    }
    text.into_bytes()
}

/// All paths, each after those that it refers to: their names have to be known before its content is.
fn dependencies_first(references: &BTreeMap<String, BTreeSet<String>>) -> Result<Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    let mut waiting: Vec<&String> = references.keys().collect();
    while !waiting.is_empty() {
        let (ready, blocked): (Vec<_>, Vec<_>) =
            waiting.iter().partition(|path| references[**path].iter().all(|needed| order.contains(needed)));
        if ready.is_empty() {
            bail!(
                "these files refer to each other in a circle, so none can be named by its content: {blocked:?}"
            );
        }
        order.extend(ready.into_iter().cloned());
        waiting = blocked;
    }
    Ok(order)
}

fn with_hash(path: &str, digest: &str) -> String {
    let hash = &digest[..16];
    match path.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => format!("{path}.{hash}"),
    }
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> Files {
        pairs.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn page() -> Files {
        files(&[
            ("index.html", r#"<link href="/style.css"><script type="module" src="/boot.js"></script>"#),
            ("boot.js", r#"await import("/app.js"); init("/app_bg.wasm"); fetch("/api/v1/clusters")"#),
            ("app.js", "export default function init() {}"),
            ("app_bg.wasm", "\0asm"),
            ("style.css", "body { background: url(/icon.svg) } a { content: '/' }"),
            ("icon.svg", "<svg/>"),
            ("robots.txt", "Disallow: /"),
        ])
    }

    fn by_source<'a>(published: &'a [Published], source: &str) -> &'a Published {
        published.iter().find(|file| file.source == source).unwrap()
    }

    fn text(file: &Published) -> &str {
        std::str::from_utf8(&file.content).unwrap()
    }

    #[test]
    fn names_carry_the_hash_of_the_published_content() {
        let published = publish(&page()).unwrap();
        for file in &published {
            let hash = &digest(&file.content)[..16];
            assert_eq!(file.path.contains(hash), file.immutable, "{}", file.path);
        }
        let kept: Vec<_> = published.iter().filter(|file| !file.immutable).map(|file| &*file.path).collect();
        assert_eq!(kept, ["index.html", "robots.txt"]);
    }

    #[test]
    fn references_follow_through_every_level() {
        let published = publish(&page()).unwrap();
        let index = text(by_source(&published, "index.html"));
        let boot = by_source(&published, "boot.js");
        assert!(index.contains(&format!("src=\"/{}\"", boot.path)), "{index}");
        assert!(text(boot).contains(&format!("import(\"/{}\")", by_source(&published, "app.js").path)));
        assert!(text(boot).contains(&format!("init(\"/{}\")", by_source(&published, "app_bg.wasm").path)));
        assert!(text(boot).contains("fetch(\"/api/v1/clusters\")"));
        let style = text(by_source(&published, "style.css"));
        assert!(style.contains(&format!("url(/{})", by_source(&published, "icon.svg").path)), "{style}");
    }

    #[test]
    fn a_change_deep_down_renames_all_that_leads_to_it() {
        let before = publish(&page()).unwrap();
        let mut changed = page();
        changed.insert("app_bg.wasm".into(), b"\0asm2".to_vec());
        let after = publish(&changed).unwrap();
        for source in ["app_bg.wasm", "boot.js"] {
            assert_ne!(by_source(&before, source).path, by_source(&after, source).path);
        }
        assert_ne!(by_source(&before, "index.html").content, by_source(&after, "index.html").content);
        assert_eq!(by_source(&before, "style.css").path, by_source(&after, "style.css").path);
    }

    #[test]
    fn a_missing_file_is_an_error_that_names_both() {
        let error = publish(&files(&[("index.html", r#"<link href="/stile.css">"#)])).unwrap_err();
        assert_eq!(error.to_string(), "index.html refers to /stile.css, and there is no such file");
    }

    #[test]
    fn a_circle_is_an_error() {
        let error = publish(&files(&[("a.js", "'/b.js'"), ("b.js", "'/a.js'")])).unwrap_err();
        assert!(error.to_string().contains("in a circle"), "{error}");
    }

    #[test]
    fn a_name_that_begins_like_another_is_left_alone() {
        let published =
            publish(&files(&[("a.js", "'/x.js' '/x.json'"), ("x.js", "1"), ("x.json", "2")])).unwrap();
        let a = text(by_source(&published, "a.js"));
        let expected =
            format!("'/{}' '/{}'", by_source(&published, "x.js").path, by_source(&published, "x.json").path);
        assert_eq!(a, expected);
    }
}
