//! Folders, archives and single files.

use crate::{DEPLOYMENT, folder, input, problem, reasons};
use rampart_cluster::snapshot::{
    Content, Limits, ReadOptions, SnapshotError, inputs, read, read_with_places,
};
use rampart_shared::{GapReason, Subject};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn what_is_no_manifest_is_left_alone() {
    let folder = folder(&[
        ("web.yaml", DEPLOYMENT),
        ("notes.txt", "kind: Pod\nspec: [\n"),
        ("_helpers.tpl", "{{ define }}"),
        (".git/config.yaml", "kind: Pod\nspec: [\n"),
        ("values.yaml", "replicas: 3\nimage: {}\n"),
        ("list.yaml", "- a\n- b\n"),
        ("text.yaml", "just words\n"),
        ("empty.yaml", ""),
        ("comments.yaml", "# nothing\n---\n# here\n"),
        ("kustomization.yaml", "resources: [web.yaml]\n"),
    ]);
    let (inventory, problems) = read(&input(folder.path()), &ReadOptions::default()).unwrap();
    assert_eq!(problems, []);
    assert_eq!(inventory.deployments.seen.len(), 1);
    assert!(inventory.deployments.is_complete());
}

#[test]
fn encodings_that_editors_and_shells_write() {
    let folder = folder(&[]);
    fs::write(folder.path().join("bom.yaml"), format!("\u{feff}{}", DEPLOYMENT.replace('\n', "\r\n")))
        .unwrap();
    let pod = "apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n";
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(pod.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    fs::write(folder.path().join("wide.yaml"), wide).unwrap();
    fs::write(
        folder.path().join("latin.yaml"),
        b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a\xe9}\n",
    )
    .unwrap();
    let (inventory, problems) = read(&input(folder.path()), &ReadOptions::default()).unwrap();
    assert_eq!((inventory.deployments.seen.len(), inventory.pods.seen.len()), (1, 1));
    assert_eq!(reasons(&inventory.jobs.gaps), [GapReason::Failed]);
    assert_eq!(problem(&problems), "latin.yaml: not UTF-8 text");
}

#[cfg(unix)]
#[test]
fn links_are_followed_within_the_folder_alone() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("secret.yaml", DEPLOYMENT)]);
    let mounted = folder(&[("..data_1/web.yaml", DEPLOYMENT)]);
    symlink(mounted.path().join("..data_1"), mounted.path().join("..data")).unwrap();
    symlink("..data/web.yaml", mounted.path().join("web.yaml")).unwrap();
    symlink(".", mounted.path().join("again")).unwrap();
    let (inventory, problems) = read(&input(mounted.path()), &ReadOptions::default()).unwrap();
    assert_eq!((inventory.deployments.seen.len(), problems.len()), (1, 0));

    symlink(outside.path().join("secret.yaml"), mounted.path().join("pods.yaml")).unwrap();
    let (inventory, problems) = read(&input(mounted.path()), &ReadOptions::default()).unwrap();
    assert!(problem(&problems).contains("link to outside"), "{problems:?}");
    assert_eq!(reasons(&inventory.pods.gaps), [GapReason::Failed]);
    assert!(inventory.deployments.is_complete());
}

fn archive(path: &Path, files: &[(&str, &str)]) {
    let gzip = flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::default());
    let mut archive = tar::Builder::new(gzip);
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

#[test]
fn an_archive_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.tar.gz");
    let configz = r#"{"kubeletconfig":{"readOnlyPort":0}}"#;
    archive(
        &path,
        &[
            ("./prod/web.yaml", DEPLOYMENT),
            ("./prod/._web.yaml", "kind: ["),
            ("./prod/configz/n1.json", configz),
            ("./prod/readme.md", "x"),
        ],
    );
    let [input] = inputs(std::slice::from_ref(&path), None).unwrap().try_into().unwrap();
    assert_eq!(input.name, "prod");
    let (inventory, problems) = read(&input, &ReadOptions::default()).unwrap();
    assert_eq!(problems, []);
    assert_eq!(inventory.deployments.seen.len(), 1);
    assert_eq!(inventory.kubelet_configurations.seen["n1"].read_only_port, Some(0));

    let small = ReadOptions { limits: Limits { file: 100, archive: 1 << 20 }, ..ReadOptions::default() };
    let (inventory, problems) = read(&input, &small).unwrap();
    assert!(problem(&problems).contains("prod/web.yaml: larger than 100 bytes"), "{problems:?}");
    assert!(inventory.deployments.seen.is_empty());
    assert!(reasons(&inventory.deployments.gaps).contains(&GapReason::Failed));

    let tiny = ReadOptions { limits: Limits { file: 100, archive: 200 }, ..ReadOptions::default() };
    assert!(matches!(read(&input, &tiny), Err(SnapshotError::TooLarge { .. })));

    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(read(&input, &ReadOptions::default()), Err(SnapshotError::Archive { .. })));
}

