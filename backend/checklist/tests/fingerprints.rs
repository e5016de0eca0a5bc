//! Fingerprints are for ever: these were computed apart from the code, and must not change.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

use rampart_checklist::fingerprint;
use rampart_shared::Subject;

type Pinned = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// Item, rule, API version, kind, namespace, name, path, discriminator, fingerprint: the first 16 bytes of SHA-256
/// over each part, the API version reduced to its group, preceded by its length in eight bytes, big-endian.
#[rustfmt::skip]
const PINNED: &[Pinned] = &[
    ("etcd-tls", "cert-file", "v1", "Pod", Some("kube-system"), "etcd-cp-1", "spec.containers[name=etcd].command[--cert-file]", "", "7b4c30d2eac8b97baeeebe024ef1cfe4"),
    ("etcd-tls", "key-file", "v1", "Pod", Some("kube-system"), "etcd-cp-1", "spec.containers[name=etcd].command[--key-file]", "", "c6b9e0b554604ea71a24470af7730e29"),
    ("etcd-tls", "client-cert-auth", "v1", "Pod", Some("kube-system"), "etcd-cp-1", "spec.containers[name=etcd].command[--client-cert-auth]", "", "1f049209b2d880ad520b432bd38e68d7"),
    ("etcd-tls", "peer-client-cert-auth", "v1", "Pod", Some("kube-system"), "etcd-cp-2", "spec.containers[name=etcd].command[--peer-client-cert-auth]", "", "0edc1f5f114b3c93af84c5bb850fbcce"),
    ("etcd-tls", "auto-tls", "v1", "Pod", Some("kube-system"), "etcd-cp-1", "spec.containers[name=etcd].command[--auto-tls]", "", "c77c5c00f29cfd13bdff2c26aff62a39"),
    ("etcd-tls", "etcd-servers", "v1", "Pod", Some("kube-system"), "kube-apiserver-cp-1", "spec.containers[name=kube-apiserver].command[--etcd-servers]", "", "f6dcff7b517b413b21be0584f7f1f091"),
    ("kubelet-node-restriction", "enable-admission-plugins", "v1", "Pod", Some("kube-system"), "kube-apiserver-cp-1", "spec.containers[name=kube-apiserver].command[--enable-admission-plugins]", "", "ab2aa9050c4cbdf7d47731663db25b21"),
    ("kubelet-node-restriction", "authorization-mode", "v1", "Pod", Some("kube-system"), "kube-apiserver-cp-1", "spec.containers[name=kube-apiserver].command[--authorization-mode]", "", "8e4c143f74d404de96690f9f3b91077f"),
    ("kubelet-anonymous-auth", "anonymous", "v1", "Node", None, "node-1", "kubeletconfig.authentication.anonymous.enabled", "", "08099cdc09b063dbe34106ed4a742d35"),
    ("kubelet-webhook-authorization", "mode", "v1", "Node", None, "node-1", "kubeletconfig.authorization.mode", "", "b10968d2ef1cb70babd78e702f02c930"),
    ("kubelet-read-only-port", "port", "v1", "Node", None, "node-1", "kubeletconfig.readOnlyPort", "", "f8e2d233ca0843ce82cb9d19e3d6be48"),
    ("kubelet-anonymous-auth", "anonymous", "v1", "Node", None, "node-2", "kubeletconfig.authentication.anonymous.enabled", "", "45b94bfee20748b955a1a3a067719b77"),
    ("kubelet-webhook-authorization", "mode", "v1", "Node", None, "node-2", "kubeletconfig.authorization.mode", "", "d07e834639802cfb421333d20a4ac1f1"),
    ("kubelet-read-only-port", "port", "v1", "Node", None, "node-2", "kubeletconfig.readOnlyPort", "", "1b9142bcbbb89b7d689415494d58da02"),
    ("default-deny", "no-ingress-default-deny", "v1", "Namespace", None, "shop", "NetworkPolicy Ingress", "", "0763355c01f880f25628326a17c1a972"),
    ("default-deny", "no-egress-default-deny", "v1", "Namespace", None, "shop", "NetworkPolicy Egress", "", "3ddf6e999a2132d92651dbf41b5ddbe7"),
    ("default-deny", "allows-all-ingress", "networking.k8s.io/v1", "NetworkPolicy", Some("shop"), "open", "spec.ingress", "", "bac653d11bf745887c0ef1091c2a8bfd"),
    ("read-only-root-filesystem", "unset", "apps/v1", "Deployment", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.readOnlyRootFilesystem", "", "e6373d9749d01b3d426ec3969bea0d6a"),
    ("non-root-containers", "run-as-non-root-unset", "apps/v1", "Deployment", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.runAsNonRoot", "", "21dd5ffc215983f787f7993661edaf70"),
    ("seccomp-apparmor", "unset", "apps/v1", "Deployment", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.seccompProfile", "", "ac778990b8493e98fc534b6611704844"),
    ("read-only-root-filesystem", "unset", "apps/v1", "StatefulSet", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.readOnlyRootFilesystem", "", "19d0e8777d2bd0a3696d0fe0249d9878"),
    ("non-root-containers", "run-as-non-root-unset", "apps/v1", "StatefulSet", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.runAsNonRoot", "", "d5790fa0c6419071df264be41b062e15"),
    ("seccomp-apparmor", "unset", "apps/v1", "StatefulSet", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.seccompProfile", "", "3977a3ac70b14ad35b60d90f44494a47"),
    ("read-only-root-filesystem", "unset", "apps/v1", "DaemonSet", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.readOnlyRootFilesystem", "", "6583fc0aa08d93f3168cd837d7a42eb7"),
    ("non-root-containers", "run-as-non-root-unset", "apps/v1", "DaemonSet", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.runAsNonRoot", "", "78c14333dbccc5cd48548806535731f5"),
    ("seccomp-apparmor", "unset", "apps/v1", "DaemonSet", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.seccompProfile", "", "2f2e5bc7ea04de556bcf885cecb510a0"),
    ("read-only-root-filesystem", "unset", "batch/v1", "CronJob", Some("shop"), "nightly", "spec.jobTemplate.spec.template.spec.containers[name=run].securityContext.readOnlyRootFilesystem", "", "07f707b57da2120e31d5b8474f03c9e9"),
    ("read-only-root-filesystem", "false", "v1", "Pod", Some("shop"), "shell", "spec.containers[name=shell].securityContext.readOnlyRootFilesystem", "", "a1da7acccb6a9fd42434bf1987d7ca7d"),
    ("seccomp-apparmor", "privileged", "apps/v1", "Deployment", Some("shop"), "cart", "pod:spec.containers[name=istio-proxy].securityContext.privileged", "a discriminator", "364cbc80587936ad49b857985086aba5"),
    ("non-root-containers", "run-as-user-root", "apps/v1", "Deployment", Some("shop"), "cart", "spec.template.spec.containers[name=web].securityContext.runAsUser", "", "c2eac7bf2814605b0ccbcd23a279d3ff"),
    ("default-deny", "not-enforced", "apps/v1", "DaemonSet", Some("kube-flannel"), "kube-flannel-ds", "NetworkPolicy enforcement", "", "c2e623aa9198c79f2ceb391ab6e56075"),
];

fn of(api_version: &str, pinned: &Pinned) -> String {
    let (item, rule, _, kind, namespace, name, path, discriminator, _) = *pinned;
    let subject = Subject {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    };
    fingerprint(item.parse().unwrap(), rule, &subject, path, discriminator).0
}

#[test]
fn fingerprints_never_change() {
    assert!(PINNED.len() >= 30);
    for pinned in PINNED {
        assert_eq!(of(pinned.2, pinned), pinned.8, "{pinned:?}");
    }
}

#[test]
fn the_api_version_plays_no_part_and_the_group_does() {
    let deployment = PINNED.iter().find(|pinned| pinned.3 == "Deployment").unwrap();
    assert_eq!(of("apps/v1beta2", deployment), deployment.8);
    assert_ne!(of("extensions/v1beta1", deployment), deployment.8);
}
