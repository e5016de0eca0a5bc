package main

import (
	"fmt"
	"path/filepath"
)

// The command lines of the control plane, in the form that kubeadm writes. What is listed here is what runs, and the same
// list goes into the static pod's `command`.

func etcdCommand(f flavour, l layout) []string {
	return append([]string{
		roleEtcd,
		"--data-dir=" + l.etcdData(),
		"--name=" + nodeNames[0],
		"--snapshot-count=10000",
	}, f.etcdFlags(l)...)
}

func apiServerCommand(f flavour, l layout) []string {
	return append([]string{
		roleAPIServer,
		"--advertise-address=" + l.addresses[0],
		"--allow-privileged=true",
		"--bind-address=" + l.addresses[0],
		"--client-ca-file=" + l.pki("ca.crt"),
		"--enable-bootstrap-token-auth=true",
		"--etcd-cafile=" + l.pki("etcd/ca.crt"),
		"--etcd-certfile=" + l.pki("apiserver-etcd-client.crt"),
		"--etcd-keyfile=" + l.pki("apiserver-etcd-client.key"),
		"--etcd-servers=" + etcdClientURL(l),
		"--kubelet-client-certificate=" + l.pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + l.pki("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
		fmt.Sprintf("--secure-port=%d", l.apiServerPort),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + l.pki("sa.pub"),
		"--service-account-signing-key-file=" + l.pki("sa.key"),
		"--service-cluster-ip-range=10.96.0.0/12",
		"--tls-cert-file=" + l.pki("apiserver.crt"),
		"--tls-private-key-file=" + l.pki("apiserver.key"),
	}, f.apiServerFlags(l)...)
}

func controllerManagerCommand(l layout) []string {
	return []string{
		roleControllerManager,
		"--cluster-name=kubernetes",
		"--cluster-signing-cert-file=" + l.pki("ca.crt"),
		"--cluster-signing-key-file=" + l.pki("ca.key"),
		// It makes this folder, by default under /usr/libexec.
		"--flex-volume-plugin-dir=" + filepath.Join(l.directory, "volume-plugins"),
		"--kubeconfig=" + l.kubeconfig("controller-manager"),
		// A single replica needs no election, and one that holds no lease outlives a stop of the API server.
		"--leader-elect=false",
		// Nodes that cannot report because a test stopped the API server are not to count as gone.
		"--node-monitor-grace-period=10m",
		"--root-ca-file=" + l.pki("ca.crt"),
		"--secure-port=0",
		"--service-account-private-key-file=" + l.pki("sa.key"),
		"--use-service-account-credentials=true",
	}
}

func schedulerCommand(l layout) []string {
	return []string{
		roleScheduler,
		"--kubeconfig=" + l.kubeconfig("scheduler"),
		"--leader-elect=false",
		"--secure-port=0",
	}
}

func hollowNodeCommand(l layout, i int) []string {
	return []string{
		roleHollowNode,
		"--name=" + nodeNames[i],
		"--address=" + l.addresses[i],
		"--kubeconfig=" + l.kubeconfig(nodeNames[i]),
		"--config=" + kubeletConfigurationFile(l, i),
		"--root-dir=" + l.nodeDirectory(i),
	}
}

// etcdClientTLS are the flags that protect etcd's clients, which both clusters have.
func etcdClientTLS(l layout) []string {
	return []string{
		"--advertise-client-urls=" + etcdClientURL(l),
		"--cert-file=" + l.pki("etcd/server.crt"),
		"--client-cert-auth=true",
		"--key-file=" + l.pki("etcd/server.key"),
		"--listen-client-urls=" + etcdClientURL(l),
		fmt.Sprintf("--listen-metrics-urls=http://127.0.0.1:%d", l.etcdMetricsPort),
		"--trusted-ca-file=" + l.pki("etcd/ca.crt"),
	}
}

func etcdClientURL(l layout) string {
	return fmt.Sprintf("https://%s:%d", l.addresses[0], l.etcdClientPort)
}

func etcdPeerURL(scheme string, l layout) string {
	return fmt.Sprintf("%s://%s:%d", scheme, l.addresses[0], l.etcdPeerPort)
}