#[test]
fn a_bomb_of_zeros_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.tgz");
    archive(&path, &[("a.yaml", &" ".repeat(4 << 20)), ("b.txt", &" ".repeat(4 << 20))]);
    let [input] = inputs(&[path], None).unwrap().try_into().unwrap();
    let options =
        ReadOptions { limits: Limits { file: 8 << 20, archive: 5 << 20 }, ..ReadOptions::default() };
    assert!(matches!(read(&input, &options), Err(SnapshotError::TooLarge { .. })));
}

#[test]
fn paths_are_grouped_into_clusters() {
    let root =
        folder(&[("a/prod/x.yaml", DEPLOYMENT), ("b/prod/x.yaml", DEPLOYMENT), ("one.yaml", DEPLOYMENT)]);
    let path = |name: &str| root.path().join(name);
    archive(&path("stage.tgz"), &[]);

    let found =
        inputs(&[path("one.yaml"), PathBuf::from("-"), path("stage.tgz"), path("a/prod")], None).unwrap();
    let names: Vec<&str> = found.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["stage", "prod", "one"]);
    assert_eq!(found[2].content, Content::Files(vec![path("one.yaml"), PathBuf::from("-")]));

    let found = inputs(&[path("a/prod"), path("b/prod")], None).unwrap();
    assert_ne!(found[0].name, found[1].name);
    assert_eq!(inputs(&[PathBuf::from("-")], None).unwrap()[0].name, "stdin");
    assert_eq!(inputs(&[path("a/prod")], Some("mine")).unwrap()[0].name, "mine");

    let refused = |paths: &[PathBuf], name: Option<&str>| inputs(paths, name).unwrap_err().to_string();
    assert!(refused(&[path("a/prod"), path("b/prod")], Some("x")).contains("--name x names one cluster"));
    assert!(refused(&[path("nowhere")], None).contains("does not exist"));
    assert!(refused(&[path("one.yaml"), path("a/../one.yaml")], None).contains("twice"));
}

#[test]
fn nothing_to_evaluate_is_an_error_that_says_what_to_add() {
    let refused = |files: &[(&str, &str)]| {
        let folder = folder(files);
        read(&input(folder.path()), &ReadOptions::default()).unwrap_err()
    };
    assert!(matches!(refused(&[]), SnapshotError::NoFiles { .. }));
    assert!(matches!(refused(&[("a.txt", "x")]), SnapshotError::NoFiles { .. }));
    let error = refused(&[("values.yaml", "a: 1\n")]);
    assert!(matches!(error, SnapshotError::NoObjects { .. }));
    assert!(error.to_string().contains("kubectl get pods -A -o yaml > pods.yaml"));
}

#[test]
fn of_single_files_the_last_named_counts() {
    let other = DEPLOYMENT.replace("image: nginx", "image: caddy");
    let root = folder(&[("a.yaml", DEPLOYMENT), ("b.yaml", &other)]);
    let path = |name: &str| root.path().join(name);
    for (order, image) in [(["a.yaml", "b.yaml"], "caddy"), (["b.yaml", "a.yaml"], "nginx")] {
        let [input] = inputs(&order.map(path), None).unwrap().try_into().unwrap();
        let (inventory, _) = read(&input, &ReadOptions::default()).unwrap();
        assert_eq!(inventory.deployments.seen[0].template.containers[0].image, image);
    }
}

#[test]
fn single_files_are_one_cluster() {
    let root =
        folder(&[("web.yaml", DEPLOYMENT), ("configz/n1.json", r#"{"kubeletconfig":{"readOnlyPort":0}}"#)]);
    let paths = [root.path().join("web.yaml"), root.path().join("configz/n1.json")];
    let [input] = inputs(&paths, None).unwrap().try_into().unwrap();
    let (inventory, problems) = read(&input, &ReadOptions::default()).unwrap();
    assert_eq!(problems, []);
    assert_eq!(inventory.deployments.seen.len(), 1);
    assert!(inventory.kubelet_configurations.seen.contains_key("n1"));
}

#[test]
fn objects_are_found_where_they_are() {
    let all = format!(
        "---\n{DEPLOYMENT}---\n{}",
        DEPLOYMENT.replace("name: web\n  namespace", "name: api\n  namespace")
    );
    let folder = folder(&[("a/all.yaml", &all)]);
    let places = read_with_places(&input(folder.path()), &ReadOptions::default()).unwrap().places;
    let subject = |name: &str| Subject {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    };
    let line = |name| places.of(&subject(name)).map(|(file, line)| (file.to_owned(), line.unwrap()));
    let (file, first) = line("web").unwrap();
    let (_, second) = line("api").unwrap();
    assert_eq!(file, "a/all.yaml");
    assert_eq!(second - first, DEPLOYMENT.lines().count() as u64 + 1);
    assert_eq!(line("missing"), None);
}
