//! What stands above and beside the documents, for whoever applies them.

use super::plan::{Plan, Planned, described};
use crate::remedy::FIELD_MANAGER;
use rampart_shared::RemediationTarget;

/// So many of each list are named; where there are more, the documents name them.
const NAMED: usize = 100;

/// Lines are broken where they would be longer.
const WIDTH: usize = 110;

/// A heading with its lines.
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) lines: Vec<String>,
}

/// How a file or folder is applied.
pub(super) fn apply_command(what: &str) -> String {
    format!("kubectl apply --server-side --field-manager={FIELD_MANAGER} {what}")
}

/// What a plan is.
pub(super) fn title(plan: &Plan) -> String {
    format!("Remediation of {}, stage {}, made by Rampart", plan.cluster, plan.stage.as_str())
}

/// Everything that has to be known before the documents are applied with this, such as `-f FILE`.
pub(super) fn sections(plan: &Plan, how: &str) -> Vec<Section> {
    let mut sections = vec![applying(plan, how)];
    sections.extend(conflicts(plan));
    sections.extend(plan.items.iter().filter(|item| item.has_documents).map(|item| {
        let texts = [("Changes: ", &item.changes), ("May break: ", &item.may_break), ("Undo: ", &item.undo)];
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
        Section {
            heading: format!("Item {}", item.id),
            lines: texts.map(|(name, text)| format!("{name}{text}")).collect(),
        }
    }));
    sections.extend(left_out(plan));
    sections.extend(left_to_people(plan));
    sections
}

fn applying(plan: &Plan, how: &str) -> Section {
    let mut lines = Vec::new();
    let command = apply_command(how);
    if plan.applied().next().is_some() {
        lines.push(command.clone());
        lines.push(format!(
            "Try it first: add --dry-run=server. Nothing but the fields below is changed; {FIELD_MANAGER} owns them \
             afterwards and gives up what an earlier export set on the same objects and this one does not hold."
        ));
    } else if plan.documents.is_empty() {
        lines.push("There is nothing to apply.".to_owned());
    } else {
        lines.push("There is nothing here for kubectl to apply.".to_owned());
    }
    let settings = plan.documents.len() - plan.applied().count();
    if settings > 0 {
        lines.push(format!(
            "{} on machines or at a provider: each says where it goes.",
            if settings == 1 {
                "1 setting is made".to_owned()
            } else {
                format!("{settings} settings are made")
            }
        ));
    }
    Section { heading: "Apply".to_owned(), lines }
}

fn conflicts(plan: &Plan) -> Option<Section> {
    plan.of(RemediationTarget::Apply).next()?;
    let known: Vec<String> = plan.applied().flat_map(conflicts_of).collect();
    let mut lines = vec![if known.is_empty() {
        "No owner of these fields is known whom the changes would be in conflict with. Should the API server name one \
         (\"conflict with\"), --force-conflicts takes exactly those fields over."
            .to_owned()
    } else {
        "Others own these fields and set them otherwise, so that the API server refuses their objects. --force-conflicts \
         takes exactly these fields over:"
            .to_owned()
    }];
    let more = known.len().saturating_sub(NAMED);
    lines.extend(known.into_iter().take(NAMED).map(|conflict| format!("- {conflict}")));
    if more > 0 {
        lines.push(format!("- and {more} more, named at their documents"));
    }
    lines.push(
        "The next plain apply or GitOps sync of an object's old source sets its fields back: change them in that source \
         too."
            .to_owned(),
    );
    Some(Section { heading: "Conflicts".to_owned(), lines })
}

/// `Deployment checkout/cart: spec.replicas, owned by helm`, for each.
pub(super) fn conflicts_of(planned: &Planned) -> impl Iterator<Item = String> {
    let object = described(&planned.object);
    planned
        .conflicts
        .iter()
        .map(move |conflict| format!("{object}: {}, owned by {}", conflict.path, conflict.manager))
}

fn left_out(plan: &Plan) -> Option<Section> {
    let lines: Vec<String> = plan
        .waiting
        .iter()
        .map(|waiting| {
            let input = &waiting.input;
            let objects: Vec<&str> = waiting.objects.iter().take(NAMED).map(String::as_str).collect();
            let more = match waiting.objects.len() - objects.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(
                "- {} (choice {}, such as {}): {}{more}",
                input.label,
                input.name,
                input.example,
                objects.join(", ")
            )
        })
        .collect();
    (!lines.is_empty()).then(|| Section { heading: "Left out until it is chosen".to_owned(), lines })
}

fn left_to_people(plan: &Plan) -> Option<Section> {
    let tasks = plan.items.iter().flat_map(|item| item.remaining.iter().map(move |task| (item.id, task)));
    let lines: Vec<String> = tasks
        .map(|(item, task)| {
            let findings = match task.findings.len() {
                1 => "1 finding".to_owned(),
                number => format!("{number} findings"),
            };
            format!("- {item}, {findings}: {}", task.task)
        })
        .collect();
    (!lines.is_empty()).then(|| Section { heading: "Left to a person".to_owned(), lines })
}

/// A text in lines of at most [`WIDTH`] characters, where its words allow it. Entries of lists hang, and what begins
/// with `kubectl` stays whole.
pub(super) fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        if paragraph.starts_with("kubectl ") {
            lines.push(paragraph.to_owned());
            continue;
        }
        let indent = if paragraph.starts_with("- ") { "  " } else { "" };
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
            } else {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        lines.push(line);
    }
    lines
}

/// The sections as Markdown, in which nothing that a cluster calls itself can be a link, a picture or HTML.
pub(super) fn markdown(title: &str, sections: &[Section]) -> String {
    let mut text = format!("# {}\n", harmless(title));
    for Section { heading, lines } in sections {
        text.push_str(&format!("\n## {}\n\n", harmless(heading)));
        for (position, line) in lines.iter().enumerate() {
            if line.starts_with("kubectl ") {
                // Code begins after an empty line.
                if position > 0 {
                    text.push('\n');
                }
                text.push_str(&format!("    {}\n", line.replace(char::is_control, " ")));
            } else {
                let is_entry = line.starts_with("- ");
                if position > 0 && !is_entry {
                    text.push('\n');
                }
                for line in wrapped(line) {
                    text.push_str(&harmless(&line));
                    text.push('\n');
                }
            }
        }
    }
    text
}

fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '[' | ']' | '`' | '*' | '_' | '\\' | '|' => harmless.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') => harmless.push(' '),
            c => harmless.push(c),
        }
    }
    harmless
}
