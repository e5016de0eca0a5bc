package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/configz"
	remote "k8s.io/cri-client/pkg"
	fakeremote "k8s.io/cri-client/pkg/fake"
	kubeletv1beta1 "k8s.io/kubelet/config/v1beta1"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	kubeletscheme "k8s.io/kubernetes/pkg/kubelet/apis/config/scheme"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubemark"
	"sigs.k8s.io/yaml"
)

// runHollowNode is a real kubelet whose container runtime only pretends: it registers, runs pods, static ones too,
// authenticates and authorizes requests and serves /configz like any other.
func runHollowNode(arguments []string) error {
	flags := flag.NewFlagSet(roleHollowNode, flag.ContinueOnError)
	name := flags.String("name", "", "name of the node")
	address := flags.String("address", "", "the node's InternalIP; must be on an interface and not be loopback")
	kubeconfig := flags.String("kubeconfig", "", "file with the node's credentials")
	config := flags.String("config", "", "file with a KubeletConfiguration")
	directory := flags.String("root-dir", "", "folder for the kubelet's own files")
	if err := flags.Parse(arguments); err != nil {
		return err
	}

	ctx := context.Background()
	kubeletFlags, configuration, err := hollowConfiguration(*name, *address, *config, *directory)
	if err != nil {
		return err
	}
	if err := publishConfigz(configuration); err != nil {
		return err
	}
	client, heartbeatClient, err := nodeClients(*kubeconfig)
	if err != nil {
		return err
	}

	endpoint := "unix://" + filepath.Join(*directory, "cri.sock")
	runtime := fakeremote.NewFakeRemoteRuntime()
	if err := runtime.Start(endpoint); err != nil {
		return fmt.Errorf("fake container runtime on %s: %w", endpoint, err)
	}
	runtimeService, err := remote.NewRemoteRuntimeService(ctx, endpoint, 15*time.Second, noop.NewTracerProvider(), false)
	if err != nil {
		return err
	}
	hollow := kubemark.NewHollowKubelet(kubeletFlags, configuration, client, heartbeatClient,
		&cadvisortest.Fake{NodeName: *name}, runtime.ImageService, runtimeService, cm.NewStubContainerManager())

	// kubemark's prober knows no sidecars. Without it the kubelet uses its own.
	hollow.KubeletDeps.ProbeManager = nil

	// kubemark leaves the kubelet's own server open to everyone; cmd/kubelet wires these two, so do it here as well.
	hollow.KubeletDeps.TLSOptions, err = kubelet.InitializeTLS(ctx, kubeletFlags, configuration)
	if err != nil {
		return err
	}
	auth, runAuthenticationCAReload, err := kubelet.BuildAuth(types.NodeName(*name), client, *configuration)
	if err != nil {
		return err
	}
	hollow.KubeletDeps.Auth = auth
	go runAuthenticationCAReload(ctx.Done())

	hollow.Run(ctx)
	return nil
}

// hollowConfiguration lays the given KubeletConfiguration over what a hollow kubelet needs in order to run at all.
func hollowConfiguration(name, address, file, directory string) (*options.KubeletFlags, *kubeletconfig.KubeletConfiguration, error) {
	flags, configuration := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{NodeName: name, MaxPods: 110})
	// kubemark has made a folder under /tmp for these, wherever TMPDIR points to.
	if err := os.RemoveAll(flags.RootDirectory); err != nil {
		return nil, nil, err
	}
	flags.RootDirectory = directory
	flags.CertDirectory = filepath.Join(directory, "pki")
	flags.NodeIP = address
	configuration.PodLogsDir = filepath.Join(directory, "pod-logs")
	configuration.StaticPodPath = ""
	configuration.ProviderID = "" // no cloud; kubemark writes its own name here

	scheme, _, err := kubeletscheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, nil, err
	}
	var versioned kubeletv1beta1.KubeletConfiguration
	if err := scheme.Convert(configuration, &versioned, nil); err != nil {
		return nil, nil, err
	}
	given, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	if err := yaml.UnmarshalStrict(given, &versioned); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := scheme.Convert(&versioned, configuration, nil); err != nil {
		return nil, nil, err
	}
	return flags, configuration, nil
}

// publishConfigz does what cmd/kubelet does and kubemark leaves out.
func publishConfigz(configuration *kubeletconfig.KubeletConfiguration) error {
	scheme, _, err := kubeletscheme.NewSchemeAndCodecs()
	if err != nil {
		return err
	}
	versioned := kubeletv1beta1.KubeletConfiguration{}
	if err := scheme.Convert(configuration, &versioned, nil); err != nil {
		return err
	}
	versioned.APIVersion, versioned.Kind = kubeletv1beta1.SchemeGroupVersion.String(), "KubeletConfiguration"
	published, err := configz.New("kubeletconfig")
	if err != nil {
		return err
	}
	return published.Set(&versioned)
}

// nodeClients gives heartbeats a client of their own, so that no queue delays them.
func nodeClients(kubeconfig string) (client, heartbeat *clientset.Clientset, err error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, nil, err
	}
	if client, err = clientset.NewForConfig(config); err != nil {
		return nil, nil, err
	}
	heartbeatConfig := rest.CopyConfig(config)
	heartbeatConfig.QPS = -1
	heartbeatConfig.Timeout = 10 * time.Second
	heartbeat, err = clientset.NewForConfig(heartbeatConfig)
	return client, heartbeat, err
}
