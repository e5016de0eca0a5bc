//! Item 4: kubelets ask the API server what a caller may do.

use super::Item;
use super::kubelet::{self, Change, Setting};
use crate::remedy::Texts;
use crate::workloads::View;
use rampart_shared::{Category, ItemId, ItemResult, Remediation};
use serde_json::json;

/// The item.
pub(super) const ITEM: Item = Item {
    id: ItemId::KubeletWebhookAuthorization,
    number: 4,
    category: Category::ClusterComponents,
    title: "Kubelets ask the API server what a caller may do",
    short_title: "Kubelet authorization",
    checks: "The effective configuration of the kubelet on every Ready node, Windows nodes included, as the kubelet \
             itself gives it at /configz: authorization.mode must be Webhook. One node that differs fails the item; a \
             Ready node that was not read keeps it from passing. Where nodes were not read, ConfigMap \
             kube-system/kubelet-config can show a violation.",
    why: "With the mode AlwaysAllow every caller whom the kubelet lets in may do everything there: read logs, run \
          commands in containers. With Webhook the kubelet asks the API server, so that RBAC decides.",
    cannot_see: "Nodes that are not Ready, and virtual nodes, which have no kubelet of their own. Reading /configz needs \
                 a grant; without it the item is unknown or rests on what the ConfigMap declares. Whom RBAC allows to \
                 use the kubelet's API is not part of this item.",
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
            "CIS Kubernetes Benchmark 4.2.2: the authorization mode is not AlwaysAllow",
            "https://www.cisecurity.org/benchmark/kubernetes",
        ),
    ],
    needs: kubelet::NEEDS,
    observe: |view| kubelet::observe(view, &SETTING),
    remedy,
};

const SETTING: Setting = Setting {
    rule: "authorization-mode",
    field: "authorization.mode",
    expected: "Webhook",
    read: |configuration| configuration.authorization.mode.clone().filter(|mode| !mode.is_empty()),
    unset_holds: false,
    shown: |_, _| None,
};

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Sets authorization.mode to Webhook, so that the API server decides what a caller of the kubelet may \
                  do, and authentication.webhook.enabled to true, so that callers with a token are recognised.",
        may_break: "Callers of port 10250 without a right on nodes/proxy, nodes/metrics, nodes/stats or nodes/log, such as \
                    monitoring agents; the API server's own kubelet client needs ClusterRole system:kubelet-api-admin \
                    or the group system:masters. Pods keep running while the kubelet restarts. Nothing softer can be tried: \
                    do one node first, then try `kubectl logs` of a pod there.",
        undo: "The document names the former value: put that in the same place and restart the kubelet.",
    };
    let change = Change {
        fields: json!({
            "authentication": { "webhook": { "enabled": true } },
            "authorization": { "mode": "Webhook" },
        }),
        flags: &[("authentication-token-webhook", "true"), ("authorization-mode", "Webhook")],
        gke: None,
    };
    kubelet::remedy(view, result, texts, &change)
}
