use super::*;
use crate::inventory::EnvironmentVariable;

fn container(command: &[&str], env: &[(&str, Option<&str>)]) -> Container {
    Container {
        name: "etcd".to_owned(),
        command: command.iter().map(|text| (*text).to_owned()).collect(),
        env: env
            .iter()
            .map(|(name, value)| EnvironmentVariable {
                name: (*name).to_owned(),
                value: value.map(str::to_owned),
                secret: None,
            })
            .collect(),
        ..Container::default()
    }
}

fn flags(component: Component, command: &[&str]) -> Result<Flags, Unreadable> {
    Flags::of(component, &container(command, &[]))
}

fn known(text: &str) -> Setting<String> {
    Setting::Known(text.to_owned())
}

#[test]
fn scalars_take_the_last_value_in_either_form() {
    let flags = flags(
        Component::Etcd,
        &["/usr/local/bin/etcd", "--cert-file=a", "-key-file", "k", "--cert-file", "b", "--data-dir="],
    )
    .unwrap();
    assert_eq!(flags.text("cert-file"), known("b"));
    assert_eq!(flags.text("key-file"), known("k"));
    assert_eq!(flags.text("data-dir"), Setting::Unset);
    assert_eq!(flags.text("peer-cert-file"), Setting::Unset);
    assert_eq!(flags.path("cert-file"), "spec.containers[name=etcd].command[--cert-file]");
}

#[test]
fn booleans_take_a_value_only_after_an_equals_sign() {
    let of = |command: &[&str]| flags(Component::Etcd, command).unwrap().boolean("client-cert-auth");
    assert_eq!(of(&["etcd", "--client-cert-auth"]), Setting::Known(true));
    assert_eq!(of(&["etcd", "--client-cert-auth", "--cert-file=a"]), Setting::Known(true));
    assert_eq!(of(&["etcd", "--client-cert-auth=false"]), Setting::Known(false));
    assert_eq!(of(&["etcd", "--client-cert-auth", "--client-cert-auth=F"]), Setting::Known(false));
    assert_eq!(of(&["etcd", "--client-cert-auth", "false"]), Setting::Known(true));
    assert_eq!(of(&["etcd", "--client-cert-auth=yes"]), Setting::Unclear("yes".to_owned()));
    assert_eq!(of(&["etcd", "--peer-client-cert-auth"]), Setting::Unset);
}

#[test]
fn lists_of_the_api_server_append() {
    let flags = flags(
        Component::ApiServer,
        &["kube-apiserver", "--enable-admission-plugins=A,B", "--enable_admission_plugins", "C", "-v", "2"],
    )
    .unwrap();
    let expected = ["A", "B", "C"].map(str::to_owned).to_vec();
    assert_eq!(flags.list("enable-admission-plugins"), Setting::Known(expected));
    assert_eq!(flags.list("disable-admission-plugins"), Setting::Unset);
}

#[test]
fn flagz_tells_lists_in_brackets() {
    let told = [
        ("authorization-mode", "[Node,RBAC]"),
        ("token-auth-file", ""),
        ("oidc-issuer-url", "https://id.example"),
        ("etcd-keyfile", "CLASSIFIED"),
    ];
    let told = told.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let flags = Flags::of_flagz(Component::ApiServer, &told.into());
    assert_eq!(
        flags.list("authorization-mode"),
        Setting::Known(["Node", "RBAC"].map(str::to_owned).to_vec())
    );
    assert_eq!(flags.text("token-auth-file"), Setting::Unset);
    assert_eq!(flags.text("oidc-issuer-url"), known("https://id.example"));
    assert_eq!(flags.text("etcd-keyfile"), Setting::Unclear("CLASSIFIED".to_owned()));
    assert_eq!(flags.path("token-auth-file"), "flags[--token-auth-file]");
}

#[test]
fn one_dash_names_a_long_flag_in_etcd_alone() {
    let flags = flags(Component::ApiServer, &["kube-apiserver", "-authorization-mode=Node"]).unwrap();
    assert_eq!(flags.list("authorization-mode"), Setting::Unset);
}

