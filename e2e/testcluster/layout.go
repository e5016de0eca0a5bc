package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// nodeNames are the same in both clusters; node-1 is also the control plane's host.
var nodeNames = [2]string{"node-1", "node-2"}

// layout says where a cluster's files lie and on which addresses and ports its parts listen.
type layout struct {
	directory string
	addresses [2]string // of node-1 and node-2

	etcdClientPort, etcdPeerPort, etcdMetricsPort int
	apiServerPort                                 int
	kubeletPorts                                  [2]int
	kubeletReadOnlyPort                           int
}

// newLayout makes the folders and picks the ports: the usual ones where they are free, so that a cluster looks like any
// other, and else whatever is free.
func newLayout(directory string, addresses [2]string) (layout, error) {
	l := layout{directory: directory, addresses: addresses}
	for _, folder := range []string{l.pki(""), l.temporary(), l.log(""), l.staticPods(), l.nodeDirectory(0), l.nodeDirectory(1)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return l, err
		}
	}
	control := addresses[0]
	for _, wanted := range []struct {
		address string
		usual   int
		port    *int
	}{
		{control, 2379, &l.etcdClientPort},
		{control, 2380, &l.etcdPeerPort},
		{"127.0.0.1", 0, &l.etcdMetricsPort}, // both clusters share this address
		{control, 6443, &l.apiServerPort},
		{addresses[0], 10250, &l.kubeletPorts[0]},
		{addresses[1], 10250, &l.kubeletPorts[1]},
		{addresses[1], 10255, &l.kubeletReadOnlyPort},
	} {
		port, err := freePort(wanted.address, wanted.usual)
		if err != nil {
			return l, err
		}
		*wanted.port = port
	}
	return l, nil
}

func (l layout) server() string             { return fmt.Sprintf("https://%s:%d", l.addresses[0], l.apiServerPort) }
func (l layout) pki(name string) string     { return filepath.Join(l.directory, "pki", name) }
func (l layout) log(name string) string     { return filepath.Join(l.directory, "logs", name) }
func (l layout) temporary() string          { return filepath.Join(l.directory, "tmp") }
func (l layout) etcdData() string           { return filepath.Join(l.directory, "etcd") }
func (l layout) staticPods() string         { return filepath.Join(l.nodeDirectory(0), "manifests") }
func (l layout) nodeDirectory(i int) string { return filepath.Join(l.directory, nodeNames[i]) }
func (l layout) kubeconfig(user string) string {
	return filepath.Join(l.directory, user+".kubeconfig")
}

// freePort prefers the usual port. Nothing keeps another process from taking it before its owner listens, hence the
// network namespace around all of this.
func freePort(address string, usual int) (int, error) {
	for _, candidate := range []int{usual, 0} {
		listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", address, candidate))
		if err != nil {
			continue
		}
		defer listener.Close()
		return listener.Addr().(*net.TCPAddr).Port, nil
	}
	return 0, fmt.Errorf("cannot listen on %s: run this inside e2e/in-namespace.sh, which gives the loopback interface that address", address)
}
