//! Default denies for namespaces, with what keeps what is evidently used working, and policies without what voids them.

use super::{ITEM, observe};
use crate::inventory::PolicyDirection;
use crate::judge::judge;
use crate::network::PolicyReference;
use crate::remedy::Texts;
use crate::remedy::network::{Wanted, close};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let mut wanted = Wanted::default();
    for finding in result.application_findings() {
        match finding.rule.as_str() {
            "no-ingress-default-deny" => {
                wanted.deny.insert((finding.subject.name.as_str(), PolicyDirection::Ingress));
            }
            "no-egress-default-deny" => {
                wanted.deny.insert((finding.subject.name.as_str(), PolicyDirection::Egress));
            }
            "allows-all-ingress" => drop(wanted.open.insert((policy(finding), PolicyDirection::Ingress))),
            "allows-all-egress" => drop(wanted.open.insert((policy(finding), PolicyDirection::Egress))),
            _ => {}
        }
    }
    let texts = Texts {
        changes: "Adds to each namespace a NetworkPolicy that selects every pod and allows nothing, for each direction \
                  that has none, and the policies that keep what is evidently used working: into pods, the ports on \
                  which Services send them traffic, from the pods of the cluster, and from anywhere where a Service is \
                  of type LoadBalancer or NodePort, has external addresses, or answers an admission webhook; out of \
                  pods, DNS, the same ports of the cluster's pods, addresses that Services name, and the API server \
                  for accounts that have rights of their own. Ingresses and Gateways send to Services. The kubelet on \
                  a pod's own node always reaches it, so probes need no rule. Rules that allow everything are taken \
                  out of NetworkPolicies.",
        may_break: "What no Service shows stops, new connections at once: addresses outside the cluster that pods call, \
                    such as a provider's API or a database, and ExternalName Services, which policies cannot name; \
                    scraping of metrics and calls from pod to pod on ports that no Service names; controllers that \
                    are aggregated APIs or conversion webhooks; with Cilium, ingress controllers on the network of \
                    their node. The table shows one pod of each workload, before and after. NetworkPolicy knows no \
                    softer stage: flow logs of the network plugin show beforehand what else is used, and one \
                    namespace after the other limits what can go wrong.",
        undo: "kubectl delete the policies that were added, and apply the file that undoes: it puts the rules back that \
               were taken out. Nothing else is touched.",
    };
    close(view, result, texts, &wanted, |view| judge(ITEM.id, ITEM.needs, view.inventory, observe(view)).ok())
}

/// The policy that a finding is about.
fn policy(finding: &Finding) -> PolicyReference {
    let subject = &finding.subject;
    PolicyReference {
        api_version: subject.api_version.clone(),
        kind: subject.kind.clone(),
        namespace: subject.namespace.clone(),
        name: subject.name.clone(),
    }
}
