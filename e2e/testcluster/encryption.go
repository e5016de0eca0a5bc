package main

import (
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiserverv1 "k8s.io/apiserver/pkg/apis/apiserver/v1"
	"sigs.k8s.io/yaml"
)

func encryptionConfigurationFile(l layout) string {
	return filepath.Join(l.directory, "encryption.yaml")
}

// writeEncryptionConfiguration lets the API server encrypt Secrets before etcd gets them, under a key of this run.
func writeEncryptionConfiguration(l layout) error {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	content, err := yaml.Marshal(apiserverv1.EncryptionConfiguration{
		TypeMeta: metav1.TypeMeta{APIVersion: "apiserver.config.k8s.io/v1", Kind: "EncryptionConfiguration"},
		Resources: []apiserverv1.ResourceConfiguration{{
			Resources: []string{"secrets"},
			Providers: []apiserverv1.ProviderConfiguration{{
				Secretbox: &apiserverv1.SecretboxConfiguration{
					Keys: []apiserverv1.Key{{Name: "first", Secret: base64.StdEncoding.EncodeToString(key)}},
				},
			}},
		}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(encryptionConfigurationFile(l), content, 0o600)
}
