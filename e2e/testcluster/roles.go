package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's credential plugins
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

const (
	roleEtcd              = "etcd"
	roleAPIServer         = "kube-apiserver"
	roleControllerManager = "kube-controller-manager"
	roleScheduler         = "kube-scheduler"
	roleHollowNode        = "hollow-node"
	roleKubectl           = "kubectl"
	roleUp                = "up"
)

// roles is everything that this binary can be. Each role finds its own name in os.Args[0].
var roles = map[string]func(){
	roleEtcd:              func() { etcdmain.Main(os.Args) },
	roleAPIServer:         func() { os.Exit(cli.Run(apiserver.NewAPIServerCommand())) },
	roleControllerManager: func() { os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) },
	roleScheduler:         func() { os.Exit(cli.Run(scheduler.NewSchedulerCommand())) },
	roleHollowNode:        func() { exitOn(roleHollowNode, runHollowNode(os.Args[1:])) },
	roleKubectl:           runKubectl,
	roleUp:                func() { exitOn(roleUp, runUp(os.Args[1:])) },
}

func roleNames() string {
	return strings.Join(slices.Sorted(maps.Keys(roles)), ", ")
}

func runKubectl() {
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}

func exitOn(role string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "testcluster %s: %v\n", role, err)
		os.Exit(1)
	}
}
