//! Kubeconfigs, good and bad.

use crate::server::Server;
use rampart_cluster::live::{Connection, ConnectionError, Contexts, contexts};
use std::fs;
use std::path::Path;

async fn refused(path: &Path, context: Option<&str>) -> String {
    Connection::from_context(Some(path), context).await.unwrap_err().to_string()
}

#[tokio::test]
async fn contexts_and_the_current_one() {
    let server = Server::start().await;
    let path = server.kubeconfig();
    let found = contexts(Some(&path)).unwrap();
    assert_eq!(found, Contexts { names: vec!["here".to_owned()], current: Some("here".to_owned()) });
    let connection = Connection::from_context(Some(&path), Some("here")).await.unwrap();
    assert_eq!(connection.address(), server.address);
    assert!(!format!("{connection:?}").contains("t0ken"));
}

#[tokio::test]
async fn a_context_that_does_not_exist() {
    let server = Server::start().await;
    let path = server.kubeconfig();
    let words = refused(&path, Some("there")).await;
    assert!(words.contains("no context there") && words.contains("It has: here"), "{words}");

    let text = fs::read_to_string(&path).unwrap().replace("current-context: here\n", "");
    fs::write(&path, text).unwrap();
    let words = refused(&path, None).await;
    assert!(words.contains("no current context. Name one of: here"), "{words}");
}

#[tokio::test]
async fn a_kubeconfig_that_is_missing_or_malformed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    assert!(matches!(contexts(Some(&path)), Err(ConnectionError::KubeconfigMissing { .. })));
    assert!(refused(&path, None).await.contains(&format!("there is no kubeconfig at {}", path.display())));

    fs::write(
        &path,
        "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: {token: s3cret\ncontexts: []\n",
    )
    .unwrap();
    let words = refused(&path, None).await;
    assert!(words.contains(&format!("{}:", path.display())) && words.contains("malformed"), "{words}");
    assert!(!words.contains("s3cret"), "{words}");

    fs::write(&path, "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: s3cret\n").unwrap();
    let words = refused(&path, None).await;
    assert!(words.contains(&format!("{}:5", path.display())) && !words.contains("s3cret"), "{words}");

    fs::write(&path, "").unwrap();
    let words = refused(&path, None).await;
    assert!(words.contains("Name one of: none"), "{words}");

    fs::create_dir(folder.path().join("folder")).unwrap();
    let error = contexts(Some(&folder.path().join("folder"))).unwrap_err();
    assert!(matches!(error, ConnectionError::KubeconfigUnreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_context_that_cannot_be_used() {
    let server = Server::start().await;
    let path = server.kubeconfig();
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("cluster: c, user", "cluster: nowhere, user"),
        (
            "{token: t0ken-of-the-test}",
            "{client-certificate: /nowhere/cert.pem, client-key: /nowhere/key.pem}",
        ),
        (
            "{token: t0ken-of-the-test}",
            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/plugin, interactiveMode: Never}}",
        ),
        ("cluster: {server:", "cluster: {proxy-url: \"ftp://user:s3cret@127.0.0.1:1\", server:"),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replace(from, to)).unwrap();
        let words = refused(&path, None).await;
        assert!(words.starts_with("context here cannot be used: "), "{words}");
        assert!(!words.contains("s3cret"), "{words}");
    }
}

#[test]
fn there_is_no_service_account_here() {
    assert!(!Connection::is_in_cluster());
    let words = Connection::in_cluster().unwrap_err().to_string();
    assert!(words.starts_with("there is no service account here: "), "{words}");
}
