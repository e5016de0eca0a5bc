//! What a configuration may not say; each error names the file, the line and the key.

use crate::support::Folder;

fn refused(text: &str, words: &[&str]) {
    let folder = Folder::new();
    folder.write("rampart.toml", text);
    folder.run(&["serve"]).refuses(words);
    // scan reads the same file.
    folder.run(&["scan", "missing"]).refuses(words);
}

#[test]
fn unknown_keys() {
    refused("listen = \"127.0.0.1:0\"\nlissten = 3", &["rampart.toml:2: unknown key `lissten`"]);
    refused(
        "[[cluster]]\nname = \"a\"\ncontext = \"a\"\n\n[[cluster]]\nname = \"b\"\ncontxt = \"b\"",
        &["rampart.toml:7: unknown key `contxt`"],
    );
    refused("[checklist]\nsystem_namespace = []", &["rampart.toml:2: unknown key `system_namespace`"]);
    refused(
        "[[cluster]]\nname = \"a\"\ncontext = \"a\"\n[cluster.checklist]\nnamespaces = []",
        &["rampart.toml:5: unknown key `namespaces`"],
    );
}

#[test]
fn values_that_make_no_sense() {
    refused("interval = \"often\"", &["rampart.toml:1: interval `often` is no time span"]);
    refused("\ntimeout = \"0s\"", &["rampart.toml:2: timeout `0s` must be at least 1s"]);
    refused("listen = \"8080\"", &["rampart.toml:1:", "socket address"]);
    refused("concurrency = 0", &["rampart.toml:1:", "nonzero"]);
    refused("kubelets = \"near\"", &["rampart.toml:1: kubelets `near`", "auto, direct, off, proxy"]);
    refused(
        "kubelet_service_account = \"a\"",
        &["rampart.toml:1: kubelet_service_account", "namespace/name"],
    );
    refused("listen = ", &["rampart.toml:1:"]);
    refused("log = \"rampart=loud\"", &["the log filter `rampart=loud` makes no sense"]);
}

#[test]
fn clusters_that_cannot_be() {
    let cluster = |lines: &str| format!("[[cluster]]\n{lines}\n");
    refused(&cluster("context = \"a\""), &["rampart.toml:1: missing key `name`"]);
    refused(&cluster("name = \"\"\ncontext = \"a\""), &["rampart.toml:2: name is empty"]);
    refused(&cluster("name = \"a\\nb\"\ncontext = \"a\""), &["rampart.toml:2:", "control characters"]);
    refused(
        &format!("{}{}", cluster("name = \"a\"\ncontext = \"a\""), cluster("name = \"a\"\ncontext = \"b\"")),
        &["rampart.toml:5: there are two clusters of the name `a`"],
    );
    refused(&cluster("name = \"a\""), &["rampart.toml:1: cluster `a`: it does not say what to read"]);
    refused(
        &cluster("name = \"a\"\ncontext = \"a\"\nsnapshot = \"b\""),
        &["cluster `a`: it names more than one thing to read"],
    );
    refused(
        &cluster("name = \"a\"\ncontext = \"a\"\nassume_complete = true"),
        &["cluster `a`: assume_complete is for snapshots"],
    );
    refused(
        &cluster("name = \"a\"\ncontext = \"a\"\ncron = \"at noon\""),
        &["rampart.toml:4: cron `at noon` is no cron expression"],
    );
    refused(
        &cluster("name = \"a\"\ncontext = \"a\"\ncron = \"0 0 30 2 *\""),
        &["cluster `a`: cron `0 0 30 2 *` names a time that never comes"],
    );
    refused(
        &cluster("name = \"a\"\ncontext = \"a\"\ncron = \"0 6 * * *\"\ntimezone = \"Berlin\""),
        &["rampart.toml:5: timezone `Berlin` is not known"],
    );
    refused(
        &cluster("name = \"a\"\ncontext = \"a\"\ntimezone = \"Europe/Berlin\""),
        &["cluster `a`: timezone is of use with cron only"],
    );
    refused(
        &cluster("name = \"a\"\ncontext = \"a\"\ncron = \"0 6 * * *\"\ninterval = \"1h\""),
        &["cluster `a`: it has both interval and cron"],
    );
}

#[test]
fn files_that_cannot_be_read() {
    let folder = Folder::new();
    folder
        .run(&["serve", "--config", "missing.toml"])
        .refuses(&["cannot read the configuration missing.toml"]);
}

#[test]
fn flags_and_variables_are_checked_too() {
    let folder = Folder::new();
    folder.run(&["serve", "--interval", "often"]).refuses(&["--interval", "no time span"]);
    let output = folder.command(&["serve"]).env("RAMPART_TIMEOUT", "never").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("timeout `never` is no time span"), "{stderr}");
}
