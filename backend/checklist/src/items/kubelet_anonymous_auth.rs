//! Item 3: kubelets refuse requests without credentials.

use super::Item;
use super::kubelet::{self, Change, Setting};
use crate::remedy::Texts;
use crate::workloads::View;
use rampart_shared::{Category, ItemId, ItemResult, Remediation};
use serde_json::json;

/// The item.
pub(super) const ITEM: Item = Item {
    id: ItemId::KubeletAnonymousAuth,
    number: 3,
    category: Category::ClusterComponents,
    title: "Kubelets refuse anonymous requests",
    short_title: "Kubelet anonymous auth",
    checks: "The effective configuration of the kubelet on every Ready node, Windows nodes included, as the kubelet \
             itself gives it at /configz: authentication.anonymous.enabled must be false. One node that differs fails \
             the item; a Ready node that was not read keeps it from passing. A kubelet that is read directly is first asked \
             without credentials: 401 shows that it refuses them, any other decision that it does not. Where nodes were not read, ConfigMap \
             kube-system/kubelet-config can show a violation.",
    why: "A kubelet can list the pods of its node, read their logs and run commands in their containers. With anonymous \
          authentication on, whoever reaches port 10250 is let in as system:anonymous, and only the kubelet's \
          authorization mode stands between them and the containers.",
    cannot_see: "Nodes that are not Ready, and virtual nodes, which have no kubelet of their own. Reading /configz needs \
                 a grant; without it the item is unknown or rests on what the ConfigMap declares. A configuration that \
                 was changed on disk counts from the kubelet's next start.",
    references: &[
        (
            "Kubernetes: Kubelet authentication/authorization",
            "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/",
        ),
        (
            "Kubernetes: KubeletConfiguration v1beta1",
            "https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/",
        ),
        (
            "CIS Kubernetes Benchmark 4.2.1: anonymous authentication is not enabled",
            "https://www.cisecurity.org/benchmark/kubernetes",
        ),
    ],
    needs: kubelet::NEEDS,
    observe: |view| kubelet::observe(view, &SETTING),
    remedy,
};

const SETTING: Setting = Setting {
    rule: "anonymous",
    field: "authentication.anonymous.enabled",
    expected: "false",
    read: |configuration| configuration.authentication.anonymous.enabled.map(|enabled| enabled.to_string()),
    unset_holds: false,
    shown: |inventory, node| inventory.kubelet_anonymous.get(node).copied(),
};

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Sets authentication.anonymous.enabled to false, so that kubelets answer 401 to requests without \
                  credentials.",
        may_break: "Monitoring that scrapes port 10250 without a token, and health checks against 10250 instead of \
                    10248. Pods keep running while the kubelet restarts. Nothing softer can be tried: do \
                    one node first.",
        undo: "The document names the former value: put that in the same place and restart the kubelet.",
    };
    let change = Change {
        fields: json!({ "authentication": { "anonymous": { "enabled": false } } }),
        flags: &[("anonymous-auth", "false")],
        gke: None,
    };
    kubelet::remedy(view, result, texts, &change)
}
