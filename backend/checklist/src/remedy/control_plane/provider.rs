//! Where a provider or a distribution keeps its settings itself: the step that it documents.

use crate::distribution::Distribution;

/// How a flag of the control plane is set where neither kubeadm nor k3s or RKE2 sets it; none where documents do it.
pub(crate) const fn control_plane_step(distribution: Distribution) -> Option<&'static str> {
    match distribution {
        Distribution::Eks => Some(
            "AWS runs the control plane and takes none of its flags: ask its support, and show it the finding. \
             https://docs.aws.amazon.com/eks/latest/userguide/eks-architecture.html",
        ),
        Distribution::Gke => Some(
            "Google runs the control plane and takes none of its flags: ask its support, and show it the finding. \
             https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-architecture",
        ),
        Distribution::Aks => Some(
            "Microsoft runs the control plane and takes none of its flags: ask its support, and show it the finding. \
             https://learn.microsoft.com/azure/aks/core-aks-concepts",
        ),
        Distribution::OpenShift => Some(
            "OpenShift's operators set the flags of the control plane: take back what overrides them, in \
             spec.unsupportedConfigOverrides of the operators' objects KubeAPIServer and Etcd, and see that \
             `oc get clusteroperators` has none degraded. \
             https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/operators/cluster-operators-ref",
        ),
        Distribution::Kops => Some(
            "kops keeps these flags in the cluster's spec: set them there (`kops edit cluster`, spec.kubeAPIServer and \
             spec.etcdClusters), then run `kops update cluster --yes` and `kops rolling-update cluster --yes`. \
             https://kops.sigs.k8s.io/cluster_spec/",
        ),
        Distribution::Talos => Some(
            "Talos keeps these flags in the machine configuration: set them under cluster.apiServer.extraArgs or \
             cluster.etcd.extraArgs by `talosctl patch machineconfig --nodes NODE`, one control-plane node after the other. \
             https://www.talos.dev/latest/reference/configuration/v1alpha1/config/",
        ),
        Distribution::MicroK8s => Some(
            "MicroK8s keeps these flags in /var/snap/microk8s/current/args/kube-apiserver on each control-plane node: set them \
             there, one node after the other, and run `snap restart microk8s.daemon-kubelite`. \
             https://microk8s.io/docs/configuring-services",
        ),
        Distribution::K3s
        | Distribution::Rke2
        | Distribution::Kind
        | Distribution::Minikube
        | Distribution::Kubeadm
        | Distribution::Unrecognised => None,
    }
}

/// How a kubelet's setting is put right where the distribution takes no file for it; none where documents do it.
pub(crate) const fn kubelet_step(distribution: Distribution) -> Option<&'static str> {
    match distribution {
        Distribution::Gke => Some(
            "GKE sets this itself and offers no setting for it, so these nodes were changed by hand or by a DaemonSet: take that \
             away and make the nodes anew, for example by an upgrade of their node pool. \
             https://cloud.google.com/kubernetes-engine/docs/how-to/node-system-config",
        ),
        Distribution::Aks => Some(
            "AKS sets this itself and offers no setting for it, so these nodes were changed by hand or by a DaemonSet: take that \
             away and reimage them, `az aks nodepool upgrade --node-image-only`. \
             https://learn.microsoft.com/azure/aks/node-image-upgrade",
        ),
        Distribution::OpenShift => Some(
            "OpenShift's Machine Config Operator writes the kubelets' configuration: put the setting in spec.kubeletConfig of the \
             KubeletConfig of the nodes' pool, or take it out where a KubeletConfig has it wrong. The nodes of the pool restart. \
             https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/machine_configuration/machine-configs-custom",
        ),
        Distribution::Kops => Some(
            "kops keeps the kubelets' settings in the cluster's spec: set anonymousAuth: false, authorizationMode: Webhook, \
             authenticationTokenWebhook: true and readOnlyPort: 0 under spec.kubelet (`kops edit cluster`, and in instance groups \
             that have a spec.kubelet of their own), then run `kops update cluster --yes` and `kops rolling-update cluster --yes`. \
             https://kops.sigs.k8s.io/cluster_spec/#kubelet",
        ),
        Distribution::Talos => Some(
            "Talos sets this itself and lets machine.kubelet.extraConfig change none of it: take what overrides it out of \
             machine.kubelet.extraArgs, by `talosctl patch machineconfig --nodes NODE`. \
             https://www.talos.dev/latest/reference/configuration/v1alpha1/config/",
        ),
        Distribution::MicroK8s => Some(
            "MicroK8s keeps the kubelet's flags in /var/snap/microk8s/current/args/kubelet: set --anonymous-auth=false, \
             --authorization-mode=Webhook, --authentication-token-webhook=true and --read-only-port=0 there and run \
             `snap restart microk8s.daemon-kubelite`. https://microk8s.io/docs/configuring-services",
        ),
        Distribution::Eks
        | Distribution::K3s
        | Distribution::Rke2
        | Distribution::Kind
        | Distribution::Minikube
        | Distribution::Kubeadm
        | Distribution::Unrecognised => None,
    }
}
