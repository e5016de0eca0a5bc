//! Makes the folder that the dashboard is embedded from, so that the backend compiles without a dashboard, and
//! compiles again when there is one.

use std::{env, fs, path::Path};

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(manifest_folder) = env::var_os("CARGO_MANIFEST_DIR") else { return Ok(()) };
    let dashboard = Path::new(&manifest_folder).join("../target/frontend/dist");
    fs::create_dir_all(&dashboard)?;
    // The folder itself, as the build replaces it as a whole, and the list of what is in it.
    println!("cargo:rerun-if-changed=../target/frontend/dist");
    Ok(())
}
