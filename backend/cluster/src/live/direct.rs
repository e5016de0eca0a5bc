//! Kubelets at their own port.
//!
//! Many kubelets serve certificates that they signed themselves, so whoever answers at a node's address may be anybody.
//! What is sent there is worth nothing elsewhere: a token that lives for minutes, of an account that may read kubelets'
//! configuration and nothing else. The first request goes without it, and its answer shows whether the kubelet lets in
//! whoever comes.

use super::CollectOptions;
use super::get::{Bounds, Failure, Server, causes};
use super::kubelets::{Answer, Configuration, Unread, configuration, is_gone, no_configz};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use kube::{Client, Config};
use rampart_checklist::inventory::Node;
use rampart_checklist::rbac::{self, AccountName};
use rampart_shared::GapReason;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The shortest life that the API server gives a token.
const TOKEN_SECONDS: i64 = 600;
/// A token is a few KiB.
const MAX_TOKEN_BYTES: usize = 64 << 10;
/// The first minor version whose kubelets ask for `nodes/configz` instead of `nodes/proxy`.
const FINE_GRAINED: u32 = 33;

/// Reads kubelets with the tokens of one account.
pub(super) struct Direct {
    account: AccountName,
    token: Result<String, Unread>,
    connect_timeout: Duration,
}

impl Direct {
    /// Asks for a token. Without one kubelets are still asked whether they need any.
    ///
    /// # Errors
    /// When the credentials are no longer accepted.
    pub(super) async fn begin(
        server: &Server,
        account: AccountName,
        options: &CollectOptions,
    ) -> Result<Direct, Failure> {
        let bounds = Bounds { bytes: MAX_TOKEN_BYTES, time: options.request_timeout };
        let token = match token(server, &account, bounds).await {
            Ok(token) => Ok(token),
            Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
            Err(failure) => Err(no_token(&account, &failure)),
        };
        Ok(Direct { account, token, connect_timeout: options.kubelet_timeout })
    }

    /// Reads one kubelet.
    pub(super) async fn read(&self, server: &Server, node: &Node, bounds: Bounds) -> Result<Answer, Failure> {
        let Some(address) = address(node) else {
            let detail = "the node has no InternalIP at which its kubelet could be asked";
            let cause = Unread {
                reason: GapReason::Failed,
                detail: detail.to_owned(),
                closed_by: String::new(),
                rule: None,
            };
            return Ok(Answer { anonymous: None, configuration: Configuration::Unread(cause) });
        };
        let without = self.ask(server, address, None, bounds).await;
        let anonymous = match &without {
            Ok(_) | Err(Failure::Forbidden(_)) => Some(true),
            Err(Failure::Unauthorized(_)) => Some(false),
            _ => None,
        };
        let answer = match (without, &self.token) {
            // Who lets in anybody shows anybody its configuration.
            (Ok(body), _) => Ok(body),
            (Err(Failure::Unauthorized(_) | Failure::Forbidden(_)), Ok(token)) => {
                self.ask(server, address, Some(token), bounds).await
            }
            (Err(Failure::Unauthorized(_) | Failure::Forbidden(_)), Err(cause)) => {
                return Ok(Answer { anonymous, configuration: Configuration::Unread(cause.clone()) });
            }
            (Err(failure), _) => Err(failure),
        };
        let answer = answer.and_then(|body| Ok((configuration(&body)?, body.len() as u64)));
        let configuration = match answer {
            Ok((configuration, bytes)) => Configuration::Read(Box::new(configuration), bytes),
            Err(failure) => match is_gone(server, &node.meta.name, bounds).await {
                Ok(true) => Configuration::NodeIsGone,
                Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
                _ => Configuration::Unread(self.unread(node, failure)),
            },
        };
        Ok(Answer { anonymous, configuration })
    }

    /// Asks at the node's own address and nowhere else: redirects are not followed, proxies are not used.
    async fn ask(
        &self,
        server: &Server,
        address: SocketAddr,
        token: Option<&str>,
        bounds: Bounds,
    ) -> Result<Vec<u8>, Failure> {
        let uri = format!("https://{address}").parse();
        let mut config = Config::new(uri.map_err(|_| Failure::Broken("the address is none".to_owned()))?);
        // Only here: nothing that is sent is worth anything elsewhere, and what is read is taken for what that address
        // says of itself.
        config.accept_invalid_certs = true;
        config.connect_timeout = Some(self.connect_timeout);
        config.default_retry = false;
        config.auth_info.token = token.map(|token| token.to_owned().into());
        let client = Client::try_from(config).map_err(|error| Failure::Broken(causes(&error)))?;
        let kubelet = Server { client, ..server.clone() };
        kubelet.get("/configz", bounds).await
    }

