//! An HTTP server on loopback whose every answer a test decides.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Response, StatusCode, header};
use chrono::{DateTime, Utc};
use rampart_checklist::Kind;
use rampart_cluster::live::{
    CollectOptions, Collected, Connection, KubeletReading, Progress, Retry, Unreachable, collect,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers.
    Answer(u16, &'static str, String),
    /// Answers with a header more.
    With(u16, (&'static str, &'static str), String),
    /// Does not answer for this long.
    Slow(Duration),
    /// Begins to answer and breaks the connection.
    Break(String),
}

impl Reply {
    pub(crate) fn json(value: &Value) -> Reply {
        Reply::Answer(200, "application/json", value.to_string())
    }

    /// As API servers refuse.
    pub(crate) fn status(code: u16, message: &str) -> Reply {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code});
        Reply::Answer(code, "application/json", status.to_string())
    }
}

/// A list of a kind.
pub(crate) fn list(kind: &str, items: &[Value], next: &str) -> Reply {
    Reply::json(
        &json!({"kind": format!("{kind}List"), "apiVersion": "v1", "metadata": {"continue": next}, "items": items}),
    )
}

pub(crate) fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
           "spec": {"nodeName": name, "containers": [{"name": "web", "image": "nginx"}]},
           "status": {"phase": "Running"}})
}

