//! The engine as its callers see it. Every secret here is generated or put together from parts.

use super::formats::{Check, FORMATS, Format};
use super::*;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use proptest::prelude::*;
use proptest::string::string_regex;
use std::time::{Duration, Instant};

const KEY: FingerprintKey = FingerprintKey::new([7; 32]);
const RANDOM: &str = concat!("kE9vZq2L", "m4Tt7Yw1", "Rb3Xc6Ua", "0sDf5Gh8Jj2K");

fn class(name: &str, value: &str) -> Option<&'static str> {
    in_variable(name, value, &KEY).map(|credential| credential.class)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn in_file(text: &str) -> Vec<(usize, String, &'static str)> {
    in_text("app.conf", text, &KEY)
        .into_iter()
        .map(|found| (found.line, found.key, found.credential.class))
        .collect()
}

/// What is found and where. What is removed beside a credential can take the name before it along, so that is left out.
fn places(name: &str, text: &str) -> Vec<(usize, Credential)> {
    in_text(name, text, &KEY).into_iter().map(|found| (found.line, found.credential)).collect()
}

/// The redacted forms have none of the secret, and give what the text gave.
fn assert_round_trips(name: &str, text: &str, secret: &str) {
    let variable = redact_variable(name, text, &KEY);
    assert_eq!(in_variable(name, &variable, &KEY), in_variable(name, text, &KEY), "{variable}");
    let again = redact_variable(name, &variable, &KEY);
    assert_eq!(in_variable(name, &again, &KEY), in_variable(name, text, &KEY), "{again}");
    let file = format!("first: line\n{text}\nlast: line\n");
    let redacted = redact_text(name, &file, &KEY);
    assert_eq!(places(name, &redacted), places(name, &file), "{redacted}");
    let again = redact_text(name, &redacted, &KEY);
    assert_eq!(places(name, &again), places(name, &file), "{again}");
    let words = words(&["run", text, "--verbose"]);
    let redacted_words = redact_words(&words, &KEY);
    assert_eq!(in_words(&redacted_words, &KEY), in_words(&words, &KEY), "{redacted_words:?}");
    if in_variable(name, text, &KEY).is_some() {
        assert!(!variable.contains(secret), "{variable}");
    }
}