#[test]
fn a_flag_beats_the_environment_of_etcd() {
    let env = [
        ("ETCD_CERT_FILE", Some("env")),
        ("ETCD_KEY_FILE", Some("env")),
        ("ETCD_CLIENT_CERT_AUTH", Some("true")),
        ("ETCD_TRUSTED_CA_FILE", Some("")),
        ("ETCD_NAME", None),
    ];
    let flags = Flags::of(Component::Etcd, &container(&["etcd", "--cert-file=flag"], &env)).unwrap();
    assert_eq!(flags.text("cert-file"), known("flag"));
    assert_eq!(flags.text("key-file"), known("env"));
    assert_eq!(flags.boolean("client-cert-auth"), Setting::Known(true));
    assert_eq!(flags.text("trusted-ca-file"), Setting::Unset);
    assert_eq!(flags.text("name"), Setting::Unclear("$ETCD_NAME".to_owned()));
}

#[test]
fn kubernetes_expands_what_it_knows() {
    let env = [("DIR", Some("/pki")), ("IP", None)];
    let command =
        ["etcd", "--cert-file=$(DIR)/a", "--listen-client-urls=https://$(IP):2379", "--name=$$(DIR)"];
    let flags = Flags::of(Component::Etcd, &container(&command, &env)).unwrap();
    assert_eq!(flags.text("cert-file"), known("/pki/a"));
    assert_eq!(flags.text("listen-client-urls"), Setting::Unclear("https://$(IP):2379".to_owned()));
    assert_eq!(flags.text("name"), known("$(DIR)"));
}

#[test]
fn a_configuration_file_hides_every_flag() {
    let file = Err(Unreadable::ConfigurationFile("config-file"));
    assert_eq!(flags(Component::Etcd, &["etcd", "--config-file=/etc/etcd.yaml", "--cert-file=a"]), file);
    let by_variable = container(&["etcd"], &[("ETCD_CONFIG_FILE", Some("/etc/etcd.yaml"))]);
    assert_eq!(Flags::of(Component::Etcd, &by_variable), file);
    let openshift = ["hyperkube", "kube-apiserver", "--openshift-config=/etc/config.yaml"];
    assert!(flags(Component::ApiServer, &openshift).is_err());
}

#[test]
fn wrappers_and_plain_scripts_are_read_through() {
    let runner =
        ["/go-runner", "--log-file=/var/log/a", "/usr/local/bin/kube-apiserver", "--authorization-mode=Node"];
    let wrapped = flags(Component::ApiServer, &runner).unwrap();
    assert_eq!(wrapped.list("authorization-mode"), Setting::Known(vec!["Node".to_owned()]));
    assert_eq!(wrapped.text("log-file"), Setting::Unset);

    let script = "mkfifo /tmp/pipe; (tee -a /var/log/etcd.log < /tmp/pipe & ) ; exec nice -n -19 /bin/etcd \\\n  \
                  --cert-file='/a b' \\\n  --key-file \"/k\" --name=${NAME} > /tmp/pipe 2>&1";
    let shell = flags(Component::Etcd, &["/bin/sh", "-ec", script]).unwrap();
    assert_eq!(shell.text("cert-file"), known("/a b"));
    assert_eq!(shell.text("key-file"), known("/k"));
    assert_eq!(shell.text("name"), Setting::Unclear("${NAME}".to_owned()));
    assert_eq!(shell.text("trusted-ca-file"), Setting::Unset);
}

#[test]
fn what_cannot_be_read_is_never_an_absent_flag() {
    for command in [
        &["sh", "-c", "exec etcd $ARGUMENTS"][..],
        &["sh", "-c", "exec etcd --cert-file 'open"],
        &["sh", "-c", "cat <<EOF\nEOF\nexec etcd"],
        &["sh", "-c", "if x; then exec etcd --cert-file=a; else exec etcd; fi"],
        &["sh", "/start.sh"],
        &["/etcd-manager", "--backup-store=s3://b"],
        &["/unknown-wrapper", "etcd", "--cert-file=a"],
        &[],
    ] {
        assert!(flags(Component::Etcd, command).is_err(), "{command:?}");
    }
}
