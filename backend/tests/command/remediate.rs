use crate::support::{DEPLOYMENT, Folder};
use std::{collections::BTreeMap, fs, path::Path};

/// A folder with a cluster in which something falls short.
fn shop() -> Folder {
    let folder = Folder::new();
    folder.write("shop/deployment.yaml", DEPLOYMENT);
    folder.write("shop/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: { name: checkout }\n");
    folder
}

/// Every file under a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    files
}

const READ_ONLY: [&str; 5] =
    ["remediate", "shop", "--assume-complete", "--item", "read-only-root-filesystem"];

#[test]
fn the_stream_goes_to_stdout_and_turns_the_item_green() {
    let folder = shop();
    let ended = folder.run(&READ_ONLY);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("kubectl apply --server-side --field-manager=rampart-remediation -f FILE"));
    assert!(ended.stdout.contains("readOnlyRootFilesystem: true"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("runAsNonRoot"), "{}", ended.stdout);
    assert_eq!(ended.stdout, folder.run(&READ_ONLY).stdout);
}

#[test]
fn a_folder_gets_the_bundle_and_is_never_written_over() {
    let folder = shop();
    let into = |output: &str| folder.run(&["remediate", "shop", "--assume-complete", "-o", output]);
    let ended = into("out/");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let written = files(&folder.path().join("out"));
    for file in ["README.md", "kustomization.yaml", "namespaces/checkout/deployment-cart.yaml"] {
        assert!(written.contains_key(file), "{file}: {:?}", written.keys());
    }
    into("out").refuses(&["out is not empty"]);
    into("out/").refuses(&["out/ is not empty"]);
    assert_eq!(into("again/").code, Some(0));
    assert_eq!(written, files(&folder.path().join("again")));
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(into("empty").code, Some(0));
    assert_eq!(written, files(&folder.path().join("empty")));
}

#[test]
fn files_are_named_by_what_they_are() {
    let folder = shop();
    let into = |more: &[&str]| folder.run(&[&READ_ONLY[..], more].concat());
    assert_eq!(into(&["-o", "fix.yaml"]).code, Some(0));
    assert_eq!(into(&["-o", "fix.zip", "--format", "component"]).code, Some(0));
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(String::from_utf8(read("fix.yaml")).unwrap(), into(&[]).stdout);
    assert!(read("fix.zip").starts_with(b"PK"));
    into(&["-o", "fix.yaml"]).refuses(&["fix.yaml exists already"]);
    into(&["-o", "fix.txt"]).refuses(&["what shall fix.txt be?"]);
    into(&["--format", "undo"]).refuses(&["several files"]);
    assert_eq!(into(&["-o", "undo/", "--format", "undo"]).code, Some(0));
    let undo = files(&folder.path().join("undo"));
    assert!(undo["undo.yaml"].contains("name: cart") && !undo["undo.yaml"].contains("readOnly"), "{undo:?}");
}

#[test]
fn several_clusters_are_folders_and_no_stream() {
    let folder = shop();
    folder.write("pay/deployment.yaml", DEPLOYMENT);
    let both = ["remediate", "shop", "pay", "--assume-complete", "--item", "read-only-root-filesystem"];
    folder.run(&both).refuses(&["the documents of 2 clusters"]);
    assert_eq!(folder.run(&[&both[..], &["-o", "out/", "--format", "yaml"]].concat()).code, Some(0));
    let written = files(&folder.path().join("out"));
    assert_eq!(written.keys().collect::<Vec<_>>(), ["pay/remediation.yaml", "shop/remediation.yaml"]);
}

#[test]
fn clusters_of_the_configuration_are_read_now() {
    let folder = shop();
    folder.write(
        "rampart.toml",
        "[[cluster]]\nname = \"Prod/eu\"\nsnapshot = \"shop\"\nassume_complete = true\n",
    );
    let ended = folder.run(&["remediate", "--cluster", "Prod/eu", "--item", "read-only-root-filesystem"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("Remediation of Prod/eu")
            && ended.stdout.contains("readOnlyRootFilesystem: true")
    );
    folder.run(&["remediate", "--cluster", "prod"]).refuses(&["no cluster `prod`; it has Prod/eu"]);
}

#[test]
fn nothing_to_do_is_no_failure_and_what_is_wrong_is_named() {
    let folder = shop();
    let with = |more: &[&str]| folder.run(&[&READ_ONLY[..], more].concat());
    let ended = with(&["--namespace", "elsewhere", "--stage", "observe"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
    assert!(ended.stderr.contains("nothing to do"), "{}", ended.stderr);
    with(&["--choice", "nothing=x"]).refuses(&["asks for the choice `nothing`"]);
    with(&["--choice", "nothing"]).refuses(&["NAME=VALUE"]);
    with(&["--stage", "later"]).refuses(&["observe, warn or enforce"]);
    with(&["--item", "etcd"]).refuses(&["etcd"]);
    folder.run(&["remediate", "missing"]).refuses(&["missing does not exist"]);
    folder.run(&["remediate"]).refuses(&["PATH"]);
    folder.write("empty/notes.txt", "nothing");
    let ended = folder.run(&["remediate", "shop", "empty", "--assume-complete", "-o", "out/"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("empty holds no"), "{}", ended.stderr);
    assert!(files(&folder.path().join("out")).contains_key("kustomization.yaml"));
}