fn sample(format: &'static Format) -> BoxedStrategy<String> {
    let json = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    match format.check {
        Check::JsonWebToken => ("[a-z]{4,9}", "[A-Za-z0-9_-]{43}")
            .prop_map(move |(subject, signature)| {
                let (header, payload) = (r#"{"alg":"RS256"}"#, format!(r#"{{"sub":"{subject}"}}"#));
                format!("{}.{}.{signature}", json(header), json(&payload))
            })
            .boxed(),
        Check::UserAndPassword => "[a-z]{3,8}:[A-Za-z0-9]{6,12}"
            .prop_map(move |pair| {
                let encoded = BASE64_STANDARD.encode(pair);
                if format.class == "basic authentication" {
                    format!("Basic {encoded}")
                } else {
                    format!("{{\"auths\":{{\"ghcr.io\":{{\"auth\":\"{encoded}\"}}}}}}")
                }
            })
            .boxed(),
        Check::PrivateKey => "[A-Za-z0-9+/]{64}"
            .prop_map(|body| {
                BASE64_STANDARD.encode(format!("-----BEGIN {} KEY-----\n{body}\n", "RSA PRIVATE"))
            })
            .boxed(),
        // Passwords of what somebody may choose; the pattern allows placeholders too.
        Check::Password => "[A-Za-z0-9]{8,16}"
            .prop_map(|password| match format.class {
                "password in a URL" => format!("postgres://shop:{password}@db/shop"),
                "password in a data source name" => format!("shop:{password}@tcp(db:3306)/shop"),
                "password in a JDBC URL" => format!("jdbc:oracle:thin:shop/{password}@db:1521/x"),
                "password in a connection string" => format!("Server=db;User Id=shop;Password={password};"),
                other => panic!("no sample for {other}"),
            })
            .boxed(),
        Check::Token | Check::Random => string_regex(format.pattern)
            .unwrap()
            .prop_map(|secret| {
                if format.with.is_empty() {
                    secret
                } else {
                    format!("{{\"{}\":\"RSA\",\"{secret}\"}}", format.with)
                }
            })
            .boxed(),
    }
}

fn any_sample() -> impl Strategy<Value = (&'static str, String)> {
    prop::sample::select(FORMATS.iter().collect::<Vec<_>>())
        .prop_flat_map(|format| sample(format).prop_map(move |sample| (format.class, sample)))
}

#[test]
fn every_format_has_a_source() {
    for format in FORMATS {
        assert!(format.source.starts_with("https://"), "{}", format.class);
    }
}

#[test]
fn every_format_is_found_by_itself() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for format in FORMATS {
        for _ in 0..20 {
            let sample = sample(format).new_tree(&mut runner).unwrap().current();
            if !formats::find(&sample).is_empty() {
                assert_eq!(class("SETTING", &sample), Some(format.class), "{sample}");
                continue;
            }
            // Only what is made up, is a word, or is a number may be left out.
            assert!(
                matches!(format.check, Check::Token | Check::Random | Check::Password),
                "{}: {sample}",
                format.class
            );
            let random = shapes::looks_random(sample.rsplit(['=', ' ']).next().unwrap_or_default());
            assert!(!random || shapes::is_made_up(&sample), "{}: {sample}", format.class);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn samples_are_found_everywhere_and_redacted((expected, sample) in any_sample(), before in "[a-z]{0,6}") {
        prop_assume!(class("SETTING", &sample).is_some());
        let file = format!("# {before}\nsetting: '{before} {sample}'\n");
        let classes: Vec<_> = in_file(&file).into_iter().map(|(line, _, class)| (line, class)).collect();
        prop_assert!(classes.contains(&(2, expected)), "{file}: {classes:?}");
        let found = in_words(&words(&["run", &sample]), &KEY);
        prop_assert!(found.iter().any(|found| found.word == 1 && found.credential.class == expected));
        let secret = formats::find(&sample).first().map(|found| sample[found.range.clone()].to_owned()).unwrap();
        assert_round_trips("SETTING", &sample, &secret);
        assert_round_trips("SETTING", &format!("{before} {sample} {sample}"), &secret);
        assert_round_trips("SETTING", &format!("{{\"a\":\"{sample}\",\"password\":\"hunter2\"}}"), &secret);
    }

    #[test]
    fn never_panics_and_round_trips(name in "\\PC{0,20}", text in "([\\PC\\n=:'\"]|password|token|-----BEGIN |PRIVATE KEY|://|--|\\\\){0,60}") {
        assert_round_trips(&name, &text, "\u{0}");
    }

    #[test]
    fn words_paths_and_numbers_stay_quiet(
        name in prop::sample::select(vec!["SECRET", "API_KEY", "TOKEN", "CREDENTIALS", "MODE", "vault-token"]),
        value in prop::sample::select(vec!["my", "app", "db", "redis", "shop", "prod", "eu-west-1", "v2", "config"])
            .prop_flat_map(|word| (Just(word), "[-_./:]", prop::sample::select(vec!["creds", "secret", "main", "01"]), 0..1_000_000_u32))
            .prop_map(|(a, separator, b, number)| match number % 4 {
                0 => format!("{a}{separator}{b}"),
                1 => format!("/{a}/{b}.txt"),
                2 => number.to_string(),
                _ => format!("{number}s"),
            }),
    ) {
        prop_assert_eq!(class(name, &value), None, "{}", value);
    }
}

#[test]
fn variables_that_hold_no_credential() {
    let certificate = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", RANDOM.repeat(4));
    let public_key = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", RANDOM.repeat(2));
    let digest = format!("ghcr.io/acme/shop@sha256:{}", "0af3".repeat(16));
    let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, RANDOM.repeat(2));
    for (name, value) in [
        // The checklist's.
        ("server-tokens", "false"),
        ("server-tokens", "build"),
        ("AUTH_TOKEN_PATH", "/var/run/secrets/kubernetes.io/serviceaccount/token"),
        ("KEY_ROTATION_DAYS", "30"),
        // False positives of scanners that go by the name alone.
        ("TOKEN_EXPIRY", "3600"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("SECRET_NAME", "my-secret"),
        ("SECRET", "my-secret"),
        ("TLS_SECRET", "shop-tls-2024"),
        ("PASSWORD_FILE", "/run/secrets/password"),
        ("POSTGRES_PASSWORD", "/run/secrets/password"),
        ("GF_SECURITY_ADMIN_PASSWORD__FILE", "/etc/secrets/admin"),
        ("TOKEN_URL", "https://login.example.org/oauth2/token"),
        ("TOKEN_ENDPOINT", RANDOM),
        ("ENABLE_PASSWORD", "true"),
        ("PASSWORD", ""),
        ("PASSWORD", "null"),
        ("PASSWORD", "$(DB_PASSWORD)"),
        ("PASSWORD", "${DB_PASSWORD:-}"),
        ("PASSWORD", "{{ .Values.db.password }}"),
        ("PASSWORD", "<your-password>"),
        ("PASSWORD", "xxx"),
        ("PASSWORD", "REPLACE_ME"),
        ("PASSWORD", "example"),
        ("PASSWORD", "vault:secret/data/shop#password"),
        ("PASSWORD", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-Ab12Cd"),
        ("PASSWORD_HASH", RANDOM),
        ("PASSWORD", concat!("$2b$12$", "R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW")),
        (
            "SSH_PUBLIC_KEY",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJl3dIeudNqd0DPMRD6OIh65tjkxFNOtwGcWB2gCgPhk",
        ),
        ("CA_CERT", &certificate),
        ("SIGNING_KEY", &public_key),
        ("JWKS", &jwk),
        ("IMAGE", &digest),
        ("TOKEN_IMAGE", &digest),
        ("checksum/secret", &"0af3".repeat(16)),
        ("REQUEST_ID", "6f1c7a60-0a42-4b1e-9d53-1f0c7f0f2a11"),
        ("GIT_COMMIT", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
        ("MAX_TOKENS", "4096"),
        ("TOKEN_TTL", "24h"),
        ("AUTH_METHOD", "scram-sha-256"),
        ("KEY", RANDOM),
        ("DATABASE_URL", "postgres://shop@db:5432/shop"),
        ("DATABASE_URL", "postgres://shop:$(DB_PASSWORD)@db/shop"),
        ("DATABASE_URL", "postgres://shop:${DB_PASSWORD}@db/shop"),
        ("DATABASE_URL", "postgres://user:<password>@db/shop"),
        ("REPOSITORY", "git@github.com:acme/shop.git"),
        ("HEADER", "Authorization: Bearer token"),
        ("HEADER", "Authorization: Bearer $TOKEN"),
        ("AWS_ACCESS_KEY_ID", concat!("AKIA", "IOSFODNN7EXAMPLE")),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/shop"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
        ("JAVA_OPTS", "-Dpassword.file=/etc/password -Dkeystore.type=JKS"),
        ("nginx.ingress.kubernetes.io/auth-secret", "basic-auth"),
        ("nginx.ingress.kubernetes.io/auth-type", "basic"),
        ("vault.hashicorp.com/agent-inject-secret-db", "secret/data/shop/db"),
    ] {
        assert_eq!(class(name, value), None, "{name}={value}");
        assert_eq!(in_text(name, value, &KEY), [], "{name}={value}");
    }
}

#[test]
fn variables_that_hold_one() {
    let private = |label: &str| {
        format!(
            "-----BEGIN {label}PRIVATE KEY-----\n{}\n-----END {label}PRIVATE KEY-----\n",
            RANDOM.repeat(9)
        )
    };
    let in_json = private("").replace('\n', "\\n");
    let account = format!(r#"{{"type":"service_account","private_key":"{in_json}","client_id":"1"}}"#);
    let jwk = format!(r#"{{"kty":"RSA","n":"{0}","e":"AQAB","d":"{0}"}}"#, RANDOM.repeat(2));
    for (name, value, expected) in [
        ("DB_PASSWORD", "hunter2", "password by name"),
        ("PGPASSWORD", "postgres", "password by name"),
        ("MYSQL_ROOT_PASSWORD", "changeme", "password by name"),
        ("MYSQL_ROOT_PASSWORD", "123456", "password by name"),
        ("PASSWORD", "correct horse battery staple", "password by name"),
        ("PASSWORD", "p$ssw0rd", "password by name"),
        ("keystore.pass", " changeit\n", "password by name"),
        ("CLIENT_SECRET", "6f1c7a60-0a42-4b1e-9d53-1f0c7f0f2a11", "secret by name"),
        ("SECRET_KEY_BASE", &"9f86d081884c7d65".repeat(4), "secret by name"),
        ("AUTH_TOKEN", RANDOM, "token by name"),
        ("DD_API_KEY", "9f86d081884c7d659a2feaa0c55ad015", "key by name"),
        ("REDIS_AUTH", "s3cr3t-k3y!", "credential by name"),
        (
            "AWS_SECRET_ACCESS_KEY",
            concat!("wJa1rXUt", "nFEMI/K7", "MDENG+bP", "xRfiCYzQ", "9sLk2Tv4"),
            "AWS secret access key",
        ),
        ("CERT", &private("RSA "), "private key"),
        ("CERT", &private("ENCRYPTED "), "private key"),
        ("CERT", &in_json, "private key"),
        ("CONFIG", &account, "Google Cloud service account key"),
        ("CONFIG", &jwk, "private JSON Web Key"),
        ("DATABASE_URL", "postgres://shop:postgres@db/shop", "password in a URL"),
        ("CACHE", "redis://:hunter2@cache:6379/0", "password in a URL"),
        ("BROKER", "amqp://shop:p:w@d@queue", "password in a URL"),
        ("DSN", "host=db user=shop password=hunter2 sslmode=require", "password by name"),
        ("JDBC", "jdbc:postgresql://db/shop?user=shop&password=hunter2&ssl=true", "password by name"),
        (
            "ConnectionStrings__Shop",
            "Server=db;Database=shop;User Id=sa;Password=hunter2;",
            "password in a connection string",
        ),
        ("ConnectionStrings__Shop", "Password=hunter2;Server=db", "password by name"),
        ("JAVA_OPTS", "-Xmx1g -Djavax.net.ssl.keyStorePassword=changeit -Dx=y", "password by name"),
        ("CONFIG", r#"{"db":{"user":"shop","password":"hunter2"}}"#, "password by name"),
        ("ENV", r#"[{"name":"DB_PASSWORD","value":"hunter2"}]"#, "password by name"),
    ] {
        assert_eq!(class(name, value), Some(expected), "{name}={value}");
        assert_round_trips(name, value, "hunter2");
    }
    let fingerprint = in_variable("PASSWORD", "hunter2", &KEY).unwrap().fingerprint;
    assert_eq!(fingerprint, in_variable("URL", "ftp://a:hunter2@b", &KEY).unwrap().fingerprint);
    assert_ne!(fingerprint, in_variable("PASSWORD", "hunter3", &KEY).unwrap().fingerprint);
}

#[test]
fn an_encoded_password_may_look_like_a_placeholder() {
    for password in ["XXxx00", "19XXxxlG9G13", "xxxx", "example"] {
        let pair = BASE64_STANDARD.encode(format!("aaa:{password}"));
        for (text, expected) in [
            (format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{pair}"}}}}}}"#), "registry credentials"),
            (format!("Basic {pair}"), "basic authentication"),
        ] {
            assert_eq!(class("SETTING", &text), Some(expected), "{text}");
            let file = in_file(&format!("# bomw\nsetting: 'bomw {text}'\n"));
            assert!(file.iter().any(|(line, _, class)| (*line, *class) == (2, expected)), "{file:?}");
            assert_round_trips("SETTING", &text, &pair);
        }
    }
}

#[test]
fn a_token_with_another_within_it_keeps_its_class() {
    let within = format!("-sk-{RANDOM}");
    let json = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let (header, payload) = (json(r#"{"alg":"RS256"}"#), json(r#"{"sub":"shop"}"#));
    for (token, expected) in [
        (format!("hvs.{RANDOM}{within}"), "Vault token"),
        (format!("1RV79u8cgtTZ8w.atlasv1.{RANDOM}{within}"), "Terraform token"),
        (format!("AIza{}", &within[..35]), "Google API key"),
        (format!("00011011:AA{}", &within[..33]), "Telegram bot token"),
        (format!("ATATT3{RANDOM}{within}"), "Atlassian token"),
        (format!("{header}.{payload}.{RANDOM}{within}"), "JSON Web Token"),
        (format!(r#"{{"kty":"RSA","d":"{RANDOM}{within}"}}"#), "private JSON Web Key"),
        (format!("Bearer sk-{RANDOM}"), "OpenAI key"),
    ] {
        assert_eq!(class("SETTING", &token), Some(expected), "{token}");
        assert_round_trips("SETTING", &token, &RANDOM[..20]);
    }
}

#[test]
fn commands() {
    let random = RANDOM;
    let flag = format!("--token={random}");
    let header = format!("curl -H 'Authorization: Bearer {random}' https://shop");
    for (command, expected) in [
        (&["run", "--password=hunter2"][..], &[(1, "password by name")][..]),
        (&["run", "--db-password", "hunter2", "-v"], &[(2, "password by name")]),
        (&["run", "-password", "hunter2"], &[(2, "password by name")]),
        (&["run", "--password='a;b'"], &[(1, "password by name")]),
        (&["run", &flag], &[(1, "token by name")]),
        (&["sh", "-c", "mysql -uroot -phunter2 -e 'select 1'"], &[(2, "password on a command line")]),
        (&["mysqladmin", "ping", "-phunter2"], &[(2, "password on a command line")]),
        (&["sh", "-c", "exec redis-server --requirepass hunter2"], &[(2, "password by name")]),
        (&["redis-cli", "-a", "hunter2", "ping"], &[(2, "password on a command line")]),
        (&["sh", "-c", "PGPASSWORD=hunter2 psql -h db"], &[(2, "password by name")]),
        (&["sh", "-c", "set -e\nexport DB_PASSWORD=hunter2\nrun"], &[(2, "password by name")]),
        (&["curl", "-u", "shop:hunter2", "https://shop"], &[(2, "password on a command line")]),
        (&["sh", "-c", &header], &[(2, "bearer token")]),
        (&["kubectl", "create", "secret", "--from-literal=password=hunter2"], &[(3, "password by name")]),
        (&["java", "-Dspring.datasource.password=hunter2", "-jar", "shop.jar"], &[(1, "password by name")]),
        (&["run", "--dsn", "shop:hunter2@tcp(db:3306)/shop"], &[(2, "password in a data source name")]),
        (&["run", "--password=a", "--secret", random], &[(1, "password by name"), (3, "secret by name")]),
        // Quiet.
        (&["run", "--password=$(DB_PASSWORD)", "--token-file=/var/run/token"], &[]),
        (&["run", "--password", "$(DB_PASSWORD)"], &[]),
        (&["run", "--password", "--verbose"], &[]),
        (&["run", "--password-stdin", "hunter2"], &[]),
        (&["run", "--secret", "my-secret", "--tls-private-key-file=/etc/tls.key"], &[]),
        (&["run", "--service-account-private-key-file=/etc/kubernetes/pki/sa.key"], &[]),
        (&["run", "--enable-bootstrap-token-auth=true", "--token-ttl", "24h"], &[]),
        (&["run", "--default-ssl-certificate=ingress/tls-secret"], &[]),
        (&["sh", "-c", "mysql -p$MYSQL_PASSWORD -uroot"], &[]),
        (&["sh", "-c", "mysql -p\"${MYSQL_PASSWORD}\""], &[]),
        (&["sh", "-c", "docker run -p 8080:80 shop"], &[]),
        (&["sh", "-c", "mkdir -p /data && cp -p a b"], &[]),
        (&["sh", "-c", "mysql -e x; mkdir -pv data"], &[]),
        (&["sh", "-c", "if [ \"$PASSWORD\" == \"\" ]; then exit 1; fi"], &[]),
        (&["sh", "-c", "PASSWORD=$(cat /run/secrets/password) run"], &[]),
    ] {
        let command = words(command);
        let found: Vec<_> =
            in_words(&command, &KEY).into_iter().map(|found| (found.word, found.credential.class)).collect();
        assert_eq!(found, expected, "{command:?}");
        let redacted = redact_words(&command, &KEY);
        assert_eq!(in_words(&redacted, &KEY), in_words(&command, &KEY), "{redacted:?}");
        assert!(
            expected.is_empty() == (redacted == command)
                && (expected.is_empty() || !redacted.concat().contains("hunter2"))
        );
    }
}

#[test]
fn files() {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{0}\n{0}\n-----END PRIVATE KEY-----", RANDOM);
    let kubeconfig = format!(
        "users:\n- name: admin\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n    token: {RANDOM}\n",
        BASE64_STANDARD.encode(format!("-----BEGIN CERTIFICATE-----\n{RANDOM}{RANDOM}")),
        BASE64_STANDARD.encode(format!("-----BEGIN {} KEY-----\n{RANDOM}{RANDOM}", "RSA PRIVATE")),
    );
    let password = "password by name";
    for (text, expected) in [
        ("DB_HOST=db\nDB_PASSWORD=hunter2\n", &[(2, "DB_PASSWORD", password)][..]),
        ("export DB_PASSWORD='hunter2'\nx=y\n", &[(1, "DB_PASSWORD", password)]),
        ("[db]\nuser = shop\npassword = hunter2 more\n", &[(3, "password", password)]),
        ("db:\n  password: hunter2 # here\n  port: 1\n", &[(2, "password", password)]),
        ("db:\n  password: \"hunter2\"\n", &[(2, "password", password)]),
        ("{\n  \"db\": {\"password\": \"hunter2\", \"port\": 1}\n}\n", &[(2, "password", password)]),
        ("{\"a\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}\n\n.\n", &[(1, "password", password)]),
        ("env:\n- name: DB_PASSWORD\n  value: hunter2\n", &[(3, "value", password)]),
        ("<settings>\n<password>hunter2</password>\n</settings>\n", &[(2, "password", password)]),
        ("<c>\n<add key=\"Password\" value=\"hunter2\"/>\n</c>", &[(2, "value", password)]),
        ("spring.datasource.password=hunter2;x,y&z\na=b\n", &[(1, "spring.datasource.password", password)]),
        ("port 6379\nrequirepass hunter2\n", &[(2, "", password)]),
        ("machine shop login me password hunter2\n\n.", &[(1, "", password)]),
        ("#!/bin/sh\nmysql -phunter2\n", &[(2, "", "password on a command line")]),
        ("db = connect(\n  password=\"hunter2\",\n)\n", &[(2, "password", password)]),
        ("c['password'] = 'hunter2'\nx\n", &[(1, "password", password)]),
        ("a: 1\n# url: redis://shop:kE9vZq2Lm4Tt7Yw1Rb@h\n", &[(2, "url", "password in a URL")]),
        (&format!("a: |\n{pem}\npassword: hunter2\n"), &[(2, "", "private key"), (6, "password", password)]),
        (&kubeconfig, &[(5, "client-key-data", "private key in base64"), (6, "token", "token by name")]),
        // Quiet.
        ("# password=hunter2\n; password = hunter2\n// password: hunter2\nx=y\n", &[]),
        ("# url: redis://user:password@host\nx=y\n", &[]),
        ("password: Enter your password\nlogin: Sign in\n", &[]),
        ("properties:\n  password:\n    type: string\n", &[]),
        ("password: string\ntoken: String,\n", &[]),
        ("password = get_password(user)\nif password == \"x\":\n", &[]),
        ("password = self.config.password\ntoken = os.environ[\"TOKEN\"]\n", &[]),
        ("password: ${DB_PASSWORD}\ntoken: \"{{ token }}\"\n", &[]),
        ("proxy_pass http://backend;\nserver_tokens off;\nssl_certificate_key /etc/tls.key;\n", &[]),
        ("secretName: shop-tls\nsecretKeyRef:\n  name: db\n  key: password\n", &[]),
        ("password: |\n  x\nsecret: >-\n", &[]),
        ("existingSecret: shop-db\npasswordKey: postgres-password\n", &[]),
    ] {
        let expected: Vec<_> =
            expected.iter().map(|(line, key, class)| (*line, (*key).to_owned(), *class)).collect();
        assert_eq!(in_file(text), expected, "{text}");
        let redacted = redact_text("app.conf", text, &KEY);
        assert_eq!(in_text("app.conf", &redacted, &KEY), in_text("app.conf", text, &KEY), "{redacted}");
        assert!(expected.is_empty() == (redacted == text), "{redacted}");
        assert!(expected.is_empty() || !redacted.contains("hunter2"), "{redacted}");
        assert_eq!(redacted.lines().count(), text.lines().count());
    }
}

#[test]
fn the_copy_of_kubectl_apply_is_not_read_but_redacted() {
    let copy = r#"{"data":{"password":"hunter2"}}"#;
    assert_eq!(in_text(LAST_APPLIED, copy, &KEY), []);
    assert!(!redact_text(LAST_APPLIED, copy, &KEY).contains("hunter2"));
}

#[test]
fn a_mark_that_somebody_wrote_hides_nothing_from_redaction() {
    let mark = redact_variable("PASSWORD", "swordfish", &KEY);
    let text = format!("password: {mark}\nother_password: hunter2\nthird_password: hunter2{mark}hunter2\n");
    let redacted = redact_text("a.yaml", &text, &KEY);
    assert!(!redacted.contains("hunter2"), "{redacted}");
    assert_eq!(in_text("a.yaml", &redacted, &KEY), in_text("a.yaml", &text, &KEY));
    let words = words(&["run", &format!("--password={mark}"), "--token-password", "hunter2"]);
    assert_eq!(redact_words(&words, &KEY)[3], "rampart-removed");
}

#[test]
fn debug_shows_no_value() {
    let found = in_variable("PASSWORD", "hunter2", &KEY);
    assert!(!format!("{found:?} {KEY:?}").contains("hunter2"));
}

/// Texts that make a careless scanner quadratic.
#[test]
fn a_mebibyte_takes_linear_time() {
    for piece in [
        "password=",
        "token=<",
        "token=\"",
        "token=\\\"",
        "a:b@",
        "x://y:",
        "x://y:z@",
        "eyJ",
        "eyJaaaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "Bearer ",
        "name=",
        "name: password\nvalue: ",
        "'",
        "\\",
        "a=b;",
        "a=b;password=",
        "password: ",
        "password -",
        "--password ",
        "mysql -p",
        "<password>",
        "\n",
        "# redis://a:b@c\n",
        "rampart-redacted:password-by-name:0123456789abcdef ",
        "sk-",
        "gl",
        "auth\":\"",
        "é",
    ] {
        let text = piece.repeat((1 << 20) / piece.len());
        let start = Instant::now();
        let found = in_text("a.conf", &text, &KEY).len();
        let redacted = redact_text("a.conf", &text, &KEY);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{piece:?} took {took:?}, {found} found");
        drop(redacted);
    }
}
