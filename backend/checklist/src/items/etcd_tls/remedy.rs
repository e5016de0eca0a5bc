//! Certificates and https addresses for etcd and the API servers, where kubeadm's files are what they use.

use super::{
    ADDRESSES, Address, CLIENT_AUTHENTICATION, CLIENT_FILES, FILES, GENERATED, OVERRIDES, SERVERS,
    without_credentials,
};
use crate::distribution::Distribution;
use crate::flags::{Flags, Setting};
use crate::inventory::{Component, Pod};
use crate::items::control_plane;
use crate::remedy::control_plane::{
    FlagChanges, NewFlag, control_plane_step, flag, holds_credential, kubeadm_documents, rancher_name,
    takes_flags,
};
use crate::remedy::{Texts, remainder, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation, RemediationDocument};
use std::collections::{BTreeMap, BTreeSet};

const TEXTS: Texts = Texts {
    changes: "Gives every etcd member and API server the certificates that kubeadm makes for them, demands client \
              certificates, switches generated ones off, and replaces plain HTTP addresses by https.",
    may_break: "Everything that talks to etcd without a certificate: backup jobs, monitoring, scripts with etcdctl. Nothing \
                softer can be tried, and while a member and its API server differ, that API server does not answer. So take a \
                snapshot first, `etcdctl snapshot save FILE`. A running cluster keeps its members' peer addresses itself: \
                `etcdctl member list` shows the IDs, and `etcdctl member update ID --peer-urls=https://ADDRESS:2380` changes \
                one, before its member restarts with the new address; --initial-cluster counts only when a member is new. \
                Then change etcd before the API server, one node after the other, and wait for `etcdctl endpoint health` \
                each time.",
    undo: "Each document names the former flags: put them back in the same place, etcd's and the API server's together, and \
           the peer addresses by `etcdctl member update`; the kubelet restarts the pods.",
};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let mut remediation = remediation(result, TEXTS, Vec::new());
    let findings: Vec<&Finding> = result.application_findings().collect();
    if findings.is_empty() {
        return remediation;
    }
    if let Some(step) = elsewhere(view.distribution) {
        remediation.remaining.extend(remainder(step, findings));
        return remediation;
    }
    let mut by_subject: BTreeMap<(Option<&str>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let subject = &finding.subject;
        by_subject.entry((subject.namespace.as_deref(), &subject.name)).or_default().push(finding);
    }
    let mut left: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    let mut site = Site {
        directory: match view.distribution {
            Distribution::Minikube => "/var/lib/minikube/certs",
            _ => "/etc/kubernetes/pki",
        },
        has_members: !control_plane::pods(view, Component::Etcd).is_empty(),
        has_several_servers: control_plane::pods(view, Component::ApiServer).len() > 1,
        needs_listener: false,
    };
    // What the API servers shall find by https has to be there, and first.
    for component in [Component::ApiServer, Component::Etcd] {
        let mut instances = Vec::new();
        for pod in control_plane::pods(view, component) {
            let Ok(flags) = Flags::of_pod(component, pod) else { continue };
            let namespace = Some(pod.meta.namespace.as_str());
            let own = by_subject.remove(&(namespace, pod.meta.name.as_str())).unwrap_or_default();
            instances.push(site.changes(component, Some(pod), flags, own, &mut left));
        }
        if component == Component::ApiServer
            && let Some(own) = by_subject.remove(&(None, component.program()))
            && let Some(flags) = control_plane::flagz(view)
        {
            instances.push(site.changes(component, None, flags, own, &mut left));
        }
        let mut set = instances.iter().flat_map(|instance| &instance.set);
        site.needs_listener |= set.any(|(name, _)| *name == SERVERS);
        // Each member's addresses are its own.
        let mut documents = kubeadm_documents(component, &instances, &ADDRESSES);
        tell_peers(&mut documents);
        remediation.documents.splice(0..0, documents);
    }
    remediation.remaining.extend(left.into_iter().filter_map(|(task, findings)| remainder(task, findings)));
    remediation
}

