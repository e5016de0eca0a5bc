//! By which names Rampart may be asked. A page of another site can make its own name point at this computer;
//! its requests then carry that name, and are refused.

use super::problem::ApiError;
use axum::{
    extract::{Request, State},
    http::{StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

/// The hosts by which Rampart answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    /// With port.
    own: BTreeSet<String>,
    /// With or without port, as they are configured.
    configured: BTreeSet<String>,
}

impl AllowedHosts {
    /// The listen address, the forms of localhost with its port, and what is configured beside them.
    pub fn new(listen: SocketAddr, configured: &[String]) -> AllowedHosts {
        let port = listen.port();
        let mut own: BTreeSet<String> = ["localhost", "127.0.0.1", "[::1]"]
            .into_iter()
            .map(|name| format!("{name}:{port}"))
            .chain([listen.to_string()])
            .collect();
        if port == 80 {
            // Browsers leave the port out.
            own.extend(["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()]);
        }
        AllowedHosts { own, configured: configured.iter().map(|host| host.to_lowercase()).collect() }
    }

    /// Whether a request to this host is meant for Rampart.
    pub fn allows(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        if self.own.contains(&host) || self.configured.contains(&host) {
            return true;
        }
        // A configured name without a port allows every port: what the name stands for does not depend on it.
        !host.contains('@')
            && host.parse::<Authority>().is_ok_and(|authority| {
                authority.port_u16().is_some() && self.configured.contains(authority.host())
            })
    }
}

/// Refuses requests that name another host.
pub(super) async fn check(State(hosts): State<Arc<AllowedHosts>>, request: Request, next: Next) -> Response {
    // A request in absolute form says it in its address, and the header does not count.
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(header::HOST).and_then(|host| host.to_str().ok()),
    };
    match host {
        Some(host) if hosts.allows(host) => next.run(request).await,
        _ => ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "Rampart does not answer by this host name. Use the address that it printed when it started, or add the \
             name to allowed_hosts in rampart.toml.",
        )
        .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_are_allowed() {
        let hosts = AllowedHosts::new("127.0.0.1:8080".parse().unwrap(), &["Rampart.example.org".to_owned()]);
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST:8080",
            "[::1]:8080",
            "rampart.example.org",
            "rampart.example.org:443",
        ] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in [
            "localhost",
            "localhost:8081",
            "127.0.0.2:8080",
            "evil.example.org:8080",
            "rampart.example.org.evil.org",
            "x@rampart.example.org:1",
            "rampart.example.org:",
            "",
        ] {
            assert!(!hosts.allows(host), "{host}");
        }
    }
}
