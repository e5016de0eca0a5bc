#!/bin/sh
# Moves to another version of Kubernetes: use-kubernetes.sh 1.36.3
# Kubernetes' own go.mod replaces the modules that are published from its staging folder, which a dependent must repeat.
set -eu
version=${1:?usage: $0 VERSION, for instance 1.36.3}
cd "$(dirname "$0")"
theirs=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
go mod edit -require="k8s.io/kubernetes@v$version"
for module in $(awk '$1 ~ /^k8s\.io\// && $2 == "v0.0.0" { print $1 }' "$theirs" | sort -u); do
    go mod edit -replace="$module=$module@v0.${version#*.}"
done
etcd=$(awk '$1 == "go.etcd.io/etcd/client/v3" { print $2 }' "$theirs")
go mod edit -require="go.etcd.io/etcd/server/v3@$etcd"
go mod tidy
