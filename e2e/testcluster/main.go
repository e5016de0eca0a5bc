// testcluster brings up real Kubernetes clusters without containers: one binary that is, by the name it is called
// with, etcd, each component of the control plane, a hollow node (a real kubelet over a fake container runtime),
// kubectl, or the supervisor of all of these.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	// `kube-apiserver --flag` through a link or a chosen argv[0], or `testcluster kube-apiserver --flag`.
	if run, known := roles[filepath.Base(os.Args[0])]; known {
		run()
		return
	}
	if len(os.Args) > 1 {
		if run, known := roles[os.Args[1]]; known {
			os.Args = os.Args[1:]
			run()
			return
		}
		fmt.Fprintf(os.Stderr, "testcluster: %q is not one of its roles\n", os.Args[1])
	}
	fmt.Fprintf(os.Stderr, "usage: testcluster ROLE [ARGUMENTS]\nroles: %s\n", roleNames())
	os.Exit(2)
}
