package main

import "crypto/x509/pkix"

// writeIdentities makes every certificate and kubeconfig of a cluster. As with kubeadm, etcd has an authority of its own.
func writeIdentities(f flavour, l layout) error {
	cluster, err := newAuthority(l.pki("ca"), "kubernetes")
	if err != nil {
		return err
	}
	etcd, err := newAuthority(l.pki("etcd/ca"), "etcd-ca")
	if err != nil {
		return err
	}
	if err := writeSigningKeyPair(l.pki("sa")); err != nil {
		return err
	}
	control := l.addresses[0]

	for _, certificate := range []struct {
		signer  *authority
		path    string
		subject pkix.Name
		hosts   []string
	}{
		{etcd, "etcd/server", pkix.Name{CommonName: nodeNames[0]}, []string{control, "127.0.0.1", "localhost", nodeNames[0]}},
		{etcd, "etcd/peer", pkix.Name{CommonName: nodeNames[0]}, []string{control, "127.0.0.1", "localhost", nodeNames[0]}},
		{etcd, "apiserver-etcd-client", pkix.Name{CommonName: "kube-apiserver-etcd-client"}, nil},
		{cluster, "apiserver", pkix.Name{CommonName: "kube-apiserver"}, []string{control, "127.0.0.1", "localhost", nodeNames[0], "10.96.0.1",
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		{cluster, "apiserver-kubelet-client", pkix.Name{CommonName: "kube-apiserver-kubelet-client"}, nil},
		{cluster, "kubelet-" + nodeNames[0], nodeIdentity(0), []string{l.addresses[0], nodeNames[0]}},
		{cluster, "kubelet-" + nodeNames[1], nodeIdentity(1), []string{l.addresses[1], nodeNames[1]}},
	} {
		if err := certificate.signer.issue(l.pki(certificate.path), certificate.subject, certificate.hosts...); err != nil {
			return err
		}
	}

	for user, subject := range map[string]pkix.Name{
		"admin":              {CommonName: "kubernetes-super-admin", Organization: []string{"system:masters"}},
		"controller-manager": {CommonName: "system:kube-controller-manager"},
		"scheduler":          {CommonName: "system:kube-scheduler"},
		nodeNames[0]:         nodeIdentity(0),
		nodeNames[1]:         nodeIdentity(1),
	} {
		client := l.pki("client-" + user)
		if err := cluster.issue(client, subject); err != nil {
			return err
		}
		if err := writeKubeconfig(l.kubeconfig(user), f.name, l.server(), l.pki("ca.crt"), user, client+".crt", client+".key"); err != nil {
			return err
		}
	}
	return nil
}

func nodeIdentity(i int) pkix.Name {
	return pkix.Name{CommonName: "system:node:" + nodeNames[i], Organization: []string{"system:nodes"}}
}