/// What somebody does where neither kubeadm nor anything like it made etcd.
fn elsewhere(distribution: Distribution) -> Option<String> {
    if let Some(name) = rancher_name(distribution) {
        return Some(format!(
            "{name} makes etcd's certificates and sets these flags itself: take what overrides them out of etcd-arg and \
             kube-apiserver-arg, in /etc/rancher/{name} or on its service's command line, on each server. A datastore of your \
             own gets its https addresses and certificates by datastore-endpoint, datastore-cafile, datastore-certfile and \
             datastore-keyfile. https://docs.k3s.io/datastore"
        ));
    }
    control_plane_step(distribution).map(str::to_owned)
}

/// What is known of where etcd and its certificates are.
struct Site {
    /// The directory of certificates.
    directory: &'static str,
    /// Whether etcd's members are among the pods.
    has_members: bool,
    /// Whether there are several API servers.
    has_several_servers: bool,
    /// Whether API servers shall find etcd by https where they found it by http.
    needs_listener: bool,
}

impl Site {
    /// What changes in the flags of one instance; what no document can change is left to a person.
    fn changes<'v, 'f>(
        &self,
        component: Component,
        pod: Option<&'v Pod>,
        flags: Flags,
        findings: Vec<&'f Finding>,
        left: &mut BTreeMap<String, Vec<&'f Finding>>,
    ) -> FlagChanges<'v> {
        let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
        let mut set = Vec::new();
        match self.obstacle(component, pod, &flags, &rules) {
            Some(task) => left.entry(task).or_default().extend(findings),
            None if component == Component::Etcd => {
                set = self.member_flags(&flags, &rules);
            }
            None => {
                set.extend(self.files(&CLIENT_FILES, &rules));
                set.extend([SERVERS, OVERRIDES].into_iter().filter(|name| rules.contains(name)).map(
                    |name| {
                        let Setting::Known(values) = flags.list(name) else { return flag(name, "") };
                        let values: Vec<String> = values.iter().map(|value| secured(name, value)).collect();
                        flag(name, values.join(","))
                    },
                ));
            }
        }
        FlagChanges { pod, flags, set, removed: Vec::new() }
    }

    fn member_flags(&self, flags: &Flags, rules: &BTreeSet<&str>) -> Vec<NewFlag> {
        let mut set: Vec<NewFlag> = self.files(&FILES, rules).collect();
        let named = |names: &[&'static str], value: &'static str| -> Vec<NewFlag> {
            names.iter().filter(|name| rules.contains(*name)).map(|name| flag(name, value)).collect()
        };
        set.extend(named(&CLIENT_AUTHENTICATION, "true"));
        set.extend(named(&GENERATED.map(|(name, ..)| name), "false"));
        for name in ADDRESSES {
            let is_clients = matches!(name, "listen-client-urls" | "advertise-client-urls");
            match flags.text(name) {
                Setting::Known(text) | Setting::Unclear(text) => {
                    let secured = secured(name, &text);
                    if rules.contains(name) || (is_clients && self.needs_listener && secured != text) {
                        set.push(flag(name, secured));
                    }
                }
                // etcd's own default is http.
                Setting::Unset if is_clients && self.needs_listener => {
                    set.push(flag(name, "https://127.0.0.1:2379"));
                }
                Setting::Unset => {}
            }
        }
        set
    }

    fn files(
        &self,
        files: &'static [(&'static str, &'static str)],
        rules: &BTreeSet<&str>,
    ) -> impl Iterator<Item = NewFlag> {
        let missing = files.iter().filter(|(name, _)| rules.contains(name));
        missing.map(|(name, file)| flag(name, format!("{}/{file}", self.directory)))
    }

    /// Why a person has to do it, and how.
    fn obstacle(
        &self,
        component: Component,
        pod: Option<&Pod>,
        flags: &Flags,
        rules: &BTreeSet<&str>,
    ) -> Option<String> {
        if rules.is_empty() {
            return None;
        }
        let wanted: Vec<String> = rules.iter().map(|rule| format!("--{rule}")).collect();
        let wanted = wanted.join(", ");
        if let Some(pod) = pod
            && !takes_flags(pod, component)
        {
            return Some(format!(
                "A script starts {}, so no document reaches its flags: set {wanted} where the script comes from, on each node of \
                 the control plane.",
                component.program()
            ));
        }
        if component == Component::ApiServer && !self.has_members {
            return Some(
                "etcd is not among the pods, so where its certificates lie is not known: give it certificates for clients and \
                 peers, then give the API servers https addresses and a certificate of their own, with kubeadm by endpoints, \
                 caFile, certFile and keyFile under etcd.external of the ClusterConfiguration. \
                 https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/#external-etcd-nodes"
                    .to_owned(),
            );
        }
        let has_credential = |name: &&str| match flags.list(name) {
            Setting::Known(values) => {
                rules.contains(*name) && values.iter().any(|value| holds_credential(value))
            }
            _ => false,
        };
        // A patch would have to name the former word, and with it the credential.
        if self.has_several_servers && [SERVERS, OVERRIDES].iter().any(has_credential) {
            return Some(format!(
                "An address of etcd holds a credential, which no document repeats: set {wanted} in the static pod's manifest, \
                 the addresses with https and without the credential."
            ));
        }
        let files: &[(&str, &str)] = if component == Component::Etcd { &FILES } else { &CLIENT_FILES };
        let is_foreign = files.iter().any(|(name, file)| match flags.text(name) {
            Setting::Known(path) => path != format!("{}/{file}", self.directory),
            Setting::Unclear(_) => true,
            Setting::Unset => false,
        });
        (is_foreign && files.iter().any(|(name, _)| rules.contains(name))).then(|| {
            format!(
                "Other certificates of {} lie outside kubeadm's places under {}, so no file there would belong to them: set \
                 {wanted} in the static pod's manifest, to the files beside those.",
                component.program(),
                self.directory
            )
        })
    }
}

