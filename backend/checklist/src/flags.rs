//! The flags with which a control-plane component runs, read from its container as the component itself reads them.

use crate::inventory::{Component, Container, Pod};
use std::collections::BTreeMap;

mod words;

use words::{Word, expand, split_script};

/// The flags of one instance of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    component: Component,
    /// `command` or `args` of the container, as findings name it.
    path: String,
    /// Every occurrence of a flag, in order; none where the flag stands without a value.
    given: BTreeMap<String, Vec<Option<Word>>>,
    /// Variables that etcd reads where a flag is not given.
    environment: BTreeMap<String, Option<Word>>,
}

/// What a flag is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<T> {
    /// Neither given nor in the environment.
    Unset,
    /// Its value.
    Known(T),
    /// Its value holds something that only the running container knows; the text as it stands.
    Unclear(String),
}

/// Why the flags of a component cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No container runs the program in a way that is understood.
    #[error("no container of the pod runs {0} by a command that can be read")]
    NoProgram(&'static str),
    /// A shell puts the command together.
    #[error("a shell script starts {0}, and its flags are known only when it runs")]
    Script(&'static str),
    /// A configuration file replaces or carries the flags.
    #[error("--{0} names a configuration file, and what it says cannot be seen from outside")]
    ConfigurationFile(&'static str),
}

impl Flags {
    /// The flags of the component that a pod runs.
    ///
    /// # Errors
    /// When no container's flags can be read; absent flags must never be concluded from that.
    pub fn of_pod(component: Component, pod: &Pod) -> Result<Flags, Unreadable> {
        let program = component.program();
        let containers = &pod.spec.containers;
        let by_name = containers.iter().find(|container| container.name == program);
        match (by_name, &containers[..]) {
            (Some(container), _) | (None, [container]) => Flags::of(component, container),
            _ => {
                let mut readable = containers
                    .iter()
                    .map(|container| Flags::of(component, container))
                    .filter(|flags| !matches!(flags, Err(Unreadable::NoProgram(_))));
                match (readable.next(), readable.next()) {
                    (Some(flags), None) => flags,
                    _ => Err(Unreadable::NoProgram(program)),
                }
            }
        }
    }

    /// The flags of the component that a container runs.
    ///
    /// # Errors
    /// When they cannot be read: a shell script with expansions, an unknown wrapper, a configuration file.
    pub fn of(component: Component, container: &Container) -> Result<Flags, Unreadable> {
        let field = if container.command.is_empty() { "args" } else { "command" };
        let variables: BTreeMap<&str, Option<&str>> = container
            .env
            .iter()
            .map(|variable| (variable.name.as_str(), variable.value.as_deref()))
            .collect();
        let arguments: Vec<Word> =
            container.command.iter().chain(&container.args).map(|text| expand(text, &variables)).collect();
        let arguments = program_arguments(component, container, arguments)?;

        let mut flags = Flags {
            component,
            path: format!("spec.containers[name={}].{field}", container.name),
            given: BTreeMap::new(),
            environment: BTreeMap::new(),
        };
        flags.parse(arguments)?;
        if component == Component::Etcd {
            flags.environment = container
                .env
                .iter()
                .filter(|variable| variable.name.starts_with("ETCD_"))
                .map(|variable| {
                    (variable.name.clone(), variable.value.as_deref().map(|text| expand(text, &variables)))
                })
                // etcd takes an empty variable for one that is not there.
                .filter(|(_, word)| word.as_ref().is_none_or(|word| !word.text.is_empty()))
                .collect();
        }
        let files: &[&'static str] = match component {
            Component::Etcd => &["config-file"],
            Component::ApiServer => &["openshift-config"],
        };
        for file in files {
            if flags.text(file) != Setting::Unset {
                return Err(Unreadable::ConfigurationFile(file));
            }
        }
        Ok(flags)
    }

    /// The flags of arguments alone, as k3s passes them on.
    pub fn of_arguments(component: Component, path: &str, arguments: &[String]) -> Flags {
        let mut flags =
            Flags { component, path: path.to_owned(), given: BTreeMap::new(), environment: BTreeMap::new() };
        // Words without expansions are always readable.
        let words = arguments.iter().map(|text| Word { text: text.clone(), unclear: false }).collect();
        let _readable = flags.parse(words);
        flags
    }

    /// The effective flags that `/flagz` tells. A list comes in brackets, and what could be a credential is not told.
    pub fn of_flagz(component: Component, told: &BTreeMap<String, String>) -> Flags {
        let given = told
            .iter()
            .map(|(name, value)| {
                let inner = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
                let word = Word {
                    text: inner.unwrap_or(value).to_owned(),
                    unclear: matches!(value.as_str(), "CLASSIFIED" | "<redacted>"),
                };
                (name.clone(), vec![Some(word)])
            })
            .collect();
        Flags { component, path: "flags".to_owned(), given, environment: BTreeMap::new() }
    }

    /// Where a flag stands or would stand, relative to the pod; the same whether or not it is there.
    pub fn path(&self, flag: &str) -> String {
        format!("{}[--{flag}]", self.path)
    }

    /// A text: the last occurrence wins, and a flag beats the environment. Empty is unset.
    pub fn text(&self, flag: &str) -> Setting<String> {
        let word = match self.given.get(flag).and_then(|given| given.last()) {
            Some(Some(word)) => word.clone(),
            // A flag that wants a value and has none does not start; nothing is set by it.
            Some(None) => return Setting::Unset,
            None => match self.environment.get(&variable(flag)) {
                Some(Some(word)) => word.clone(),
                Some(None) => return Setting::Unclear(format!("${}", variable(flag))),
                None => return Setting::Unset,
            },
        };
        match word {
            Word { text, unclear: true } => Setting::Unclear(text),
            Word { text, .. } if text.is_empty() => Setting::Unset,
            Word { text, .. } => Setting::Known(text),
        }
    }

    /// A boolean: bare is true, and only `--flag=false` takes a value.
    pub fn boolean(&self, flag: &str) -> Setting<bool> {
        if let Some(None) = self.given.get(flag).and_then(|given| given.last()) {
            return Setting::Known(true);
        }
        match self.text(flag) {
            Setting::Unset => Setting::Unset,
            Setting::Unclear(text) => Setting::Unclear(text),
            // What Go's strconv.ParseBool takes.
            Setting::Known(text) => match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Setting::Known(true),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Setting::Known(false),
                _ => Setting::Unclear(text),
            },
        }
    }

    /// A list of kube-apiserver: occurrences append, values are separated by commas.
    pub fn list(&self, flag: &str) -> Setting<Vec<String>> {
        let Some(given) = self.given.get(flag) else { return Setting::Unset };
        let words: Vec<&Word> = given.iter().flatten().collect();
        if let Some(word) = words.iter().find(|word| word.unclear) {
            return Setting::Unclear(word.text.clone());
        }
        Setting::Known(
            words
                .iter()
                .flat_map(|word| word.text.split(','))
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
                .collect(),
        )
    }

    fn parse(&mut self, arguments: Vec<Word>) -> Result<(), Unreadable> {
        let mut rest = arguments.into_iter().peekable();
        while let Some(word) = rest.next() {
            if word.text == "--" {
                break;
            }
            let flag = self.flag(&word);
            // `"$@"` and the like may hold any flag.
            if word.unclear && flag.as_ref().is_none_or(|(name, _)| name.contains(['$', '`'])) {
                return Err(Unreadable::Script(self.component.program()));
            }
            let Some((name, inline)) = flag else { continue };
            let value = match inline {
                Some(value) => Some(value),
                None if is_boolean(&name) => None,
                None => rest.next_if(|next| !next.text.starts_with('-')),
            };
            self.given.entry(name).or_default().push(value);
        }
        Ok(())
    }

    /// The name of a flag, and its value where that follows an equals sign.
    fn flag(&self, word: &Word) -> Option<(String, Option<Word>)> {
        let body = match (word.text.strip_prefix("--"), self.component) {
            (Some(body), _) => body,
            // Go's own flag package, which etcd uses, takes one dash for two; pflag means shorthands by it.
            (None, Component::Etcd) => word.text.strip_prefix('-')?,
            (None, Component::ApiServer) => return None,
        };
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(Word { text: value.to_owned(), unclear: word.unclear })),
            None => (body, None),
        };
        let name = match self.component {
            Component::ApiServer => name.replace('_', "-"),
            Component::Etcd => name.to_owned(),
        };
        Some((name, value))
    }
}

