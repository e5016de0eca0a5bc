package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
)

// The control endpoint lets a test stop a cluster and start it again:
//
//	GET  /clusters/NAME        what runs
//	POST /clusters/NAME/stop   end kube-apiserver; answers when it is gone
//	POST /clusters/NAME/start  start it with the same flags; answers when the cluster is ready

// clusterReport is what the ready line and the control endpoint say about a cluster.
type clusterReport struct {
	Name       string                     `json:"name"`
	Server     string                     `json:"server"`
	Kubeconfig string                     `json:"kubeconfig"`
	Logs       string                     `json:"logs"`
	Nodes      map[string]nodeReport      `json:"nodes"`
	Components map[string]componentReport `json:"components"`
}

type nodeReport struct {
	Address     string `json:"address"`
	KubeletPort int    `json:"kubeletPort"`
}

type componentReport struct {
	PID     int      `json:"pid"`
	Running bool     `json:"running"`
	Command []string `json:"command"`
}

func (c *cluster) report() clusterReport {
	report := clusterReport{
		Name:       c.name,
		Server:     c.server(),
		Kubeconfig: c.kubeconfig("admin"),
		Logs:       c.log(""),
		Nodes:      map[string]nodeReport{},
		Components: map[string]componentReport{},
	}
	for i, name := range nodeNames {
		report.Nodes[name] = nodeReport{Address: c.addresses[i], KubeletPort: c.kubeletPorts[i]}
	}
	for name, p := range c.running() {
		report.Components[name] = componentReport{PID: p.child.Process.Pid, Running: p.alive(), Command: p.command}
	}
	return report
}

// serveControl listens on a free loopback port and returns its address.
func serveControl(clusters map[string]*cluster) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = http.Serve(listener, controlHandler(clusters)) }()
	return "http://" + listener.Addr().String(), nil
}

func controlHandler(clusters map[string]*cluster) http.Handler {
	// named answers 404 for unknown clusters and else with the report, after the action.
	named := func(action func(*http.Request, *cluster) error) http.HandlerFunc {
		return func(writer http.ResponseWriter, request *http.Request) {
			c, known := clusters[request.PathValue("name")]
			if !known {
				http.Error(writer, fmt.Sprintf("no cluster is called %q", request.PathValue("name")), http.StatusNotFound)
				return
			}
			if err := action(request, c); err != nil {
				http.Error(writer, err.Error(), http.StatusInternalServerError)
				return
			}
			writer.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(writer).Encode(c.report())
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /clusters/{name}", named(func(*http.Request, *cluster) error { return nil }))
	mux.Handle("POST /clusters/{name}/stop", named(func(_ *http.Request, c *cluster) error {
		c.stopAPIServer()
		return nil
	}))
	mux.Handle("POST /clusters/{name}/start", named(func(request *http.Request, c *cluster) error {
		return c.restartAPIServer(request.Context())
	}))
	return mux
}