/// A flag's value with https for http, and without what somebody wrote before a host.
pub(super) fn secured(name: &str, value: &str) -> String {
    let each = |list: &str, separator: char, one: &dyn Fn(&str) -> String| {
        let parts: Vec<String> = list.split(separator).map(|part| one(part.trim())).collect();
        parts.join(&separator.to_string())
    };
    match name {
        OVERRIDES => match value.split_once('#') {
            Some((resource, servers)) => format!("{resource}#{}", each(servers, ';', &secured_address)),
            None => each(value, ';', &secured_address),
        },
        "initial-cluster" => each(value, ',', &|member| match member.split_once('=') {
            Some((name, url)) => format!("{name}={}", secured_address(url)),
            None => secured_address(member),
        }),
        _ => each(value, ',', &secured_address),
    }
}

fn secured_address(url: &str) -> String {
    match Address::of(url) {
        Address::Plain | Address::PlainLoopback => {
            let address = without_credentials(url);
            let host = address.split_once("://").map_or(address.as_str(), |(_, host)| host);
            if host.is_empty() { String::new() } else { format!("https://{host}") }
        }
        Address::Tls | Address::Unclear => without_credentials(url),
        Address::Socket => url.to_owned(),
    }
}

/// A member that changes its peer address tells the others first.
fn tell_peers(documents: &mut [RemediationDocument]) {
    const PEERS: &str = "--initial-advertise-peer-urls=";
    for document in documents {
        let words = document.object["spec"]["containers"][0]["args"].as_array().into_iter().flatten();
        let urls = words.filter_map(|word| word.as_str()?.strip_prefix(PEERS)).next();
        if let Some(urls) = urls {
            let told = format!(
                "\nFirst, on any member: `etcdctl member list` shows this member's ID; then\n\
                 `etcdctl member update ID --peer-urls={urls}`."
            );
            document.comment.push_str(&told);
        }
    }
}