/// The booleans among the flags that items read.
fn is_boolean(flag: &str) -> bool {
    matches!(
        flag,
        "client-cert-auth" | "peer-client-cert-auth" | "auto-tls" | "peer-auto-tls" | "anonymous-auth"
    )
}

fn variable(flag: &str) -> String {
    format!("ETCD_{}", flag.to_uppercase().replace('-', "_"))
}

/// What follows the program's name.
fn program_arguments(
    component: Component,
    container: &Container,
    arguments: Vec<Word>,
) -> Result<Vec<Word>, Unreadable> {
    let program = component.program();
    let none = Unreadable::NoProgram(program);
    let Some(first) = arguments.first() else { return Err(none) };
    if container.command.is_empty() && first.text.starts_with('-') {
        // The image's entrypoint, which only the container's name speaks for.
        return if container.name == program { Ok(arguments) } else { Err(none) };
    }
    if is_shell(base_name(&first.text)) {
        return script_arguments(program, &arguments);
    }
    after_program(program, arguments).ok_or(none)
}

/// What follows the program's name in a command that may begin with a known wrapper.
fn after_program(program: &str, words: Vec<Word>) -> Option<Vec<Word>> {
    let mut words = words.into_iter();
    let first = words.next().filter(|word| !word.unclear)?;
    if base_name(&first.text) == program {
        return Some(words.collect());
    }
    if !is_wrapper(base_name(&first.text)) {
        return None;
    }
    words.find(|word| !word.unclear && base_name(&word.text) == program)?;
    Some(words.collect())
}

fn script_arguments(program: &'static str, arguments: &[Word]) -> Result<Vec<Word>, Unreadable> {
    let unreadable = Unreadable::Script(program);
    let mut rest = arguments.iter().skip(1);
    // `-c` may stand in a group, as in `-ec`.
    let is_command =
        |word: &&Word| word.text.starts_with('-') && word.text.ends_with('c') && !word.text.starts_with("--");
    rest.find(is_command);
    // What Kubernetes could not expand stands there as `$(NAME)`, and so makes its own word unclear alone.
    let Some(script) = rest.next() else { return Err(unreadable) };
    let Some(commands) = split_script(&script.text) else { return Err(unreadable) };
    let mut found = commands.into_iter().filter_map(|command| after_program(program, command));
    match (found.next(), found.next()) {
        (Some(arguments), None) => Ok(arguments),
        _ => Err(unreadable),
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a command that begins with this word is a shell's.
pub(crate) fn is_shell_command(word: &str) -> bool {
    is_shell(base_name(word))
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "ash" | "dash")
}

/// Programs that run the rest of their arguments as they are.
fn is_wrapper(name: &str) -> bool {
    matches!(
        name,
        "go-runner"
            | "hyperkube"
            | "exec"
            | "nice"
            | "ionice"
            | "env"
            | "tini"
            | "dumb-init"
            | "nohup"
            | "watch-termination"
    )
}

#[cfg(test)]
mod tests;
