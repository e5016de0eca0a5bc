//! Kubelets at their own port, over TLS with certificates that nobody signed.

use crate::server::{Reply, Server, list, options};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rampart_checklist::Kind;
use rampart_cluster::live::{CollectOptions, Collected, KubeletReading};
use rampart_shared::GapReason;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

const TOKEN: &str = "POST /api/v1/namespaces/rampart/serviceaccounts/kubelet-reader/token";
const CONFIGZ: &str = r#"{"kubeletconfig":{"authentication":{"anonymous":{"enabled":false}},"authorization":{"mode":"Webhook"},"readOnlyPort":0}}"#;

struct Tls(TcpListener, TlsAcceptor);

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A kubelet that answers callers without a token, and those with the token, so; and what it was asked.
struct Kubelet {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Kubelet {
    async fn start(without: (u16, &'static str), with: (u16, &'static str)) -> Kubelet {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["node".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let questions = Arc::clone(&asked);
        let router = Router::new().fallback(move |request: Request| {
            let token =
                request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
            questions.lock().unwrap().push(format!(
                "{} {}",
                request.uri().path(),
                token.as_deref().unwrap_or("-")
            ));
            let (code, text) = if token.is_some() { with } else { without };
            async move { answer(code, text) }
        });
        tokio::spawn(
            async move { axum::serve(Tls(listener, TlsAcceptor::from(Arc::new(config))), router).await },
        );
        Kubelet { port, asked }
    }

    fn node(&self, name: &str, version: &str) -> Value {
        json!({"metadata": {"name": name}, "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": version},
            "addresses": [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}}}})
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(code: u16, text: &'static str) -> Response {
    let code = StatusCode::from_u16(code).unwrap();
    if code.is_redirection() {
        return (code, [(header::LOCATION, text)]).into_response();
    }
    let sort = if code.is_success() { "application/json" } else { "text/plain" };
    (code, [(header::CONTENT_TYPE, sort)], text).into_response()
}

async fn read(server: &Server, nodes: &[Value]) -> Collected {
    server.on("GET /api/v1/nodes", [list("Node", nodes, "")]);
    for node in nodes {
        let name = node["metadata"]["name"].as_str().unwrap();
        server.on(
            &format!("GET /api/v1/nodes?limit=1&fieldSelector=metadata.name%3D{name}"),
            [list("Node", std::slice::from_ref(node), "")],
        );
    }
    server.collect(&CollectOptions { kubelets: KubeletReading::Direct, ..options() }).await.unwrap()
}

fn token() -> Reply {
    Reply::Answer(
        201,
        "application/json",
        json!({"kind": "TokenRequest", "metadata": {}, "spec": {"audiences": []},
            "status": {"token": "worthless", "expirationTimestamp": "2026-11-23T18:00:00Z"}})
        .to_string(),
    )
}

#[tokio::test]
async fn the_first_request_has_no_token_and_the_second_reads() {
    let server = Server::start().await;
    server.on(TOKEN, [token()]);
    let good = Kubelet::start((401, "Unauthorized"), (200, CONFIGZ)).await;
    let lax = Kubelet::start((403, "Forbidden (user=system:anonymous)"), (200, CONFIGZ)).await;
    let open = Kubelet::start((200, CONFIGZ), (500, "never asked")).await;
    let nodes = [good.node("good", "v1.36.0"), lax.node("lax", "v1.36.0"), open.node("open", "v1.36.0")];
    let collected = read(&server, &nodes).await;
    let inventory = &collected.inventory;
    assert_eq!(inventory.gaps(Kind::KubeletConfigz), []);
    assert_eq!(inventory.kubelet_configurations.seen.len(), 3);
    let anonymous: Vec<(&str, bool)> =
        inventory.kubelet_anonymous.iter().map(|(node, on)| (node.as_str(), *on)).collect();
    assert_eq!(anonymous, [("good", false), ("lax", true), ("open", true)]);
    assert_eq!(good.asked(), ["/configz -", "/configz Bearer worthless"]);
    assert_eq!(open.asked(), ["/configz -"], "who lets in anybody is sent no token");
    assert_eq!(server.asked_times(TOKEN), 1);
    assert_eq!(server.asked_times("GET /api/v1/nodes/good/proxy"), 0);
}

#[tokio::test]
async fn each_refusal_says_what_closes_it() {
    let server = Server::start().await;
    server.on(TOKEN, [token()]);
    let forbidden = (403, "Forbidden (user=system:serviceaccount:rampart:kubelet-reader)");
    for (kubelet, version, reason, words) in [
        (((401, "no"), (401, "no")), "v1.36.0", GapReason::Failed, "authentication.webhook.enabled"),
        (
            ((401, "no"), forbidden),
            "v1.36.0",
            GapReason::Forbidden,
            "refuses service account rampart/kubelet-reader",
        ),
        (((401, "no"), forbidden), "v1.32.9", GapReason::Failed, "nodes/proxy"),
        (
            ((404, "404 page not found"), (200, CONFIGZ)),
            "v1.36.0",
            GapReason::Failed,
            "enableDebuggingHandlers",
        ),
        (((302, "https://127.0.0.1:1/"), (200, CONFIGZ)), "v1.36.0", GapReason::Failed, "302"),
        (((401, "no"), (200, "{}")), "v1.36.0", GapReason::Failed, "cannot be used"),
    ] {
        let kubelet = Kubelet::start(kubelet.0, kubelet.1).await;
        let collected = read(&server, &[kubelet.node("a", version)]).await;
        let [gap] = collected.inventory.gaps(Kind::KubeletConfigz) else { panic!("{words}: one gap") };
        assert_eq!((gap.reason, gap.objects.as_slice()), (reason, ["a".to_owned()].as_slice()), "{gap:?}");
        assert!(gap.detail.contains(words), "`{words}`: {gap:?}");
        assert_eq!(gap.rule.is_some(), reason == GapReason::Forbidden, "{gap:?}");
    }
}

#[tokio::test]
async fn without_a_token_it_is_still_known_who_lets_in_anybody() {
    let server = Server::start().await;
    server.on(TOKEN, [Reply::status(403, "no tokens")]);
    let good = Kubelet::start((401, "Unauthorized"), (200, CONFIGZ)).await;
    let collected = read(&server, &[good.node("good", "v1.36.0")]).await;
    assert_eq!(collected.inventory.kubelet_anonymous.get("good"), Some(&false));
    let [gap] = collected.inventory.gaps(Kind::KubeletConfigz) else { panic!() };
    let rule = gap.rule.as_ref().unwrap();
    assert_eq!(
        (rule.resources.as_slice(), rule.resource_names.as_slice()),
        (["serviceaccounts/token".to_owned()].as_slice(), ["kubelet-reader".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn an_address_that_is_no_machines_is_not_asked() {
    let server = Server::start().await;
    server.on(TOKEN, [token()]);
    let kubelet = Kubelet::start((401, "no"), (200, CONFIGZ)).await;
    let mut node = kubelet.node("a", "v1.36.0");
    node["status"]["addresses"] = json!([{"type": "InternalIP", "address": "169.254.169.254"},
        {"type": "InternalIP", "address": "evil.example/x"}, {"type": "ExternalIP", "address": "127.0.0.1"}]);
    let collected = read(&server, &[node]).await;
    assert_eq!(collected.inventory.gaps(Kind::KubeletConfigz).len(), 1);
    assert!(kubelet.asked().is_empty());
}
