package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readyTimeout bounds each wait. On two busy cores the slowest takes about twenty seconds.
const readyTimeout = 3 * time.Minute

// progressInterval is how long a wait stays silent.
const progressInterval = 15 * time.Second

func (c *cluster) waitForAPIServer(ctx context.Context) error {
	return c.wait(ctx, "kube-apiserver", func(ctx context.Context) error {
		_, err := c.client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}

// waitForNodes wants a heartbeat that is younger than the wait, so that a restarted API server does not answer with the
// state from before.
func (c *cluster) waitForNodes(ctx context.Context) error {
	since := time.Now()
	return c.wait(ctx, "nodes", func(ctx context.Context) error {
		for _, name := range nodeNames {
			node, err := c.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			lease, err := c.client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if renewed := lease.Spec.RenewTime; renewed == nil || renewed.Time.Before(since) {
				return fmt.Errorf("%s has not renewed its lease", name)
			}
			if !nodeReady(node) {
				return fmt.Errorf("%s is not Ready", name)
			}
		}
		return nil
	})
}

func (c *cluster) waitForMirrorPods(ctx context.Context) error {
	return c.wait(ctx, "mirror pods", func(ctx context.Context) error {
		for _, component := range c.controlPlane() {
			pod, err := c.client.CoreV1().Pods(metav1.NamespaceSystem).Get(ctx, component.command[0]+"-"+nodeNames[0], metav1.GetOptions{})
			if err != nil {
				return err
			}
			if pod.Status.Phase != corev1.PodRunning {
				return fmt.Errorf("%s is %s", pod.Name, pod.Status.Phase)
			}
		}
		return nil
	})
}

// waitForWorkloads wants every controller to have all its pods, and every pod to run.
func (c *cluster) waitForWorkloads(ctx context.Context) error {
	return c.wait(ctx, "workloads", func(ctx context.Context) error {
		everything := metav1.ListOptions{}
		deployments, err := c.client.AppsV1().Deployments("").List(ctx, everything)
		if err != nil {
			return err
		}
		for _, it := range deployments.Items {
			if it.Status.ObservedGeneration < it.Generation || it.Status.ReadyReplicas != *it.Spec.Replicas {
				return fmt.Errorf("Deployment %s/%s has %d of %d pods", it.Namespace, it.Name, it.Status.ReadyReplicas, *it.Spec.Replicas)
			}
		}
		statefulSets, err := c.client.AppsV1().StatefulSets("").List(ctx, everything)
		if err != nil {
			return err
		}
		for _, it := range statefulSets.Items {
			if it.Status.ObservedGeneration < it.Generation || it.Status.ReadyReplicas != *it.Spec.Replicas {
				return fmt.Errorf("StatefulSet %s/%s has %d of %d pods", it.Namespace, it.Name, it.Status.ReadyReplicas, *it.Spec.Replicas)
			}
		}
		daemonSets, err := c.client.AppsV1().DaemonSets("").List(ctx, everything)
		if err != nil {
			return err
		}
		for _, it := range daemonSets.Items {
			if it.Status.ObservedGeneration < it.Generation || it.Status.NumberReady != int32(len(nodeNames)) {
				return fmt.Errorf("DaemonSet %s/%s has %d of %d pods", it.Namespace, it.Name, it.Status.NumberReady, len(nodeNames))
			}
		}
		pods, err := c.client.CoreV1().Pods("").List(ctx, everything)
		if err != nil {
			return err
		}
		for _, it := range pods.Items {
			if it.Status.Phase != corev1.PodRunning {
				return fmt.Errorf("Pod %s/%s is %s", it.Namespace, it.Name, it.Status.Phase)
			}
		}
		return nil
	})
}

// wait polls until check agrees. When the time is up the error is the last thing that was missing.
func (c *cluster) wait(ctx context.Context, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	missing := errors.New("not asked yet")
	nextWord := time.Now().Add(progressInterval)
	for {
		if err := check(ctx); err == nil {
			return nil
		} else if ctx.Err() == nil {
			missing = err
		}
		if time.Now().After(nextWord) {
			c.say(fmt.Sprintf("still waiting for %s: %v", what, missing))
			nextWord = time.Now().Add(progressInterval)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: stopped waiting for %s: %w (logs are in %s)", c.name, what, missing, c.log(""))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func nodeReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
