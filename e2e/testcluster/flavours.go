package main

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// flavour is what makes one cluster differ from the other. Everything else is the same for both.
type flavour struct {
	name          string
	nodeAddresses [2]string

	etcdFlags             func(layout) []string
	apiServerFlags        func(layout) []string
	kubeletConfigurations [2]func(layout) map[string]any
	clusterRoleBindings   []rbacv1.ClusterRoleBinding
}

var flavours = []flavour{hardened, unhardened}

// hardened is what an operator with the CIS benchmark in hand makes of kubeadm's defaults.
var hardened = flavour{
	name:          "hardened",
	nodeAddresses: [2]string{"10.77.1.1", "10.77.1.2"},
	etcdFlags: func(l layout) []string {
		return append(etcdClientTLS(l),
			"--initial-advertise-peer-urls="+etcdPeerURL("https", l),
			"--initial-cluster="+nodeNames[0]+"="+etcdPeerURL("https", l),
			"--listen-peer-urls="+etcdPeerURL("https", l),
			"--peer-cert-file="+l.pki("etcd/peer.crt"),
			"--peer-client-cert-auth=true",
			"--peer-key-file="+l.pki("etcd/peer.key"),
			"--peer-trusted-ca-file="+l.pki("etcd/ca.crt"),
		)
	},
	apiServerFlags: func(l layout) []string {
		return []string{
			"--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=NodeRestriction",
			"--encryption-provider-config=" + encryptionConfigurationFile(l),
			"--kubelet-certificate-authority=" + l.pki("ca.crt"),
			// Nobody answers there, and nobody logs in: the flag is what the cluster is about.
			"--oidc-client-id=kubernetes",
			"--oidc-issuer-url=https://login.example.com",
			"--profiling=false",
			"--tls-min-version=VersionTLS12",
		}
	},
	kubeletConfigurations: [2]func(layout) map[string]any{goodKubelet(0), goodKubelet(1)},
	clusterRoleBindings:   []rbacv1.ClusterRoleBinding{kubeletClientBinding},
}

// unhardened breaks the rules of the control plane in ways in which the processes still run.
var unhardened = flavour{
	name:          "unhardened",
	nodeAddresses: [2]string{"10.77.2.1", "10.77.2.2"},
	// Members talk over plain HTTP beyond loopback, and none of the peer flags is set.
	etcdFlags: func(l layout) []string {
		return append(etcdClientTLS(l),
			"--initial-advertise-peer-urls="+etcdPeerURL("http", l),
			"--initial-cluster="+nodeNames[0]+"="+etcdPeerURL("http", l),
			"--listen-peer-urls="+etcdPeerURL("http", l),
		)
	},
	// Neither the Node authorizer nor the NodeRestriction plugin.
	apiServerFlags: func(layout) []string {
		return []string{"--authorization-mode=RBAC"}
	},
	kubeletConfigurations: [2]func(layout) map[string]any{goodKubelet(0), badKubelet},
	// Without the Node authorizer RBAC alone must let kubelets work, for every node's objects at once.
	clusterRoleBindings: []rbacv1.ClusterRoleBinding{
		kubeletClientBinding,
		bindClusterRole("kubelets", "system:node", rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:nodes"}),
	},
}

// kubeletClientBinding lets the API server's own client certificate use the kubelets' API.
var kubeletClientBinding = bindClusterRole("kube-apiserver-kubelet-client", "system:kubelet-api-admin",
	rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "kube-apiserver-kubelet-client"})

func bindClusterRole(name, role string, subject rbacv1.Subject) rbacv1.ClusterRoleBinding {
	return rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{subject},
	}
}
