//! Lists the migrations, so that each new file is embedded without being named anywhere else.

#![allow(clippy::print_stdout, reason = "cargo reads a build script's stdout")]

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    // Asked when it runs, not when it is compiled: a folder of builds may have moved since.
    let manifest_folder =
        env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("cargo sets it"))?;
    let root = Path::new(&manifest_folder).join("../../migrations/sqlite");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files: Vec<_> = fs::read_dir(&root)?
        .map(|entry| Ok(entry?.path()))
        .filter(|path: &io::Result<_>| {
            path.as_ref().map_or(true, |p| p.extension().is_some_and(|e| e == "sql"))
        })
        .collect::<io::Result<_>>()?;
    files.sort();
    let mut list = String::from("[\n");
    for file in &files {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let Some((version, description)) = stem.split_once('_') else {
            return Err(io::Error::other(format!("{}: name it VERSION_DESCRIPTION.sql", file.display())));
        };
        let version: i64 = version.parse().map_err(|_| {
            io::Error::other(format!("{}: the part before the first `_` must be a number", file.display()))
        })?;
        let path = fs::canonicalize(file)?;
        list.push_str(&format!("    ({version}, {description:?}, include_str!({path:?})),\n"));
    }
    list.push(']');
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("sqlite_migrations.rs"), list)
}
