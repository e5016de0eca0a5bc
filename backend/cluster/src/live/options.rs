//! How a cluster is read.

use rampart_checklist::Kind;
use std::collections::BTreeSet;
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
    /// Through the API server's node proxy, if a SelfSubjectAccessReview says that this is allowed.
    #[default]
    Auto,
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
