#!/bin/sh
# Runs a command in a network namespace of its own: nothing reaches the outside, and two runs cannot meet. The API server
# refuses to proxy to loopback addresses, so each node of the test clusters gets a private address on `lo`.
set -eu
addresses="10.77.1.1 10.77.1.2 10.77.2.1 10.77.2.2" # hardened's and unhardened's node-1 and node-2

if [ $# -eq 0 ]; then
    echo "usage: $0 COMMAND [ARGUMENTS]" >&2
    exit 2
fi
for tool in unshare ip; do
    command -v "$tool" >/dev/null || { echo "$0: '$tool' is missing (Debian packages util-linux and iproute2)" >&2; exit 1; }
done

# Root can do without a user namespace where those are forbidden.
if refusal=$(unshare -rn ip link set lo up 2>&1); then
    options=-rn
elif [ "$(id -u)" -eq 0 ] && unshare -n ip link set lo up 2>/dev/null; then
    options=-n
else
    {
        echo "$0: the tests need a network namespace, and this system refuses one: $refusal"
        setting() { # NAME REFUSING_VALUE
            file=/proc/sys/$(echo "$1" | tr . /)
            if [ -r "$file" ] && [ "$(cat "$file")" = "$2" ]; then
                echo "$1 = $2 forbids it. To allow it until the next boot: sysctl -w $1=$3 (as root)"
                found=yes
            fi
        }
        found=no
        setting kernel.unprivileged_userns_clone 0 1
        setting kernel.apparmor_restrict_unprivileged_userns 1 0
        setting user.max_user_namespaces 0 15000
        [ "$found" = yes ] || echo "None of kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces forbids it; inside a container its seccomp profile may (unshare)."
    } >&2
    exit 1
fi

# A proxy cannot be reached from inside, and would only get between the tests and the clusters.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
# shellcheck disable=SC2016 # the inner shell expands these
exec unshare "$options" sh -euc '
    ip link set lo up
    for address in $1; do ip address add "$address/32" dev lo; done
    shift
    exec "$@"
' sh "$addresses" "$@"
