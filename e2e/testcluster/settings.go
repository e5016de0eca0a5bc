package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// settings are what an operator changes on a cluster's machines while a test looks on: flags of components of the control
// plane, and fragments of the kubelets' configurations. Empty settings are the flavour's own.
type settings struct {
	// By component, by the flag's name without dashes. An empty value takes the flag away.
	Flags map[string]map[string]string `json:"flags"`
	// By node, laid over its KubeletConfiguration.
	Kubelets map[string]map[string]any `json:"kubelets"`
}

// with gives the command line of a component under these settings.
func (s settings) with(command []string) []string {
	flags := s.Flags[command[0]]
	var result []string
	for _, word := range command {
		name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if _, replaced := flags[name]; !replaced {
			result = append(result, word)
		}
	}
	for name, value := range flags {
		if value != "" {
			result = append(result, "--"+name+"="+value)
		}
	}
	return result
}

// change restarts the control plane and the nodes under these settings, and returns when everything is there again.
func (c *cluster) change(ctx context.Context, s settings) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settings = s
	for _, name := range []string{nodeNames[0], nodeNames[1]} {
		c.processes[name].stop(stopGrace)
	}
	c.processes[roleAPIServer].stop(outageGrace)
	c.processes[roleEtcd].stop(stopGrace)
	if err := c.start(roleEtcd, s.with(etcdCommand(c.flavour, c.layout))); err != nil {
		return err
	}
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	for _, component := range c.controlPlane() {
		if err := writeStaticPod(c.layout, component.command); err != nil {
			return err
		}
	}
	if err := writeKubeletConfigurations(c.flavour, c.layout); err != nil {
		return err
	}
	for i, name := range nodeNames {
		if err := c.overwriteKubelet(i, s.Kubelets[name]); err != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(c.nodeDirectory(i), "cri.sock")); err != nil {
			return err
		}
		if err := c.start(name, hollowNodeCommand(c.layout, i)); err != nil {
			return err
		}
	}
	if err := c.waitForNodes(ctx); err != nil {
		return err
	}
	if err := c.waitForMirrorPods(ctx); err != nil {
		return err
	}
	return c.waitForWorkloads(ctx)
}

func (c *cluster) overwriteKubelet(i int, fragment map[string]any) error {
	if len(fragment) == 0 {
		return nil
	}
	file := kubeletConfigurationFile(c.layout, i)
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var configuration map[string]any
	if err := yaml.Unmarshal(content, &configuration); err != nil {
		return err
	}
	overlay(configuration, fragment)
	if content, err = json.Marshal(configuration); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o600)
}

// overlay merges maps and replaces everything else.
func overlay(base, over map[string]any) {
	for name, value := range over {
		inner, isMap := value.(map[string]any)
		below, wasMap := base[name].(map[string]any)
		if isMap && wasMap {
			overlay(below, inner)
		} else {
			base[name] = value
		}
	}
}
