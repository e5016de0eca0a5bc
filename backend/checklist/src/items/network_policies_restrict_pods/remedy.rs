//! Default denies for ingress, with what keeps what is evidently used working, and policies without what voids them.

use super::{Cache, ITEM, observe};
use crate::inventory::PolicyDirection;
use crate::judge::judge;
use crate::network::{Isolation, Open};
use crate::remedy::Texts;
use crate::remedy::network::{Wanted, close};
use crate::workloads::View;
use rampart_shared::{ItemResult, Remediation, Subject};
use std::collections::{BTreeSet, HashMap};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let of_rule = |rule: &'static str| {
        result
            .application_findings()
            .filter(move |finding| finding.rule == rule)
            .map(|finding| &finding.subject)
    };
    let mut wanted = Wanted::default();
    for subject in of_rule("not-isolated") {
        wanted
            .deny
            .extend(subject.namespace.as_deref().map(|namespace| (namespace, PolicyDirection::Ingress)));
    }
    let open: BTreeSet<&Subject> = of_rule("allows-all-ingress").collect();
    if !open.is_empty() {
        let mut isolation = Cache { network: &view.network().policies, known: HashMap::new() };
        for pod in view.workloads.iter().filter(|one| open.contains(&one.subject)).flat_map(|one| &one.pods) {
            if let Isolation::Open(Open::AllowAll { policies, .. }) =
                isolation.of(pod, PolicyDirection::Ingress)
            {
                wanted.open.extend(policies.iter().map(|policy| (policy.clone(), PolicyDirection::Ingress)));
            }
        }
    }
    let texts = Texts {
        changes: "Adds to each namespace with pods that no policy isolates a NetworkPolicy that selects every pod for \
                  ingress and allows nothing, and the policies that keep what is evidently used working: the ports on \
                  which Services send traffic to pods, from the pods of the cluster, and from anywhere where a Service \
                  is of type LoadBalancer or NodePort, has external addresses, or answers an admission webhook. \
                  Ingresses and Gateways send to Services. The kubelet on a pod's own node always reaches it, so \
                  probes need no rule. Rules that allow everything are taken out of NetworkPolicies. Egress is left to \
                  the item on default denies, whose remedy has the same policies for ingress.",
        may_break: "Connections to pods on ports that no Service names stop, new ones at once: scraping of metrics, \
                    calls from pod to pod; controllers that are aggregated APIs or conversion webhooks; with Cilium, \
                    ingress controllers on the network of their node. The table shows one pod of each workload, \
                    before and after. NetworkPolicy knows no softer stage: flow logs of the network plugin show \
                    beforehand what else is used, and one namespace after the other limits what can go wrong.",
        undo: "kubectl delete the policies that were added, and apply the file that undoes: it puts the rules back that \
               were taken out. Nothing else is touched.",
    };
    close(view, result, texts, &wanted, |view| judge(ITEM.id, ITEM.needs, view.inventory, observe(view)).ok())
}
