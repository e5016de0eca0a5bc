//! Which distribution or provider runs a cluster.

use crate::Inventory;
use std::fmt;

/// A distribution or provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Distribution {
    /// Amazon EKS.
    Eks,
    /// Google GKE.
    Gke,
    /// Azure AKS.
    Aks,
    /// Red Hat OpenShift.
    OpenShift,
    /// k3s.
    K3s,
    /// RKE2.
    Rke2,
    /// kind.
    Kind,
    /// minikube.
    Minikube,
    /// kops.
    Kops,
    /// Talos.
    Talos,
    /// MicroK8s.
    MicroK8s,
    /// kubeadm.
    Kubeadm,
    /// None that is recognised.
    #[default]
    Unrecognised,
}

impl Distribution {
    /// Recognises the distribution by server version, provider IDs, node labels and known objects.
    pub fn of(inventory: &Inventory) -> Distribution {
        let version = inventory.version.as_deref().unwrap_or_default();
        let nodes = &inventory.nodes.seen;
        let label = |name: &str| nodes.iter().any(|node| node.meta.labels.contains_key(name));
        let label_prefix = |prefix: &str| {
            nodes.iter().any(|node| node.meta.labels.keys().any(|key| key.starts_with(prefix)))
        };
        let provider = |prefix: &str| nodes.iter().any(|node| node.provider_id.starts_with(prefix));
        let pod_label = |name: &str, value: &str| {
            inventory.pods.seen.iter().any(|pod| {
                pod.meta.namespace == "kube-system"
                    && pod.meta.labels.get(name).is_some_and(|found| found.starts_with(value))
            })
        };

        if label("node.openshift.io/os_id")
            || inventory.namespaces.seen.iter().any(|namespace| namespace.name == "openshift-apiserver")
        {
            Distribution::OpenShift
        } else if version.contains("-eks-") || label_prefix("eks.amazonaws.com/") {
            Distribution::Eks
        } else if version.contains("-gke.") || label_prefix("cloud.google.com/gke-") {
            Distribution::Gke
        } else if label_prefix("kubernetes.azure.com/") {
            Distribution::Aks
        } else if version.contains("+k3s") || provider("k3s://") {
            Distribution::K3s
        } else if version.contains("+rke2") || provider("rke2://") {
            Distribution::Rke2
        } else if provider("kind://") {
            Distribution::Kind
        } else if label("minikube.k8s.io/name") {
            Distribution::Minikube
        } else if label("microk8s.io/cluster") {
            Distribution::MicroK8s
        } else if nodes.iter().any(|node| node.os_image.starts_with("Talos")) {
            Distribution::Talos
        } else if label_prefix("kops.k8s.io/") || pod_label("k8s-app", "etcd-manager-") {
            Distribution::Kops
        } else if nodes
            .iter()
            .any(|node| node.meta.annotations.contains_key("kubeadm.alpha.kubernetes.io/cri-socket"))
        {
            Distribution::Kubeadm
        } else {
            Distribution::Unrecognised
        }
    }

    /// Whether the provider runs the control plane and shows it to nobody.
    pub const fn hides_control_plane(self) -> bool {
        matches!(self, Distribution::Eks | Distribution::Gke | Distribution::Aks)
    }

    /// Its name; none when it is not recognised.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Distribution::Eks => Some("EKS"),
            Distribution::Gke => Some("GKE"),
            Distribution::Aks => Some("AKS"),
            Distribution::OpenShift => Some("OpenShift"),
            Distribution::K3s => Some("k3s"),
            Distribution::Rke2 => Some("RKE2"),
            Distribution::Kind => Some("kind"),
            Distribution::Minikube => Some("minikube"),
            Distribution::Kops => Some("kops"),
            Distribution::Talos => Some("Talos"),
            Distribution::MicroK8s => Some("MicroK8s"),
            Distribution::Kubeadm => Some("kubeadm"),
            Distribution::Unrecognised => None,
        }
    }

    /// The namespaces that the distribution keeps for itself; a trailing `*` matches any ending.
    pub(crate) const fn system_namespaces(self) -> &'static [&'static str] {
        match self {
            Distribution::OpenShift => &["openshift", "openshift-*"],
            Distribution::Gke => &["gke-managed-*", "gke-gmp-system", "gmp-system", "gmp-public"],
            Distribution::Aks => &["aks-command", "gatekeeper-system", "calico-system", "tigera-operator"],
            Distribution::Kind => &["local-path-storage"],
            Distribution::Rke2 => &["tigera-operator", "calico-system", "calico-apiserver"],
            _ => &["kube-flannel", "calico-system", "calico-apiserver", "tigera-operator"],
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or("an unrecognised distribution"))
    }
}
