//! Reads a folder of YAML files into untyped values on one core: what reading costs anyone, before any
//! evaluation, without projection and without a second core.
#![allow(clippy::print_stdout, reason = "the result of this program")]

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else { bail!("usage: rampart-baseline FOLDER") };
    let mut documents = 0;
    for file in files_below(Path::new(&folder))? {
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let values: Vec<serde_json::Value> =
            serde_saphyr::from_multiple(&text).with_context(|| format!("cannot parse {}", file.display()))?;
        documents += values.len();
    }
    println!("{documents}");
    Ok(())
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}
