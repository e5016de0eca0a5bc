//! From the crate `rampart-frontend` to a WebAssembly module and the JavaScript that binds it to the browser.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::assets::Files;
use crate::bindings;
use crate::wasm_toolchain::{self, WasmToolchain};
use crate::{node, process, workspace};

const PACKAGE: &str = "rampart-frontend";
const PROFILE: &str = "wasm-release";

/// Compiles the crate and returns the module as the compiler wrote it.
pub(crate) fn compile(toolchain: WasmToolchain) -> Result<Vec<u8>> {
    // A folder of its own: another compiler, other flags, and no waiting for the native build's lock.
    let target = workspace::target().join("wasm");
    println!(
        "Compiling {PACKAGE} to WebAssembly (after a clean checkout usually {}, later seconds)",
        match toolchain {
            WasmToolchain::Current => "1½ minutes",
            WasmToolchain::Debian => "2½ minutes",
        }
    );
    process::run(
        toolchain.build().args(["--package", PACKAGE, "--profile", PROFILE]).arg("--target-dir").arg(&target),
    )?;
    let module = target.join(wasm_toolchain::TARGET).join(PROFILE).join(format!("{PACKAGE}.wasm"));
    fs::read(&module).with_context(|| format!("cannot read {}", module.display()))
}

/// Makes the bindings. Paths are below the web root.
pub(crate) fn bind(module: &[u8]) -> Result<Files> {
    let mut output = Bindgen::new()
        .input_module(PACKAGE, bindings::without_unused_classes(module)?)
        .out_name(PACKAGE)
        .web(true)?
        .typescript(false)
        // `boot.js` says where the module is; a default would be an address without a hash.
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen cannot make the bindings")?;
    if let Some((package, (manifest, _))) = output.npm_dependencies().iter().next() {
        bail!("{} asks for the npm package {package}; the dashboard takes none", manifest.display());
    }

    let mut files = Files::new();
    for (crate_name, snippets) in output.snippets() {
        for (index, text) in snippets.iter().enumerate() {
            files.insert(format!("snippets/{crate_name}/inline{index}.js"), text.clone().into_bytes());
        }
    }
    for (path, text) in output.local_modules() {
        files.insert(format!("snippets/{path}"), text.clone().into_bytes());
    }
    // Addresses from the root, as in all other files, so that they are rewritten like these.
    let script = output.js().replace("'./snippets/", "'/snippets/").replace("\"./snippets/", "\"/snippets/");
    let script = bindings::shorten_names(output.wasm_mut(), &script);
    files.insert(format!("{PACKAGE}.js"), script.into_bytes());
    files.insert(module_path(), output.wasm_mut().emit_wasm());
    Ok(files)
}

/// Where [`bind`] puts the module.
pub(crate) fn module_path() -> String {
    format!("{PACKAGE}_bg.wasm")
}

/// Makes the module smaller.
pub(crate) fn optimise(module: &[u8]) -> Result<Vec<u8>> {
    println!("Optimising the module with wasm-opt (usually 15 seconds)");
    let folder: PathBuf = workspace::own_state();
    fs::create_dir_all(&folder)?;
    let (before, after) = (folder.join("bound.wasm"), folder.join("optimised.wasm"));
    fs::write(&before, module).with_context(|| format!("cannot write {}", before.display()))?;
    // The features that the compiler and wasm-bindgen use, and no more: with all features on, wasm-opt
    // writes modules that browsers refuse.
    process::run(
        node::wasm_opt()?
            .args([
                "-Oz",
                "--enable-bulk-memory",
                "--enable-nontrapping-float-to-int",
                "--enable-sign-ext",
                "--enable-mutable-globals",
                "--enable-reference-types",
                "--enable-multivalue",
                "--output",
            ])
            .args([&after, &before]),
    )?;
    fs::read(&after).with_context(|| format!("cannot read {}", after.display()))
}
