//! k3s and RKE2: fragments of their configuration.

use super::{NewFlag, names};
use crate::distribution::Distribution;
use crate::remedy::document;
use rampart_shared::{RemediationDocument, RemediationTarget};
use serde_json::{Map, Value};

/// The name that k3s or RKE2 gives its directories and services; none for other distributions.
pub(crate) const fn rancher_name(distribution: Distribution) -> Option<&'static str> {
    match distribution {
        Distribution::K3s => Some("k3s"),
        Distribution::Rke2 => Some("rke2"),
        _ => None,
    }
}

/// Arguments that the component whose list this is gets beside those that it has: of a flag with one value the last
/// counts, of a list all.
///
/// <https://docs.k3s.io/installation/configuration#multiple-config-files>
pub(crate) fn rancher_document(
    target: RemediationTarget,
    name: &str,
    list: &str,
    for_whom: &[String],
    flags: &[NewFlag],
) -> RemediationDocument {
    let key = format!("{list}+");
    let mut choices = Vec::new();
    let mut arguments = Vec::new();
    for (position, (flag, value)) in flags.iter().enumerate() {
        let before = format!("{flag}=");
        choices.extend(value.choice(&before, format!("/{key}/{position}")));
        arguments.push(Value::String(value.field(&before)));
    }
    let services = match target {
        RemediationTarget::Node => format!("{name} ({name}-agent on agents)"),
        _ => name.to_owned(),
    };
    let file = flags.first().map_or(list, |(flag, _)| flag);
    let comment = format!(
        "For {}.\n\
         On each, one after the other: save this as /etc/rancher/{name}/config.yaml.d/rampart-{file}.yaml and restart the\n\
         service {services}. It is added to the list {list} of other files; where the service's own command line has --{list}, that\n\
         hides every file, so add the arguments there.",
        names(for_whom.iter().map(String::as_str)),
    );
    let object = Value::Object(Map::from_iter([(key, Value::Array(arguments))]));
    RemediationDocument { choices, ..document(target, comment, &object) }
}