    fn unread(&self, node: &Node, failure: Failure) -> Unread {
        let version = &node.kubelet_version;
        match failure {
            Failure::Unauthorized(_) => Unread {
                reason: GapReason::Failed,
                detail: "the kubelet does not accept the token, as without authentication.webhook.enabled"
                    .to_owned(),
                closed_by:
                    "Set authentication.webhook.enabled to true in the kubelet's configuration, or read \
                            kubelets through the node proxy (--kubelets proxy)."
                        .to_owned(),
                rule: None,
            },
            Failure::Forbidden(_) if minor(version).is_some_and(|minor| minor < FINE_GRAINED) => Unread {
                // No grant of nodes/configz closes it.
                reason: GapReason::Failed,
                detail: format!(
                    "kubelet {version} shows its configuration only to who may get nodes/proxy; nodes/configz is \
                     enough from 1.33 on"
                ),
                closed_by: "Upgrade the kubelet to 1.33 or newer, or read kubelets through the node proxy \
                            (--kubelets proxy), whose grant lets its holder run commands in every container."
                    .to_owned(),
                rule: None,
            },
            Failure::Forbidden(words) => Unread {
                reason: GapReason::Forbidden,
                detail: format!("the kubelet refuses service account {}: {words}", self.account),
                closed_by: format!(
                    "Grant get on nodes/configz to service account {} (`rampart rbac --kubelets direct`).",
                    self.account
                ),
                rule: Some(rbac::node_configz()),
            },
            Failure::NotFound(words) => Unread::because(&no_configz(&words)),
            Failure::Status { code, words, .. } => Unread {
                reason: GapReason::Failed,
                detail: format!("the kubelet answered {code}: {words}"),
                closed_by: String::new(),
                rule: None,
            },
            failure => Unread {
                closed_by:
                    "Let this machine reach port 10250 of the nodes, or read kubelets through the node proxy \
                            (--kubelets proxy)."
                        .to_owned(),
                ..Unread::because(&failure)
            },
        }
    }
}

async fn token(server: &Server, account: &AccountName, bounds: Bounds) -> Result<String, Failure> {
    let AccountName { namespace, name } = account;
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(TOKEN_SECONDS),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let unusable = || Failure::Malformed("it holds no token".to_owned());
    let document = serde_json::to_vec(&request).map_err(|_| unusable())?;
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
    let answer = server.post(&path, document, bounds).await?;
    let answer: TokenRequest = serde_json::from_slice(&answer).map_err(|_| unusable())?;
    let token = answer.status.and_then(|status| status.token).unwrap_or_default();
    // It becomes a header.
    let is_token = !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
    if is_token { Ok(token) } else { Err(unusable()) }
}

fn no_token(account: &AccountName, failure: &Failure) -> Unread {
    let detail = format!("there is no token of service account {account} for kubelets: {failure}");
    let cause = Unread { detail, ..Unread::because(failure) };
    match failure {
        Failure::Forbidden(_) => Unread {
            closed_by: format!(
                "Grant create on serviceaccounts/token of {account} to Rampart's account, in namespace {} (`rampart \
                 rbac --kubelets direct`).",
                account.namespace
            ),
            rule: Some(rbac::account_token(account)),
            ..cause
        },
        Failure::NotFound(_) => Unread {
            closed_by: "Make the service account and its grant: `rampart rbac --kubelets direct`.".to_owned(),
            ..cause
        },
        _ => cause,
    }
}

/// Where a node's kubelet serves. A node says itself where it is: what is no address of a machine is left out.
fn address(node: &Node) -> Option<SocketAddr> {
    let is_machine = |address: &&IpAddr| match address {
        IpAddr::V4(address) => {
            !address.is_unspecified()
                && !address.is_multicast()
                && !address.is_broadcast()
                && !address.is_link_local()
        }
        IpAddr::V6(address) => {
            !address.is_unspecified() && !address.is_multicast() && !address.is_unicast_link_local()
        }
    };
    let address = node.addresses.iter().find(is_machine)?;
    Some(SocketAddr::new(*address, node.kubelet_port))
}

/// The 33 in `v1.33.2`.
fn minor(version: &str) -> Option<u32> {
    let digits: String = version.split('.').nth(1)?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
