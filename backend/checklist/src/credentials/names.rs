//! What the name of a variable, flag or key says about its value.

/// What kind of credential a name announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announced {
    /// Any literal is one, however weak.
    Password,
    /// Names of Secrets are called so too: only a value that looks random is one.
    Secret,
    /// As `Secret`.
    Token,
    /// As `Secret`.
    Key,
    /// As `Secret`.
    Credential,
}

impl Announced {
    /// The class of a credential found by such a name.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Announced::Password => "password by name",
            Announced::Secret => "secret by name",
            Announced::Token => "token by name",
            Announced::Key => "key by name",
            Announced::Credential => "credential by name",
        }
    }

    /// Every kind.
    pub(super) const ALL: [Announced; 5] =
        [Announced::Password, Announced::Secret, Announced::Token, Announced::Key, Announced::Credential];
}

/// What a name announces, and whether that is its last word.
pub(super) fn announced(name: &str) -> Option<(Announced, bool)> {
    let words = words(name);
    if words.iter().any(|word| NEVER.contains(&word.as_str())) {
        return None;
    }
    let mut found = None;
    let mut previous = "";
    for word in &words {
        let word = word.as_str();
        found = match kind_of(word, previous) {
            Some(Announced::Key) if found.is_some() && previous != "secret" => Some((Announced::Key, true)),
            // `secret key`, `access token key`: the first word is the better name.
            Some(Announced::Key) if previous == "secret" => found,
            Some(kind) => Some((kind, true)),
            None if word == "id" && previous == "secret" => found,
            None if word == "key" && found.is_some() => Some((Announced::Key, true)),
            None if ABOUT.contains(&word) => None,
            None => found.map(|(kind, _)| (kind, false)),
        };
        previous = word;
    }
    found
}

