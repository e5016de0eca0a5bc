use crate::support::{DEPLOYMENT, Folder, closed_port, kubeconfig};
use serde_json::json;
use std::{fs, net::TcpListener, time::Duration};

const SHOP: &str = "[[cluster]]\nname = \"shop\"\nsnapshot = \"shop\"\nlabels = { environment = \"test\" }\n";

#[test]
fn a_configured_cluster_is_evaluated_and_shown_and_kept() {
    let folder = Folder::new();
    folder.write("shop/cart.yaml", DEPLOYMENT);
    folder.write("rampart.toml", SHOP);
    let serving = folder.serve(&[]);
    let overview =
        serving.eventually("/api/v1/overview", |overview| overview["clusters"][0]["lastRun"].is_object());
    assert_eq!(overview["clusters"][0]["name"], "shop");
    assert_eq!(overview["clusters"][0]["labels"], json!({ "environment": "test" }));
    assert_eq!(serving.get("/").0, 200);
    assert_eq!(serving.terminate().0, Some(0));

    // A finished run is not repeated.
    let serving = folder.serve(&[]);
    std::thread::sleep(Duration::from_millis(500));
    let runs = serving.json("/api/v1/runs");
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "{runs}");
}

#[test]
fn one_cluster_that_is_down_harms_no_other() {
    let folder = Folder::new();
    folder.write("shop/cart.yaml", DEPLOYMENT);
    folder.write("config.yaml", &kubeconfig(closed_port()));
    let down = "[[cluster]]\nname = \"down\"\ncontext = \"prod\"\nkubeconfig = \"config.yaml\"\n\
        [[cluster]]\nname = \"nowhere\"\ncontext = \"staging\"\nkubeconfig = \"config.yaml\"\n\
        [[cluster]]\nname = \"gone\"\nsnapshot = \"gone\"\n";
    folder.write("rampart.toml", &format!("{SHOP}{down}"));
    let serving = folder.serve(&[]);
    let clusters = serving.eventually("/api/v1/clusters", |clusters| {
        clusters.as_array().unwrap().iter().all(|cluster| cluster["lastRun"].is_object())
    });
    let kinds: Vec<_> = clusters
        .as_array()
        .unwrap()
        .iter()
        .map(|cluster| (cluster["name"].as_str().unwrap(), cluster["lastRun"]["kind"].as_str().unwrap()))
        .collect();
    let expected =
        [("down", "unreachable"), ("gone", "unreachable"), ("nowhere", "unreachable"), ("shop", "partial")];
    assert_eq!(kinds, expected);
    let detail = clusters[2]["lastRun"]["detail"].as_str().unwrap();
    assert!(detail.contains("staging"), "{detail}");
}

#[test]
fn without_clusters_the_current_context_is_evaluated() {
    let folder = Folder::new();
    let port = closed_port();
    folder.write("config.yaml", &kubeconfig(port));
    let serving = folder.serve(&["--kubeconfig", "config.yaml"]);
    let clusters = serving.eventually("/api/v1/clusters", |clusters| clusters[0]["lastRun"].is_object());
    assert_eq!(clusters[0]["name"], "prod");
    assert_eq!(clusters[0]["lastRun"]["kind"], "unreachable");
}

#[test]
fn without_anything_the_page_says_what_to_do() {
    let folder = Folder::new();
    let serving = folder.serve(&[]);
    let overview = serving.json("/api/v1/overview");
    assert_eq!(overview["clusters"], json!([]));
    let advice = overview["advice"].as_str().unwrap();
    assert!(advice.starts_with("There is no cluster yet: "), "{advice}");
    assert!(advice.contains("Add a [[cluster]] to rampart.toml"), "{advice}");
}

#[test]
fn sigterm_during_a_run_ends_in_good_order_and_records_nothing() {
    let folder = Folder::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    folder.write("config.yaml", &kubeconfig(silent.local_addr().unwrap().port()));
    let serving = folder.serve(&["--kubeconfig", "config.yaml"]);
    serving.eventually("/api/v1/clusters", |clusters| clusters[0]["running"].is_string());
    let (code, took) = serving.terminate();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(12), "{took:?}");
    // The database is whole, and the run is not in it.
    folder.write("rampart.toml", SHOP);
    folder.write("shop/cart.yaml", DEPLOYMENT);
    let serving = folder.serve(&[]);
    let runs = serving.eventually("/api/v1/runs", |runs| !runs["runs"].as_array().unwrap().is_empty());
    assert_eq!(runs["runs"][0]["cluster"], "shop");
    assert_eq!(serving.json("/api/v1/clusters/prod/runs")["runs"], json!([]));
}

#[test]
fn only_loopback_is_listened_on() {
    let folder = Folder::new();
    folder.run(&["serve", "--listen", "0.0.0.0:0"]).refuses(&[
        "no sign-in yet",
        "loopback only",
        "127.0.0.1:PORT",
    ]);
    folder.run(&["serve", "--listen", "[::]:8080"]).refuses(&["no sign-in yet"]);
    assert!(!folder.path().join("home").exists(), "a refusal wrote something");
}

#[test]
fn a_port_in_use_is_named() {
    let folder = Folder::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    folder.run(&["serve", "--listen", &address, "--data-dir", "data"]).refuses(&[
        &format!("cannot listen on {address}"),
        "another program listens there",
        "--listen",
    ]);
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = Folder::new();
    // Root may write everywhere, but not below a file.
    folder.write("file", "");
    folder
        .run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "file/data"])
        .refuses(&["file/data", "--data-dir"]);
    folder.write("other/history.db", "this is no database, and must stay as it is");
    folder.run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "other"]).refuses(&["other/history.db"]);
    let kept = fs::read_to_string(folder.path().join("other/history.db")).unwrap();
    assert_eq!(kept, "this is no database, and must stay as it is");
}

#[test]
fn a_database_in_use_is_not_used_twice() {
    let folder = Folder::new();
    let _serving = folder.serve(&[]);
    folder
        .run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
        .refuses(&["another Rampart uses the history"]);
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    assert_eq!(folder.serve(&[]).terminate().0, Some(0));
    let database = folder.path().join("data/history.db");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use sqlx::Connection;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
            VALUES (9000, 'later', TRUE, x'00', 0)";
        sqlx::query(newer).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    folder.run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"]).refuses(&[
        "was written by a newer version of Rampart",
        "9000",
        "nothing was changed",
    ]);
}

#[test]
fn variables_stand_in_for_flags_and_flags_win() {
    let folder = Folder::new();
    let mut command = folder.command(&["serve", "--listen", "0.0.0.0:1"]);
    command.env("RAMPART_LISTEN", "127.0.0.1:0");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = folder.command(&["serve"]).env("RAMPART_LISTEN", "0.0.0.0:1").output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot listen on 0.0.0.0:1"));
}
