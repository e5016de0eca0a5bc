//! Why a cluster was not evaluated at all.

use super::get::Failure;
use std::time::Duration;
use thiserror::Error;

/// Why a cluster was not evaluated at all. Nothing is known of it, and nothing that was known is changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreachable {
    /// There is no connection.
    #[error(
        "cannot connect to {address}: {cause}. Check that the cluster runs and that this machine reaches that address"
    )]
    NoConnection {
        /// The API server's address.
        address: String,
        /// Why.
        cause: String,
    },
    /// The connection is not trusted.
    #[error(
        "no trusted connection to {address}: {cause}. Check certificate-authority-data, client certificate and \
         tls-server-name in the kubeconfig"
    )]
    Tls {
        /// The API server's address.
        address: String,
        /// Why.
        cause: String,
    },
    /// The credentials are not accepted.
    #[error(
        "{address} does not accept the credentials: {cause}. Log in again or renew the token or certificate"
    )]
    Unauthorized {
        /// The API server's address.
        address: String,
        /// The server's words.
        cause: String,
    },
    /// The server did not answer in time.
    #[error("{address} did not answer within {} s. Check that the cluster runs, or allow it more time", after.as_secs())]
    TimedOut {
        /// The API server's address.
        address: String,
        /// The time that it had.
        after: Duration,
    },
    /// The server does not say what it is and serves.
    #[error(
        "{address} does not say what it serves ({path}): {cause}. Check that the address is an API server's, and that \
         the account may read discovery (ClusterRole system:discovery)"
    )]
    Discovery {
        /// The API server's address.
        address: String,
        /// What was asked for.
        path: String,
        /// Why.
        cause: String,
    },
}

impl Unreachable {
    /// What a failed question about the server itself means.
    pub(super) fn of(address: &str, path: &str, time: Duration, failure: &Failure) -> Unreachable {
        let address = address.to_owned();
        match failure {
            Failure::Unauthorized(cause) => Unreachable::Unauthorized { address, cause: cause.clone() },
            Failure::TimedOut(after) => Unreachable::TimedOut { address, after: *after },
            Failure::OutOfTime => Unreachable::TimedOut { address, after: time },
            Failure::Broken(cause) if speaks_of_tls(cause) => {
                Unreachable::Tls { address, cause: cause.clone() }
            }
            Failure::Broken(cause) => Unreachable::NoConnection { address, cause: cause.clone() },
            other => Unreachable::Discovery { address, path: path.to_owned(), cause: other.to_string() },
        }
    }
}

fn speaks_of_tls(cause: &str) -> bool {
    let cause = cause.to_ascii_lowercase();
    ["certificate", "tls", "corrupt message", "fatal alert", "handshake"]
        .iter()
        .any(|word| cause.contains(word))
}
