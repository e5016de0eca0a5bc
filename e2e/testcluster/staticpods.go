package main

import (
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/version"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	etcdversion "go.etcd.io/etcd/api/v3/version"
)

// writeStaticPod puts the manifest of a running control plane process where node-1's kubelet finds it, as kubeadm
// does. The fake runtime does not start it a second time; the mirror pod shows how the process was started.
func writeStaticPod(l layout, command []string) error {
	component := command[0]
	content, err := yaml.Marshal(staticPod(l, component, command))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.staticPods(), component+".yaml"), content, 0o600)
}

func staticPod(l layout, component string, command []string) corev1.Pod {
	return corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name:      component,
			Namespace: metav1.NamespaceSystem,
			Labels:    map[string]string{"component": component, "tier": "control-plane"},
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name:         component,
				Image:        componentImage(component),
				Command:      command,
				VolumeMounts: []corev1.VolumeMount{{Name: "cluster-files", MountPath: l.directory}},
			}},
			HostNetwork:       true,
			PriorityClassName: "system-node-critical",
			Priority:          ptr.To[int32](2000001000),
			SecurityContext: &corev1.PodSecurityContext{
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Volumes: []corev1.Volume{{
				Name: "cluster-files",
				VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
					Path: l.directory, Type: ptr.To(corev1.HostPathDirectoryOrCreate),
				}},
			}},
		},
	}
}

// componentImage names the image that holds the version which runs here.
func componentImage(component string) string {
	tag := version.Get().GitVersion
	if component == roleEtcd {
		tag = etcdversion.Version + "-0"
	}
	return fmt.Sprintf("registry.k8s.io/%s:%s", component, tag)
}
