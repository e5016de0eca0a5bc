package main

import (
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes a file with one context, all of whose certificates are inside the file.
func writeKubeconfig(path, clusterName, server, authorityFile, user, clientCertificate, clientKey string) error {
	config := api.NewConfig()
	config.Clusters[clusterName] = &api.Cluster{Server: server, CertificateAuthority: authorityFile}
	config.AuthInfos[user] = &api.AuthInfo{ClientCertificate: clientCertificate, ClientKey: clientKey}
	config.Contexts[clusterName] = &api.Context{Cluster: clusterName, AuthInfo: user}
	config.CurrentContext = clusterName
	if err := api.FlattenConfig(config); err != nil {
		return err
	}
	return clientcmd.WriteToFile(*config, path)
}
