//! The words of a static pod's command, flag by flag.

use crate::flags::is_shell_command;
use crate::inventory::{Component, Container, Pod};
use std::sync::Arc;

/// The container that runs the component: the one of its name, or the only one.
pub(crate) fn container(pod: &Pod, component: Component) -> Option<&Container> {
    let containers = &pod.spec.containers;
    containers.get(position(containers, component)?)
}

/// The same, to be changed.
pub(crate) fn container_mut(pod: &mut Pod, component: Component) -> Option<&mut Container> {
    let containers = &mut Arc::make_mut(&mut pod.spec).containers;
    let position = position(containers, component)?;
    containers.get_mut(position)
}

fn position(containers: &[Container], component: Component) -> Option<usize> {
    let named = containers.iter().position(|container| container.name == component.program());
    named.or((containers.len() == 1).then_some(0))
}

/// Whether a further word of the command is a flag of the component; in a shell's it is none.
pub(crate) fn takes_flags(pod: &Pod, component: Component) -> bool {
    container(pod, component).is_some_and(|container| {
        let first = container.command.first().or(container.args.first());
        first.is_some_and(|first| !is_shell_command(first))
    })
}

/// The words that stay without a flag, and those that set it.
pub(crate) fn without_flag(words: &[String], flag: &str) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut gone) = (Vec::with_capacity(words.len()), Vec::new());
    let mut is_value = false;
    for word in words {
        let body = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
        let sets = body.is_some_and(|body| body.split_once('=').map_or(body, |(name, _)| name) == flag);
        let follows = std::mem::take(&mut is_value) && body.is_none();
        is_value = sets && !word.contains('=');
        let words = if sets || follows { &mut gone } else { &mut kept };
        words.push(word.clone());
    }
    (kept, gone)
}