/// The words of a name in lower case, without its digits: `dbPassword2`, `DB_PASSWORD` and `db.password` are the
/// same two.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut characters = name.chars().peekable();
    let mut previous = ' ';
    while let Some(character) = characters.next() {
        let next_is_lowercase = characters.peek().is_some_and(char::is_ascii_lowercase);
        let begins = character.is_ascii_uppercase()
            && (previous.is_ascii_lowercase() || previous.is_ascii_uppercase() && next_is_lowercase);
        if (begins || !character.is_ascii_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_ascii_alphabetic() {
            word.push(character.to_ascii_lowercase());
        }
        previous = character;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn kind_of(word: &str, previous: &str) -> Option<Announced> {
    match word {
        "pass" if matches!(previous, "proxy" | "fastcgi" | "uwsgi" | "scgi" | "grpc") => None,
        "pass" | "pw" | "pwd" | "passcode" | "requirepass" => Some(Announced::Password),
        "credential" | "credentials" | "cred" | "creds" | "auth" | "masterauth" => {
            Some(Announced::Credential)
        }
        "tokens" => Some(Announced::Token),
        "secrets" => Some(Announced::Secret),
        "apikey" | "accesskey" | "privatekey" | "secretkey" | "authkey" | "accountkey" | "sharedkey"
        | "masterkey" | "signingkey" | "encryptionkey" => Some(Announced::Key),
        "key" if BEFORE_KEY.contains(&previous) => Some(Announced::Key),
        // Written together: PGPASSWORD, AUTHTOKEN, CLIENTSECRET.
        _ if ["password", "passwd", "passphrase"].iter().any(|end| word.ends_with(end)) => {
            Some(Announced::Password)
        }
        _ if word.ends_with("token") => Some(Announced::Token),
        _ if word.ends_with("secret") => Some(Announced::Secret),
        _ => None,
    }
}

/// Words that make a following `key` a credential.
const BEFORE_KEY: &[&str] = &[
    "access",
    "account",
    "admin",
    "api",
    "app",
    "application",
    "auth",
    "cookie",
    "data",
    "deploy",
    "encrypt",
    "encryption",
    "hmac",
    "ingest",
    "ingestion",
    "integration",
    "jwt",
    "license",
    "licence",
    "master",
    "private",
    "root",
    "secret",
    "service",
    "session",
    "shared",
    "signing",
    "ssh",
    "storage",
    "subscription",
    "write",
];

/// Words after which a name speaks about a credential, and its value is none.
const ABOUT: &[&str] = &[
    "age",
    "alg",
    "algo",
    "algorithm",
    "alias",
    "annotation",
    "arn",
    "attempts",
    "attribute",
    "audience",
    "auto",
    "backend",
    "bucket",
    "cache",
    "ca",
    "cert",
    "certificate",
    "change",
    "claim",
    "class",
    "column",
    "command",
    "cmd",
    "config",
    "cookie",
    "count",
    "days",
    "dir",
    "directory",
    "disabled",
    "duration",
    "enable",
    "enabled",
    "encoding",
    "endpoint",
    "engine",
    "env",
    "exp",
    "expiration",
    "expires",
    "expiry",
    "field",
    "file",
    "filename",
    "folder",
    "format",
    "grant",
    "group",
    "header",
    "hint",
    "host",
    "hours",
    "id",
    "ids",
    "image",
    "index",
    "interval",
    "issuer",
    "kind",
    "label",
    "length",
    "len",
    "lifetime",
    "limit",
    "location",
    "manager",
    "max",
    "method",
    "min",
    "minutes",
    "mode",
    "mount",
    "name",
    "names",
    "namespace",
    "path",
    "paths",
    "pattern",
    "period",
    "policy",
    "prefix",
    "provider",
    "realm",
    "ref",
    "reference",
    "regex",
    "region",
    "required",
    "reset",
    "role",
    "rotation",
    "scheme",
    "scope",
    "scopes",
    "seconds",
    "selector",
    "server",
    "service",
    "size",
    "source",
    "stdin",
    "store",
    "suffix",
    "timeout",
    "ttl",
    "type",
    "url",
    "uri",
    "user",
    "username",
    "version",
];

/// Words with which a name never announces a credential.
const NEVER: &[&str] = &[
    "checksum",
    "checksums",
    "digest",
    "fingerprint",
    "hash",
    "hashed",
    "hashes",
    "public",
    "pubkey",
    "revision",
    "sha",
    "thumbprint",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_whole_words() {
        for name in ["DB_PASSWORD", "dbPassword", "db-password", "db.password", "DBPassword", "DB_PASSWORD_2"]
        {
            assert_eq!(words(name), ["db", "password"], "{name}");
        }
    }

    #[test]
    fn names_announce_or_do_not() {
        use Announced::{Credential, Key, Password, Secret, Token};
        for (kind, names) in [
            (
                Password,
                &[
                    "PASSWORD",
                    "PGPASSWORD",
                    "MYSQL_PWD",
                    "DB_PASS",
                    "pass",
                    "keystorePassword",
                    "bind-passwd",
                    "passphrase",
                    "spring.datasource.password",
                    "PASSWORD_PRIMARY",
                    "NEW_RELIC_PASSWORD",
                ][..],
            ),
            (
                Secret,
                &[
                    "SECRET",
                    "CLIENT_SECRET",
                    "clientsecret",
                    "SECRET_KEY_BASE",
                    "AWS_SECRET_ACCESS_KEY",
                    "secretKey",
                    "VAULT_SECRET_ID",
                ],
            ),
            (Token, &["TOKEN", "authToken", "AUTHTOKEN", "GITHUB_TOKEN", "api_tokens", "vault.token"]),
            (
                Key,
                &[
                    "API_KEY",
                    "apikey",
                    "x-api-key",
                    "privateKey",
                    "ENCRYPTION_KEY",
                    "passwordKey",
                    "TOKEN_KEY",
                ],
            ),
            (Credential, &["CREDENTIALS", "REDIS_AUTH", "aws.creds"]),
        ] {
            for name in names {
                let found = announced(name).map(|(kind, _)| kind);
                // The access key is a secret and a key; both ask for a random value.
                let same = found == Some(kind) || *name == "AWS_SECRET_ACCESS_KEY" && found == Some(Key);
                assert!(same, "{name}: {found:?}");
            }
        }
        for name in [
            "AUTH_TOKEN_PATH",
            "KEY_ROTATION_DAYS",
            "TOKEN_EXPIRY",
            "PASSWORD_MIN_LENGTH",
            "SECRET_NAME",
            "PASSWORD_FILE",
            "TOKEN_URL",
            "passwordSecretName",
            "secretRef",
            "checksum/secret",
            "publicKey",
            "SSH_PUBLIC_KEY",
            "discovery-token-ca-cert-hash",
            "proxy_pass",
            "compass",
            "passenger",
            "keyboard",
            "monkey",
            "CACHE_KEY",
            "KEY",
            "partition_key",
            "secretary",
            "tokenizer",
            "AWS_ACCESS_KEY_ID",
            "PASSWORD_HASH",
            "TOKEN_TYPE",
            "SECRET_STORE",
            "password-stdin",
            "AUTH_METHOD",
            "image",
            "",
        ] {
            assert_eq!(announced(name), None, "{name}");
        }
    }
}
