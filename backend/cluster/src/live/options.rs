//! How a cluster is read.

use rampart_checklist::Kind;
use rampart_checklist::credentials::FingerprintKey;
use rampart_checklist::rbac::AccountName;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How a cluster is read.
#[derive(Debug, Clone)]
pub struct CollectOptions {
    /// How long reading the whole cluster may take.
    pub timeout: Duration,
    /// How long one answer may take, from request to last byte.
    pub request_timeout: Duration,
    /// The kinds to read. Namespaces are read besides: they hold the cluster's identity.
    pub kinds: BTreeSet<Kind>,
    /// How kubelets are read.
    pub kubelets: KubeletReading,
    /// Whose short-lived tokens kubelets get that are read directly; none means `rampart/kubelet-reader`, and that
    /// [`KubeletReading::Auto`] does not read directly.
    pub kubelet_service_account: Option<AccountName>,
    /// Whether the API server's `/flagz` and `/metrics` are read.
    pub control_plane_metrics: bool,
    /// Whether objects are kept for an archive, redacted by this key.
    pub record: Option<Arc<FingerprintKey>>,
    /// Objects in a page.
    pub page_size: u32,
    /// Bytes of a page at most.
    pub max_page_bytes: usize,
    /// Lists that are read at once.
    pub list_concurrency: usize,
    /// How long one kubelet may take.
    pub kubelet_timeout: Duration,
    /// Kubelets that are read at once.
    pub kubelet_concurrency: usize,
    /// How often and when something is tried again.
    pub retry: Retry,
}

impl Default for CollectOptions {
    fn default() -> Self {
        CollectOptions {
            timeout: Duration::from_secs(120),
            request_timeout: Duration::from_secs(30),
            kinds: rampart_checklist::needed_kinds(),
            kubelets: KubeletReading::Auto,
            kubelet_service_account: None,
            control_plane_metrics: false,
            record: None,
            page_size: 500,
            // 500 objects of 128 KiB; the API server takes none larger than 1.5 MiB.
            max_page_bytes: 64 << 20,
            list_concurrency: 4,
            kubelet_timeout: Duration::from_secs(5),
            kubelet_concurrency: 16,
            retry: Retry::default(),
        }
    }
}

/// How kubelets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KubeletReading {
    /// Not at all.
    Off,
    /// Directly, if a service account is configured for it; otherwise through the API server's node proxy, if a
    /// SelfSubjectAccessReview says that this is allowed.
    #[default]
    Auto,
    /// At each kubelet's own port, with a short-lived token.
    Direct,
    /// Through the API server's node proxy, whatever is allowed.
    Proxy,
}

/// How often and when something that may pass is tried again: time-outs, 429, 5xx, connections that broke.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// Attempts in all.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles from there.
    pub first_wait: Duration,
    /// The longest wait, whatever the server asks for.
    pub longest_wait: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { attempts: 3, first_wait: Duration::from_millis(250), longest_wait: Duration::from_secs(5) }
    }
}

/// How far reading a cluster has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What was read last, or is being read: `discovery`, `pods`, `nodes/configz 12 of 415`.
    pub step: String,
    /// Steps that are done.
    pub done: u32,
    /// Steps in all.
    pub total: u32,
}
