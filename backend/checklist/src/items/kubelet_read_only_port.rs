//! Item 5: kubelets serve no port without authentication.

use super::Item;
use super::kubelet::{self, Change, Setting};
use crate::remedy::Texts;
use crate::workloads::View;
use rampart_shared::{Category, ItemId, ItemResult, Remediation};
use serde_json::json;

/// The item.
pub(super) const ITEM: Item = Item {
    id: ItemId::KubeletReadOnlyPort,
    number: 5,
    category: Category::ClusterComponents,
    title: "Kubelets serve no read-only port",
    short_title: "Kubelet read-only port",
    checks: "The effective configuration of the kubelet on every Ready node, Windows nodes included, as the kubelet \
             itself gives it at /configz: readOnlyPort must be 0 or absent, which is the same. One node that differs \
             fails the item; a Ready node that was not read keeps it from passing. Where nodes were not read, ConfigMap \
             kube-system/kubelet-config can show a violation.",
    why: "The read-only port, 10255 where it is on, speaks plain HTTP and asks nobody who they are. It shows every pod of \
          the node with its environment variables, and the node's metrics, to whoever reaches it.",
    cannot_see: "Nodes that are not Ready, and virtual nodes, which have no kubelet of their own. Reading /configz needs \
                 a grant; without it the item is unknown or rests on what the ConfigMap declares. Whether a firewall \
                 covers the port does not count.",
    references: &[
        (
            "Kubernetes: KubeletConfiguration v1beta1",
            "https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/",
        ),
        (
            "Kubernetes: Security checklist",
            "https://kubernetes.io/docs/concepts/security/security-checklist/",
        ),
        (
            "CIS Kubernetes Benchmark 4.2.4: the read-only port is 0",
            "https://www.cisecurity.org/benchmark/kubernetes",
        ),
    ],
    needs: kubelet::NEEDS,
    observe: |view| kubelet::observe(view, &SETTING),
    remedy,
};

const SETTING: Setting = Setting {
    rule: "read-only-port",
    field: "readOnlyPort",
    expected: "0",
    read: |configuration| configuration.read_only_port.map(|port| port.to_string()),
    unset_holds: true,
    shown: |_, _| None,
};

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Sets readOnlyPort to 0, so that the kubelet serves its authenticated port alone.",
        may_break: "Monitoring that still scrapes port 10255; it has to move to 10250 with a token. Pods keep running \
                    while the kubelet restarts. Nothing softer can be tried: do \
                    one node first.",
        undo: "The document names the former value: put that in the same place and restart the kubelet.",
    };
    let change = Change {
        fields: json!({ "readOnlyPort": 0 }),
        flags: &[("read-only-port", "0")],
        gke: Some(json!({ "kubeletConfig": { "insecureKubeletReadonlyPortEnabled": false } })),
    };
    kubelet::remedy(view, result, texts, &change)
}
