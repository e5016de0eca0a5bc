//! NodeRestriction and Node authorization beside every plugin and mode that there is.

use super::{DISABLE, ENABLE, MODE, PLUGIN, has, k3s_flags};
use crate::flags::{Flags, Setting};
use crate::inventory::Component;
use crate::items::control_plane::{self, Server};
use crate::remedy::control_plane::{
    FlagChanges, NewFlag, control_plane_step, flag, kubeadm_documents, rancher_document, rancher_name,
};
use crate::remedy::{Texts, remainder, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation, RemediationTarget};
use std::collections::{BTreeMap, BTreeSet};

const TEXTS: Texts = Texts {
    changes: "Adds NodeRestriction to the API server's admission plugins and Node to its authorization modes, and keeps \
              every other plugin and mode; RBAC takes the place of AlwaysAllow, beside which Node confines nobody.",
    may_break: "Kubelets whose credentials are not system:node:NODENAME in the group system:nodes lose access under Node \
                authorization: see that `kubectl get nodes` stays Ready after the first server. Tools that label nodes \
                with kubelet credentials under node-restriction.kubernetes.io/ are refused. An API server that \
                allowed everything before (AlwaysAllow) now asks RBAC. Nothing softer can be tried: each API server \
                restarts, so do one at a time.",
    undo: "Each document names the former values: put them back in the same place; the API server restarts by itself.",
};

/// `--admission-control` is the older name of the list of plugins.
const OLDER: &str = "admission-control";

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let mut remediation = remediation(result, TEXTS, Vec::new());
    let findings: Vec<&Finding> = result.application_findings().collect();
    if findings.is_empty() {
        return remediation;
    }
    if let Some(step) = control_plane_step(view.distribution) {
        remediation.remaining.extend(remainder(step, findings));
        return remediation;
    }
    let mut servers = control_plane::servers(view, findings, k3s_flags);
    for server in &mut servers {
        let rules = server.findings.iter().map(|finding| finding.rule.as_str()).collect();
        let (set, removed) = wanted(&server.changes.flags, &rules);
        server.changes = FlagChanges { set, removed, ..server.changes.clone() };
    }
    match rancher_name(view.distribution) {
        Some(name) => by_rancher(&mut remediation, name, servers),
        None => by_kubeadm(&mut remediation, servers),
    }
    remediation
}

/// The whole values with which the flags that fall short hold, and the flags of which nothing is left.
fn wanted(flags: &Flags, rules: &BTreeSet<&str>) -> (Vec<NewFlag>, Vec<&'static str>) {
    let list = |name: &str| match flags.list(name) {
        Setting::Known(list) => list,
        Setting::Unset | Setting::Unclear(_) => Vec::new(),
    };
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    for name in [ENABLE, OLDER] {
        if rules.contains(name) {
            let mut plugins = list(name);
            plugins.push(PLUGIN.to_owned());
            set.push(flag(name, plugins.join(",")));
        }
    }
    if rules.contains(DISABLE) {
        let mut plugins = list(DISABLE);
        plugins.retain(|plugin| plugin != PLUGIN);
        if plugins.is_empty() {
            removed.push(DISABLE);
        } else {
            set.push(flag(DISABLE, plugins.join(",")));
        }
    }
    if rules.contains(MODE) {
        let mut modes = list(MODE);
        modes.retain(|mode| mode != "AlwaysAllow");
        if modes.is_empty() {
            modes.push("RBAC".to_owned());
        }
        modes.insert(0, "Node".to_owned());
        set.push(flag(MODE, modes.join(",")));
    }
    (set, removed)
}

fn by_kubeadm(remediation: &mut Remediation, servers: Vec<Server<'_, '_>>) {
    let (mut changes, mut scripted) = (Vec::new(), Vec::new());
    for server in servers {
        let is_scripted = server.is_scripted();
        let Server { changes: mut own, findings, .. } = server;
        if is_scripted {
            own.set.clear();
            own.removed.clear();
            scripted.extend(findings);
        }
        changes.push(own);
    }
    remediation.documents = kubeadm_documents(Component::ApiServer, &changes, &[]);
    remediation.remaining.extend(remainder(
        "A script starts kube-apiserver, so no document reaches its flags: set them as expected where the script comes from.",
        scripted,
    ));
}

/// Arguments, by their flags.
type Arguments = Vec<(&'static str, &'static str)>;

/// k3s and RKE2 add arguments to those that there are; what has to go, a person takes out.
fn by_rancher(remediation: &mut Remediation, name: &str, servers: Vec<Server<'_, '_>>) {
    let mut left = Vec::new();
    let mut by_arguments: BTreeMap<Arguments, Vec<(String, String)>> = BTreeMap::new();
    for Server { changes, name, findings } in servers {
        let modes = match changes.flags.list(MODE) {
            Setting::Known(modes) => modes,
            _ => Vec::new(),
        };
        let mut added = Vec::new();
        for finding in findings {
            match finding.rule.as_str() {
                ENABLE => added.push((ENABLE, PLUGIN)),
                OLDER => added.push((OLDER, PLUGIN)),
                MODE if modes.is_empty() => added.push((MODE, "Node,RBAC")),
                // A mode that is named twice is refused, so what is there already is not added again.
                MODE if !has(&modes, "AlwaysAllow") => added.push((MODE, "Node")),
                _ => left.push(finding),
            }
        }
        if !added.is_empty() {
            added.sort_unstable();
            by_arguments.entry(added).or_default().push((name, changes.former()));
        }
    }
    for (arguments, servers) in by_arguments {
        let flags: Vec<NewFlag> = arguments.iter().map(|(name, value)| flag(name, *value)).collect();
        let names: Vec<String> = servers.iter().map(|(name, _)| name.clone()).collect();
        let mut document =
            rancher_document(RemediationTarget::ControlPlane, name, "kube-apiserver-arg", &names, &flags);
        let former: BTreeSet<&str> = servers.iter().map(|(_, former)| former.as_str()).collect();
        let former: Vec<&str> = former.into_iter().collect();
        document.comment.push_str(&format!("\nBefore: {}", former.join(", or ")));
        remediation.documents.push(document);
    }
    remediation.remaining.extend(remainder(
        format!(
            "Arguments can be added to those that {name} has, and none taken away: in kube-apiserver-arg of each server's \
             configuration (/etc/rancher/{name}/config.yaml and config.yaml.d) or of its service's command line take \
             {PLUGIN} out of {DISABLE} and AlwaysAllow out of {MODE}, and restart {name}. \
             https://docs.k3s.io/installation/configuration"
        ),
        left,
    ));
}
