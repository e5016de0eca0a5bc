package main

import (
	"maps"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// writeKubeletConfigurations writes the KubeletConfiguration of every node.
func writeKubeletConfigurations(f flavour, l layout) error {
	for i, configuration := range f.kubeletConfigurations {
		content, err := yaml.Marshal(configuration(l))
		if err != nil {
			return err
		}
		if err := os.WriteFile(kubeletConfigurationFile(l, i), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func kubeletConfigurationFile(l layout, i int) string {
	return filepath.Join(l.nodeDirectory(i), "config.yaml")
}

// goodKubelet asks the API server about every request and opens no second port.
func goodKubelet(i int) func(layout) map[string]any {
	return func(l layout) map[string]any {
		return kubeletConfiguration(l, i, map[string]any{
			"authentication": map[string]any{
				"anonymous": map[string]any{"enabled": false},
				"webhook":   map[string]any{"enabled": true},
				"x509":      map[string]any{"clientCAFile": l.pki("ca.crt")},
			},
			"authorization": map[string]any{"mode": "Webhook"},
			"readOnlyPort":  0,
		})
	}
}

// badKubelet is node-2's: anyone may do anything, and the read-only port is open besides.
func badKubelet(l layout) map[string]any {
	return kubeletConfiguration(l, 1, map[string]any{
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": true},
			"webhook":   map[string]any{"enabled": false},
			"x509":      map[string]any{"clientCAFile": l.pki("ca.crt")},
		},
		"authorization": map[string]any{"mode": "AlwaysAllow"},
		"readOnlyPort":  l.kubeletReadOnlyPort,
	})
}

// kubeletConfiguration is a plain map because the typed struct would write zeros over the kubelet's own defaults.
func kubeletConfiguration(l layout, i int, settings map[string]any) map[string]any {
	configuration := map[string]any{
		"apiVersion":        "kubelet.config.k8s.io/v1beta1",
		"kind":              "KubeletConfiguration",
		"address":           l.addresses[i],
		"port":              l.kubeletPorts[i],
		"tlsCertFile":       l.pki("kubelet-" + nodeNames[i] + ".crt"),
		"tlsPrivateKeyFile": l.pki("kubelet-" + nodeNames[i] + ".key"),
	}
	if i == 0 {
		configuration["staticPodPath"] = l.staticPods()
	}
	maps.Copy(configuration, settings)
	return configuration
}
