use crate::support::Folder;
use rampart_checklist::items::ITEMS;

#[test]
fn alone_it_lists_every_item_with_its_title() {
    let ended = Folder::new().run(&["explain"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let text = one_line(&ended.stdout);
    for item in ITEMS {
        assert!(text.contains(&format!("{} {} {}", item.number, item.id, item.title)), "{}: {text}", item.id);
    }
}

#[test]
fn an_item_is_told_whole() {
    let folder = Folder::new();
    for item in ITEMS {
        let ended = folder.run(&["explain", item.id.as_str()]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(!ended.stdout.contains('\u{1b}'));
        let text = one_line(&ended.stdout);
        for words in [item.title, item.checks, item.why, item.cannot_see] {
            assert!(text.contains(&one_line(words)), "{}: `{words}` is not in {text}", item.id);
        }
        for need in item.needs {
            assert!(text.contains(&format!("- {}, ", need.kind.name())), "{}: {}", item.id, need.kind.name());
            if let Some(rule) = rampart_checklist::rbac::rule(need.kind) {
                assert!(text.contains(&format!("\"{}\"", rule.resources[0])), "{}: {rule:?}", item.id);
            }
        }
        for (title, url) in item.references {
            assert!(text.contains(&format!("{title} {url}")), "{}: {url}", item.id);
        }
    }
}

#[test]
fn the_grants_are_rules_of_a_cluster_role() {
    let text = Folder::new().run(&["explain", "default-deny"]).stdout;
    let (_, yaml) = text.split_once("as rules of a ClusterRole\n").unwrap();
    let (yaml, _) = yaml.split_once("\nReferences").unwrap();
    assert!(yaml.lines().any(|line| line == "  - apiGroups: [\"networking.k8s.io\"]"), "{yaml}");
    assert!(
        yaml.lines().filter(|line| line.contains("verbs:")).all(|line| line == "    verbs: [\"list\"]"),
        "{yaml}"
    );
}

#[test]
fn an_unknown_item_names_near_ones() {
    let folder = Folder::new();
    folder.run(&["explain", "defaultdeny"]).refuses(&["no item `defaultdeny`", "is it default-deny?"]);
    folder.run(&["explain", "etcd"]).refuses(&["etcd-tls"]);
    folder.run(&["explain", "xyzzy"]).refuses(&["`rampart explain` lists all"]);
}

/// Without the line breaks of wrapping.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
