package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// What a component gets before it is killed. The API server would wait a long time for the watches of its clients if it is
// stopped while they live on; for them a killed one is an outage like any other.
const (
	stopGrace   = 10 * time.Second
	outageGrace = 2 * time.Second
)

// cluster is one running cluster.
type cluster struct {
	flavour
	layout
	client   *clientset.Clientset
	failures chan<- error
	progress io.Writer

	mu        sync.Mutex // one change at a time: bring-up, stop, start, the end
	processes map[string]*process
}

// newCluster prepares everything that lies on disk; nothing runs yet.
func newCluster(f flavour, directory string, failures chan<- error, progress io.Writer) (*cluster, error) {
	l, err := newLayout(directory, f.nodeAddresses)
	if err != nil {
		return nil, err
	}
	if err := writeIdentities(f, l); err != nil {
		return nil, err
	}
	if err := writeKubeletConfigurations(f, l); err != nil {
		return nil, err
	}
	if err := writeEncryptionConfiguration(l); err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", l.kubeconfig("admin"))
	if err != nil {
		return nil, err
	}
	config.Timeout = 10 * time.Second
	client, err := clientset.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &cluster{flavour: f, layout: l, client: client, failures: failures, progress: progress, processes: map[string]*process{}}, nil
}

// bringUp starts the control plane, then the nodes, then the workloads, and returns when all of them are there.
func (c *cluster) bringUp(ctx context.Context, manifests string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.start(roleEtcd, etcdCommand(c.flavour, c.layout)); err != nil {
		return err
	}
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	if err := c.start(roleControllerManager, controllerManagerCommand(c.layout)); err != nil {
		return err
	}
	if err := c.start(roleScheduler, schedulerCommand(c.layout)); err != nil {
		return err
	}
	for _, binding := range c.clusterRoleBindings {
		if _, err := c.client.RbacV1().ClusterRoleBindings().Create(ctx, &binding, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	for _, component := range c.controlPlane() {
		if err := writeStaticPod(c.layout, component.command); err != nil {
			return err
		}
	}
	for i, name := range nodeNames {
		if err := c.start(name, hollowNodeCommand(c.layout, i)); err != nil {
			return err
		}
	}
	if err := c.waitForNodes(ctx); err != nil {
		return err
	}
	if err := c.labelControlPlaneNode(ctx); err != nil {
		return err
	}
	c.say("nodes are Ready")
	if err := c.applyDefinitions(ctx, filepath.Join(manifests, "definitions")); err != nil {
		return err
	}
	if err := c.apply(ctx, manifests); err != nil {
		return err
	}
	if err := c.waitForMirrorPods(ctx); err != nil {
		return err
	}
	if err := c.waitForWorkloads(ctx); err != nil {
		return err
	}
	c.say("mirror pods and workloads run")
	return nil
}

// stopAPIServer makes the cluster unreachable. etcd keeps its data, so that it comes back as it was.
func (c *cluster) stopAPIServer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.processes[roleAPIServer].stop(outageGrace)
}

// restartAPIServer undoes stopAPIServer, with the same flags. It returns when the nodes have reported again.
func (c *cluster) restartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.processes[roleAPIServer].alive() {
		return nil
	}
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	return c.waitForNodes(ctx)
}

// end stops every process. The API server goes before etcd, without which it would hang in its graceful stop.
func (c *cluster) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, together := range [][]string{
		{nodeNames[0], nodeNames[1], roleScheduler, roleControllerManager},
		{roleAPIServer},
		{roleEtcd},
	} {
		var group sync.WaitGroup
		for _, name := range together {
			if p, started := c.processes[name]; started {
				group.Go(func() { p.stop(stopGrace) })
			}
		}
		group.Wait()
	}
}

// running is a copy of the processes, safe to read.
func (c *cluster) running() map[string]*process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.processes)
}

// controlPlane is the processes that have a static pod.
func (c *cluster) controlPlane() []*process {
	return []*process{
		c.processes[roleEtcd], c.processes[roleAPIServer], c.processes[roleControllerManager], c.processes[roleScheduler],
	}
}

func (c *cluster) startAPIServer(ctx context.Context) error {
	if err := c.start(roleAPIServer, apiServerCommand(c.flavour, c.layout)); err != nil {
		return err
	}
	if err := c.waitForAPIServer(ctx); err != nil {
		return err
	}
	c.say("kube-apiserver answers at " + c.server())
	return nil
}

func (c *cluster) start(name string, command []string) error {
	p, err := startProcess(name, command, c.layout, c.failures)
	if err != nil {
		return err
	}
	c.processes[name] = p
	return nil
}

// labelControlPlaneNode is the administrator's, since a kubelet may not give itself this label.
func (c *cluster) labelControlPlaneNode(ctx context.Context) error {
	_, err := c.client.CoreV1().Nodes().Patch(ctx, nodeNames[0], types.MergePatchType,
		[]byte(`{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":""}}}`), metav1.PatchOptions{})
	return err
}

// applyDefinitions makes the API server serve the kinds that other manifests use, if there are any.
func (c *cluster) applyDefinitions(ctx context.Context, definitions string) error {
	if _, err := os.Stat(definitions); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := c.apply(ctx, definitions); err != nil {
		return err
	}
	return c.kubectl(ctx, "wait", "--for=condition=Established", "--timeout=60s", "--filename="+definitions)
}

// apply gives the manifests to kubectl as a person would.
func (c *cluster) apply(ctx context.Context, manifests string) error {
	return c.kubectl(ctx, "apply", "--recursive", "--filename="+manifests)
}

func (c *cluster) kubectl(ctx context.Context, arguments ...string) error {
	command, err := roleCommand(append([]string{roleKubectl, "--kubeconfig=" + c.kubeconfig("admin")}, arguments...), c.layout)
	if err != nil {
		return err
	}
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(arguments, " "), err, output)
	}
	return ctx.Err()
}

func (c *cluster) say(what string) {
	fmt.Fprintf(c.progress, "%s: %s\n", c.name, what)
}