pub(crate) fn node(name: &str, ready: &str) -> Value {
    json!({"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}})
}

pub(crate) fn configz() -> Reply {
    Reply::json(&json!({"kubeletconfig": {"authentication": {"anonymous": {"enabled": false}},
        "authorization": {"mode": "Webhook"}, "readOnlyPort": 0}}))
}

/// Replies by `METHOD /path?query`, else by `METHOD /path`; the last of several is repeated.
type Script = BTreeMap<String, Vec<Reply>>;

/// A server that is well unless a test says otherwise.
pub(crate) struct Server {
    script: Arc<Mutex<Script>>,
    asked: Arc<Mutex<Vec<String>>>,
    pub(crate) address: String,
    folder: TempDir,
}

const RESOURCES: [(&str, &[&str]); 8] = [
    ("/api/v1", &["namespaces", "nodes", "pods", "configmaps", "services", "serviceaccounts", "nodes/proxy"]),
    ("/apis/apps/v1", &["deployments", "replicasets", "statefulsets", "daemonsets"]),
    ("/apis/batch/v1", &["jobs", "cronjobs"]),
    ("/apis/networking.k8s.io/v1", &["networkpolicies", "ingresses"]),
    ("/apis/discovery.k8s.io/v1", &["endpointslices"]),
    ("/apis/rbac.authorization.k8s.io/v1", &["roles", "clusterroles", "rolebindings", "clusterrolebindings"]),
    ("/apis/certificates.k8s.io/v1", &["certificatesigningrequests"]),
    (
        "/apis/admissionregistration.k8s.io/v1",
        &["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
    ),
];

pub(crate) fn groups(names: &[(&str, &[&str])]) -> Reply {
    let groups: Vec<Value> = names
        .iter()
        .map(|(name, versions)| {
            let versions: Vec<Value> = versions.iter().map(|version| json!({"version": version})).collect();
            json!({"name": name, "versions": versions})
        })
        .collect();
    Reply::json(&json!({"kind": "APIGroupList", "groups": groups}))
}

pub(crate) fn resources(names: &[&str]) -> Reply {
    let names: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    Reply::json(&json!({"kind": "APIResourceList", "resources": names}))
}

pub(crate) const BUILT_IN: [(&str, &[&str]); 7] = [
    ("apps", &["v1"]),
    ("batch", &["v1"]),
    ("networking.k8s.io", &["v1"]),
    ("discovery.k8s.io", &["v1"]),
    ("rbac.authorization.k8s.io", &["v1"]),
    ("certificates.k8s.io", &["v1"]),
    ("admissionregistration.k8s.io", &["v1"]),
];

impl Server {
    pub(crate) async fn start() -> Server {
        let mut script = Script::new();
        let mut set = |path: &str, reply: Reply| script.insert(format!("GET {path}"), vec![reply]);
        set("/version", Reply::json(&json!({"gitVersion": "v1.36.3"})));
        set("/apis", groups(&BUILT_IN));
        for (path, names) in RESOURCES {
            set(path, resources(names));
        }
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_listed()) {
            let root = if kind.group().is_empty() { "/api" } else { "/apis" };
            set(&format!("{root}/{}/{}", kind.api_version(), kind.resource()), list(kind.kind(), &[], ""));
        }
        let system = json!({"metadata": {"name": "kube-system", "uid": "uid-1"}});
        set("/api/v1/namespaces", list("Namespace", &[system], ""));
        let script = Arc::new(Mutex::new(script));
        let asked = Arc::new(Mutex::new(Vec::new()));

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (replies, questions) = (Arc::clone(&script), Arc::clone(&asked));
        let router = axum::Router::new().fallback(move |request: Request| {
            let reply = next(&replies, &questions, &request);
            async move { answer(reply).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Server { script, asked, address, folder: tempfile::tempdir().unwrap() }
    }

    /// Says what is answered to `GET /path` or `POST /path`, one after the other.
    pub(crate) fn on(&self, question: &str, replies: impl IntoIterator<Item = Reply>) -> &Server {
        self.script.lock().unwrap().insert(question.to_owned(), replies.into_iter().collect());
        self
    }

    /// What was asked so far, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn asked_times(&self, question: &str) -> usize {
        self.asked().iter().filter(|asked| asked.starts_with(question)).count()
    }

    /// A kubeconfig for the server, with a token.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        let path = self.folder.path().join("config");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
             clusters:\n- name: c\n  cluster: {{server: \"{}\"}}\n\
             users:\n- name: u\n  user: {{token: t0ken-of-the-test}}\n\
             contexts:\n- name: here\n  context: {{cluster: c, user: u}}\n",
            self.address
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) async fn connection(&self) -> Connection {
        Connection::from_context(Some(&self.kubeconfig()), None).await.unwrap()
    }

    pub(crate) async fn collect(&self, options: &CollectOptions) -> Result<Collected, Unreachable> {
        self.collect_with(options, |_| {}).await
    }

    pub(crate) async fn collect_with(
        &self,
        options: &CollectOptions,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<Collected, Unreachable> {
        collect(&self.connection().await, options, started_at(), progress).await
    }
}

pub(crate) fn started_at() -> DateTime<Utc> {
    "2026-11-23T17:42:54Z".parse().unwrap()
}

/// Options that wait for nothing.
pub(crate) fn options() -> CollectOptions {
    CollectOptions {
        kinds: Kind::ALL.into_iter().collect(),
        kubelets: KubeletReading::Off,
        timeout: Duration::from_secs(20),
        request_timeout: Duration::from_secs(10),
        retry: Retry {
            attempts: 3,
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(5),
        },
        ..CollectOptions::default()
    }
}

fn next(script: &Mutex<Script>, asked: &Mutex<Vec<String>>, request: &Request) -> Reply {
    let whole = format!("{} {}", request.method(), request.uri());
    let path = format!("{} {}", request.method(), request.uri().path());
    let mut script = script.lock().unwrap();
    let key = if script.contains_key(&whole) { &whole } else { &path };
    let reply = match script.get_mut(key) {
        Some(replies) if replies.len() > 1 => replies.remove(0),
        Some(replies) => replies[0].clone(),
        None => Reply::status(404, "the server could not find the requested resource"),
    };
    asked.lock().unwrap().push(whole);
    reply
}

async fn answer(reply: Reply) -> Response<Body> {
    let build = |code: u16, sort: &'static str, text: String| {
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = StatusCode::from_u16(code).unwrap();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(sort));
        response
    };
    match reply {
        Reply::Answer(code, sort, text) => build(code, sort, text),
        Reply::With(code, (name, value), text) => {
            let mut response = build(code, "application/json", text);
            response.headers_mut().insert(name, HeaderValue::from_static(value));
            response
        }
        Reply::Slow(time) => {
            tokio::time::sleep(time).await;
            build(200, "application/json", "{}".to_owned())
        }
        Reply::Break(text) => {
            let parts = [Ok(text), Err(std::io::Error::other("broken"))];
            Response::new(Body::from_stream(futures::stream::iter(parts)))
        }
    }
}
