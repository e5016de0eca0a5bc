//! `rampart explain`: what an item checks, why, and what it reads, for people at a terminal.

use super::docs_checklist::role;
use anyhow::bail;
use rampart_checklist::{
    Kind, Need,
    items::{ITEMS, Item},
    rbac,
};
use rampart_shared::{Category, PolicyRule};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    process::ExitCode,
};
use textwrap::{Options, WordSplitter};

/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 100;
/// How alike a name must be to be meant, from 0 to 1.
const ALIKE: f64 = 0.6;
/// Words shorter than this are in too many names.
const SHORTEST_WORD: usize = 3;

#[derive(Debug, clap::Args)]
pub(super) struct ExplainArguments {
    /// The item, as in default-deny; every item where none is named
    item: Option<String>,
}

pub(super) fn run(arguments: &ExplainArguments) -> anyhow::Result<ExitCode> {
    let page = Page::of_stdout();
    let Some(name) = &arguments.item else {
        return super::print(&page.list());
    };
    match ITEMS.iter().find(|item| item.id.as_str() == name.as_str()) {
        Some(item) => super::print(&page.item(item)),
        None => {
            let near = near(name);
            let meant = if near.is_empty() {
                "`rampart explain` lists all".to_owned()
            } else {
                format!("is it {}?", near.join(" or "))
            };
            bail!("the checklist has no item `{name}`: {meant}")
        }
    }
}

/// How a text is set.
struct Page {
    /// Columns.
    width: usize,
    /// Whether headings stand out by the terminal's means.
    bold: bool,
}

impl Page {
    /// As wide as the terminal. What goes into a file or a pipe is plain.
    fn of_stdout() -> Page {
        let is_terminal = io::stdout().is_terminal();
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        Page {
            width: width.unwrap_or(WIDEST).clamp(20, WIDEST),
            bold: is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    fn list(&self) -> String {
        let longest = ITEMS.iter().map(|item| item.id.as_str().len()).max().unwrap_or_default();
        let mut text = String::new();
        for category in Category::ALL {
            let items: Vec<&Item> = ITEMS.iter().filter(|item| item.category == category).collect();
            if !items.is_empty() {
                text.push_str(&self.heading(category.title()));
            }
            for item in items {
                let name = format!("  {:>2}  {:<longest$}  ", item.number, item.id);
                let indent = " ".repeat(name.len());
                text.push_str(&self.wrapped(item.title, &name, &indent));
            }
        }
        text
    }

    fn item(&self, item: &Item) -> String {
        let mut text = self.wrapped(&format!("{}. {}", item.number, item.title), "", "");
        text.push_str(&self.wrapped(&format!("{}, {}", item.id, item.category.title()), "", ""));
        for (heading, words) in [
            ("What it checks", item.checks),
            ("Why it matters", item.why),
            ("What it cannot see", item.cannot_see),
        ] {
            text.push_str(&self.heading(heading));
            let paragraphs: Vec<String> =
                words.trim().split("\n\n").map(|paragraph| self.wrapped(paragraph, "  ", "  ")).collect();
            text.push_str(&paragraphs.join("\n"));
        }
        text.push_str(&self.heading("What it reads"));
        for need in item.needs {
            let line = format!("{}, {}; {}", need.kind.name(), role(need.role), grant(need.kind));
            text.push_str(&self.wrapped(&line, "  - ", "    "));
        }
        let rules = rules(item.needs);
        if !rules.is_empty() {
            text.push_str(&self.heading("The grants, as rules of a ClusterRole"));
            for rule in rules {
                text.push_str(&textwrap::indent(&rbac::rule_yaml(&rule), "  "));
            }
        }
        text.push_str(&self.heading("References"));
        for reference in item.references {
            // An address stays whole, so that terminals recognise it.
            text.push_str(&self.wrapped(reference.0, "  - ", "    "));
            text.push_str(&format!("    {}\n", reference.1));
        }
        text
    }

    fn heading(&self, words: &str) -> String {
        let words = textwrap::fill(words, self.width);
        if self.bold { format!("\n\u{1b}[1m{words}\u{1b}[0m\n") } else { format!("\n{words}\n") }
    }

    fn wrapped(&self, words: &str, first: &str, rest: &str) -> String {
        // Texts may be broken in the source; a paragraph is one line.
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        // Flags and names stay whole, so that they can be copied.
        let options = Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(rest)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        format!("{}\n", textwrap::fill(&words, options))
    }
}

/// What has to be granted for a kind.
fn grant(kind: Kind) -> String {
    let served = if kind.is_optional() { ", where the cluster serves it" } else { "" };
    match rbac::rule_of_any(kind) {
        Some(rule) => {
            let on = if rule.resources.is_empty() { &rule.non_resource_urls } else { &rule.resources };
            format!("grant: {} on {}{served}", rule.verbs.join(", "), on.join(", "))
        }
        None => "no grant of its own".to_owned(),
    }
}

/// The grants of all needs, one rule for each API group and its verbs.
fn rules(needs: &[Need]) -> Vec<PolicyRule> {
    let mut merged: BTreeMap<(Vec<String>, Vec<String>), PolicyRule> = BTreeMap::new();
    for rule in needs.iter().filter_map(|need| rbac::rule_of_any(need.kind)) {
        let known = merged.entry((rule.api_groups.clone(), rule.verbs.clone()));
        known.and_modify(|known| known.resources.extend(rule.resources.clone())).or_insert(rule);
    }
    let mut rules: Vec<PolicyRule> = merged.into_values().collect();
    for rule in &mut rules {
        rule.resources.sort();
        rule.resources.dedup();
    }
    rules
}

/// The items whose names are like this text or share a word with it, the nearest first.
fn near(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .collect();
    let mut near: Vec<(f64, &'static str)> = ITEMS
        .iter()
        .map(|item| item.id.as_str())
        .filter_map(|name| {
            let alike = strsim::normalized_damerau_levenshtein(&text, name);
            let shares = name.split('-').any(|word| words.iter().any(|said| word.starts_with(said)));
            (alike >= ALIKE || shares).then_some((alike, name))
        })
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().map(|(_, name)| name).take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_by_likeness_and_by_words() {
        assert_eq!(near("defualt-deny").first(), Some(&"default-deny"));
        assert_eq!(near("etcd"), ["etcd-tls"]);
        assert!(near("Kubelet").len() > 2);
        assert_eq!(near("xyzzy"), [""; 0]);
    }

    #[test]
    fn every_text_fits_whatever_the_width() {
        for width in [20, 47, 100] {
            let page = Page { width, bold: false };
            for item in ITEMS {
                for line in page.item(item).lines() {
                    let one_word = line.trim_start_matches(['-', ' ']).split(' ').count() == 1;
                    let is_yaml = line.contains(": [");
                    assert!(line.chars().count() <= width || one_word || is_yaml, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn only_a_terminal_is_sent_more_than_text() {
        let plain = Page { width: 80, bold: false }.list();
        let bold = Page { width: 80, bold: true }.list();
        assert!(!plain.contains('\u{1b}') && bold.contains("\u{1b}[1m"));
    }
}
