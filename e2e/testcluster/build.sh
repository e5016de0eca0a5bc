#!/bin/sh
# Builds bin/testcluster if a source is newer. The version numbers are Kubernetes' own, read from go.mod.
set -eu
cd "$(dirname "$0")"
binary=bin/testcluster
if [ -x "$binary" ] && [ -z "$(find . -maxdepth 1 \( -name '*.go' -o -name 'go.*' -o -name build.sh \) -newer "$binary")" ]; then
    exit 0
fi
version=$(sed -n 's|^[[:space:]]*k8s.io/kubernetes v||p' go.mod)
minor=${version#*.}
flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags="$flags -X $package.gitVersion=v$version -X $package.gitMajor=${version%%.*} -X $package.gitMinor=${minor%%.*}"
done
echo "Building the test cluster: Go downloads and compiles Kubernetes $version and etcd (about five minutes the first time on two free cores, seconds after)." >&2
# -trimpath keeps the folders of this machine out of the binary.
go build -trimpath -ldflags "$flags" -o "$binary" .
