//! Makes what stands between the module and the browser smaller than wasm-bindgen makes it.

use std::collections::HashMap;

use anyhow::{Context, Result};
use walrus::{Module, ModuleConfig, RawCustomSection};

/// Where the compiler leaves for wasm-bindgen what crates export to and import from JavaScript.
const SECTION: &str = "__wasm_bindgen_unstable";

/// Classes that a crate exports, and that nothing here uses: Leptos brings `wasm-streams` for server functions.
/// Whatever is exported stays, with all that it calls.
const UNUSED_CLASSES: &str = "IntoUnderlying";

/// The module as the compiler wrote it, without the classes that are not used.
pub(crate) fn without_unused_classes(module: &[u8]) -> Result<Module> {
    // As wasm-bindgen reads it.
    let mut module = ModuleConfig::new()
        .strict_validate(false)
        .generate_dwarf(false)
        .generate_name_section(false)
        .generate_producers_section(false)
        .parse(module)
        .context("cannot read the module that the compiler wrote")?;
    while let Some(section) = module.customs.remove_raw(SECTION) {
        let data = programs_without(UNUSED_CLASSES, &section.data)
            .with_context(|| format!("the section {SECTION} ends too soon"))?;
        // Another section of this name would be found again by this loop.
        module.customs.add(RawCustomSection { name: format!("{SECTION}-kept"), data });
    }
    while let Some(section) = module.customs.remove_raw(&format!("{SECTION}-kept")) {
        module.customs.add(RawCustomSection { name: SECTION.to_owned(), data: section.data });
    }
    let functions = UNUSED_CLASSES.to_ascii_lowercase();
    let exports: Vec<_> = module
        .exports
        .iter()
        .filter(|export| export.name.contains(&functions))
        .map(|export| export.id())
        .collect();
    for export in exports {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(&mut module);
    Ok(module)
}

/// The section's programs that do not hold a text. Each is a version and a body, each of these after its length.
fn programs_without(text: &str, mut section: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(section.len());
    while !section.is_empty() {
        let version = length(section)?;
        let program = version + length(section.get(version..)?)?;
        let (program, rest) = section.split_at_checked(program)?;
        if !program.windows(text.len()).any(|window| window == text.as_bytes()) {
            kept.extend_from_slice(program);
        }
        section = rest;
    }
    Some(kept)
}

/// How many bytes a part takes together with its length.
fn length(part: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*part.first_chunk()?);
    usize::try_from(length).ok()?.checked_add(4)
}

/// Gives what the module and its script call each other by a hash short names, in both; returns the script.
/// Hashes do not compress, and each stands in both.
pub(crate) fn shorten_names(module: &mut Module, script: &str) -> String {
    let mut short = HashMap::new();
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    for name in imports.chain(module.exports.iter_mut().map(|export| &mut export.name)) {
        if has_hash(name) {
            let number = short.len();
            let shortened: &String = short.entry(name.clone()).or_insert_with(|| format!("${number}"));
            name.clone_from(shortened);
        }
    }
    renamed(script, &short)
}

/// Whether one of the name's words is a hash: sixteen hexadecimal digits, perhaps after an `h`.
fn has_hash(name: &str) -> bool {
    name.split('_').any(|word| {
        let digits = word.strip_prefix('h').unwrap_or(word);
        digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// A script with other names.
fn renamed(script: &str, names: &HashMap<String, String>) -> String {
    let is_of_name = |c: char| c == '_' || c == '$' || c.is_alphanumeric();
    let mut renamed = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.find(is_of_name) {
        let (before, name_on) = rest.split_at(start);
        let (name, after) = name_on.split_at(name_on.find(|c| !is_of_name(c)).unwrap_or(name_on.len()));
        renamed.push_str(before);
        renamed.push_str(names.get(name).map_or(name, String::as_str));
        rest = after;
    }
    renamed + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(body: &str) -> Vec<u8> {
        let part = |text: &str| [&u32::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat();
        [part("{\"version\":1}"), part(body)].concat()
    }

    #[test]
    fn programs_that_hold_the_text_are_left_out() {
        let section = [program("a"), program("class IntoUnderlyingSink"), program("")].concat();
        assert_eq!(
            programs_without("IntoUnderlying", &section).unwrap(),
            [program("a"), program("")].concat()
        );
        assert_eq!(programs_without("x", &[]), Some(vec![]));
        assert_eq!(programs_without("x", &section[..section.len() - 1]), None);
    }

    #[test]
    fn names_with_a_hash_are_told_from_others() {
        for name in ["__wbg_new_with_str_f3fabb7c01bc9cf7", "invoke__h90d683cab9a822c4_13"] {
            assert!(has_hash(name), "{name}");
        }
        for name in ["__wbindgen_malloc", "memory", "main", "deadbeef", "__wbg_get_accessibility"] {
            assert!(!has_hash(name), "{name}");
        }
    }

    #[test]
    fn whole_names_are_replaced_in_a_script() {
        let names =
            HashMap::from([("f_1".to_owned(), "$0".to_owned()), ("f_1_3".to_owned(), "$1".to_owned())]);
        let script = "f_1: function() { return wasm.f_1_3(f_12, 'f_1', `${f_1}`); } //ü";
        assert_eq!(renamed(script, &names), "$0: function() { return wasm.$1(f_12, '$0', `${$0}`); } //ü");
    }
}
