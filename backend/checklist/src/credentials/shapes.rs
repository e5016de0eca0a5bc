//! What the shape of a value says: a placeholder, a reference, a plain word, or something random.

use super::names::Announced;

/// How much of a value is looked at to judge its shape.
const JUDGED: usize = 512;

/// Whether a value is written to be replaced, or stands for a value that is elsewhere.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = beginning(value).trim();
    let lower = value.to_ascii_lowercase();
    let is_one_character =
        value.chars().next().is_some_and(|first| value.chars().all(|character| character == first));
    is_one_character && (value.len() > 2 || !value.chars().all(char::is_alphanumeric))
        || lower.starts_with('<') && lower.contains('>')
        || lower.starts_with('[') && lower.ends_with(']')
        || lower.starts_with("your")
            && lower.get(4..5).is_none_or(|next| !next.chars().all(char::is_alphanumeric))
        || [
            "replace", "insert-", "insert_", "enter-", "enter_", "put-", "put_", "fill-", "fill_", "todo",
            "fixme",
        ]
        .iter()
        .any(|beginning| lower.starts_with(beginning))
        || ["example", "placeholder", "xxxx", "****", "...", "replace_me", "replace-me", "-here", "_here"]
            .iter()
            .any(|part| lower.contains(part))
        || [
            "dummy",
            "sample",
            "masked",
            "hidden",
            "tbd",
            "my-token",
            "my-secret",
            "my-password",
            "omitted",
            "redacted",
        ]
        .contains(&lower.as_str())
        || is_expansion(value)
}

/// Whether a token that follows a vendor's format is made up for documentation.
pub(super) fn is_made_up(token: &str) -> bool {
    let lower = beginning(token).to_ascii_lowercase();
    let repeats =
        lower.as_bytes().windows(12).any(|window| window.iter().all(|byte| Some(byte) == window.first()));
    repeats
        || [
            "example",
            "placeholder",
            "xxxxx",
            "....",
            "1234567890",
            "0123456789",
            "abcdefghij",
            "your_",
            "your-",
        ]
        .iter()
        .any(|part| lower.contains(part))
}

/// Whether a value is no credential by itself, whatever its name says.
pub(super) fn is_quiet(value: &str, announced: Announced, is_last_word: bool) -> bool {
    let value = beginning(value).trim();
    let lower = value.to_ascii_lowercase();
    // A number as a password is weak, and one all the same.
    let is_weak_password = announced == Announced::Password
        && is_last_word
        && value.len() >= 4
        && value.bytes().all(|byte| byte.is_ascii_digit());
    value.is_empty()
        || NOTHING.contains(&lower.as_str())
        || is_number(&lower) && !is_weak_password
        || is_placeholder(value)
        || is_path(value)
        || value.contains("://")
        || value.contains("@sha256:")
        || value.starts_with(['{', '['])
        || REFERENCES.iter().any(|prefix| lower.starts_with(prefix))
        || HASHES.iter().any(|prefix| value.starts_with(prefix))
        || PUBLIC.iter().any(|prefix| value.starts_with(prefix))
}

/// Whether a value looks made by a machine rather than named by a person.
pub(super) fn looks_random(value: &str) -> bool {
    let value = beginning(value);
    if value.len() < 8 || value.contains(char::is_whitespace) {
        return false;
    }
    let (mut all, mut odd) = (0, 0);
    for part in value.split(|character: char| !character.is_ascii_alphanumeric()) {
        all += part.len();
        if !is_word(part) {
            odd += part.len();
        }
    }
    (odd >= 8 || odd * 2 >= all && odd > 0) && entropy(value) >= 2.5
}

/// Whether text is code or prose rather than a value, as files in a ConfigMap hold.
pub(super) fn is_code_or_prose(value: &str, quoted: bool) -> bool {
    let value = beginning(value).trim();
    let identifier = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !part.contains(is_no_word)
    };
    value.split_whitespace().nth(2).is_some()
        || TYPES.contains(&value.trim_end_matches(',').to_ascii_lowercase().as_str())
        || !quoted
            && (value.contains(['(', '{', '['])
                || value.starts_with(['|', '>', '*', '&', '!', '='])
                || value.contains('.') && value.split('.').all(identifier) && value.split('.').all(is_word))
}

/// Shannon's entropy of the characters, in bits for each.
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = value.len() as f64;
    counts.iter().filter(|count| **count > 0).fold(0.0, |sum, count| {
        let share = f64::from(*count) / length;
        sum - share * share.log2()
    })
}

fn is_no_word(character: char) -> bool {
    !character.is_ascii_alphanumeric() && character != '_'
}

fn beginning(value: &str) -> &str {
    value.get(..value.floor_char_boundary(JUDGED)).unwrap_or(value)
}

/// `$VAR`, `$(VAR)`, `${VAR}`, templates, `%VAR%` and the like.
fn is_expansion(value: &str) -> bool {
    let pair = |open: &str, close: &str| value.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    let variable = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    // A pair within a line may have lost its end.
    value.starts_with("$(")
        || value.starts_with("${")
        || pair("$(", ")")
        || pair("${", "}")
        || pair("{{", "}}")
        || pair("<%", "%>")
        || pair("#{", "}")
        || pair("%(", ")")
        || value
            .strip_prefix('$')
            .is_some_and(|name| variable(name) || name.bytes().all(|b| b.is_ascii_digit()))
        || value.strip_prefix('%').is_some_and(|rest| matches!(rest, "s" | "v" | "q"))
        || value.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).is_some_and(variable)
        || value
            .strip_prefix('@')
            .and_then(|rest| rest.strip_suffix('@'))
            .is_some_and(|name| !name.is_empty())
        || value.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")).is_some_and(variable)
        || value.starts_with('`')
}

/// Numbers, percentages, quantities, durations, dates, versions, addresses with a port.
fn is_number(lower: &str) -> bool {
    const UNITS: &[&str] = &[
        "", "%", "ns", "us", "µs", "ms", "s", "sec", "m", "min", "h", "hr", "d", "days", "w", "y", "k", "ki",
        "kb", "mi", "mb", "g", "gi", "gb", "ti", "b",
    ];
    let mut rest = lower.strip_prefix(['-', '+']).unwrap_or(lower);
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || "._:-/".contains(c));
        if digits.len() == rest.len() {
            return false;
        }
        let unit_end = digits.find(|c: char| c.is_ascii_digit()).unwrap_or(digits.len());
        let (unit, next) = digits.split_at(unit_end);
        if !UNITS.contains(&unit) {
            return false;
        }
        rest = next;
    }
    true
}

fn is_path(value: &str) -> bool {
    let rooted = ["/", "./", "../", "~/", "$HOME/"].iter().any(|root| value.starts_with(root))
        || value.get(1..3) == Some(":\\");
    let parts = || value.split(['/', '\\']);
    rooted && !looks_random(value)
        || rooted && parts().count() > 2 && parts().all(|part| !looks_random(part))
        || value.contains('/')
            && parts().all(|part| part.split(is_no_word).all(is_word))
            && !value.contains(' ')
}

/// Whether letters and digits read as a word: `redis`, `someName`, `node18`, `v1beta1`, `2024`.
fn is_word(part: &str) -> bool {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = part.len() - letters.len();
    if letters.is_empty() {
        return digits <= 8;
    }
    if let Some(version) = part.strip_prefix(['v', 'V'])
        && let Some((major, minor)) = version.split_once("beta").or_else(|| version.split_once("alpha"))
    {
        return major.len() <= 2 && minor.len() <= 2;
    }
    if digits > 4 || !letters.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let (mut consonants, mut most) = (0, 0);
    for letter in letters.bytes() {
        consonants = if b"aeiouyAEIOUY".contains(&letter) { 0 } else { consonants + 1 };
        most = most.max(consonants);
    }
    let humps = super::names::words(letters).len().max(1);
    most <= 5 && letters.len() <= 24 && (humps == 1 || letters.len() / humps >= 3)
}

/// Values that say that there is none, or that something is on or off.
const NOTHING: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "enabled",
    "disabled",
    "null",
    "nil",
    "none",
    "undefined",
    "~",
    "-",
    "required",
    "optional",
    "auto",
    "default",
    "n/a",
    "unset",
    "\"\"",
    "''",
];

/// What stands in files where a value is declared.
const TYPES: &[&str] = &[
    "string",
    "str",
    "text",
    "bool",
    "boolean",
    "int",
    "integer",
    "number",
    "bytes",
    "object",
    "secret",
    "any",
    "varchar",
    "option<string>",
    "&str",
    "password:",
];

/// Beginnings of references to a value that is elsewhere, and of values that are sealed.
const REFERENCES: &[&str] = &[
    "arn:",
    "sha256:",
    "sha384:",
    "sha512:",
    "sha1:",
    "vault:",
    "ref+",
    "secretref:",
    "secret:",
    "env:",
    "env.",
    "file:",
    "aws-sm:",
    "awssm:",
    "gcpsm:",
    "azurekv:",
    "keyvault:",
    "ssm:",
    "enc[",
    "enc(",
    "$ansible_vault",
    "process.env",
    "os.environ",
    "classpath:",
];

/// Beginnings of what `crypt`, htpasswd, LDAP, PostgreSQL and frameworks store instead of a password.
const HASHES: &[&str] = &[
    "$1$",
    "$2a$",
    "$2b$",
    "$2x$",
    "$2y$",
    "$5$",
    "$6$",
    "$7$",
    "$y$",
    "$apr1$",
    "$argon2",
    "$pbkdf2",
    "$scrypt$",
    "{SHA",
    "{SSHA",
    "{bcrypt}",
    "pbkdf2_",
    "SCRAM-SHA-256$",
];

/// Beginnings of public keys and certificates, also in base64.
const PUBLIC: &[&str] = &[
    "-----BEGIN CERTIFICATE",
    "-----BEGIN PUBLIC KEY",
    "-----BEGIN RSA PUBLIC KEY",
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS",
    "LS0tLS1CRUdJTiBQVUJMSUMg",
    "ssh-rsa ",
    "ssh-ed25519 ",
    "ecdsa-sha2-",
    "age1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_or_named_by_a_person() {
        for random in [
            "s3cr3t-k3y!",
            "6f1c7a60-0a42-4b1e-9d53-1f0c7f0f2a11",
            "QWxhZGRpbjpvcGVuIHNlc2FtZQ",
            "9f86d081884c7d65",
            "xkqjzvwpmfhtrbnd",
            "kE9v/Zq2+Lm4Tt7Yw1Rb",
        ] {
            assert!(looks_random(random), "{random}");
        }
        for named in [
            "my-secret",
            "supersecret",
            "us-east-1",
            "apps/v1beta1",
            "k8s-secret-store",
            "oauth2-proxy",
            "aes-256-gcm",
            "db-credentials-2024",
            "someLongIdentifierName",
            "TLS_RSA_WITH_AES_256_GCM_SHA384",
            "sh.helm.release.v1.shop.v12",
            "registry-credentials",
            "short1",
        ] {
            assert!(!looks_random(named), "{named}");
        }
    }

    #[test]
    fn placeholders() {
        for value in [
            "<your-token>",
            "xxx",
            "xxxxxxxx",
            "***",
            "REPLACE_ME",
            "replace-with-password",
            "your-password",
            "YOUR_TOKEN",
            "example",
            "AKIAIOSFODNN7EXAMPLE",
            "$(DB_PASSWORD)",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "{{ .Values.password }}",
            "%PASSWORD%",
            "@db.password@",
            "__PASSWORD__",
            "prefix-${PASSWORD}",
            "%s",
            "...",
            "[password]",
            "insert-password-here",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["changeme", "change-me", "postgres", "hunter2", "$ecret", "p$ss", "Pa$$w0rd", "a"] {
            assert!(!is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn numbers_quantities_durations_dates() {
        for number in
            ["3600", "-1", "1.5", "30s", "1h30m", "10Mi", "50%", "2026-01-31", "12:30", "10.0.0.1:5432", "7d"]
        {
            assert!(is_number(&number.to_ascii_lowercase()), "{number}");
        }
        for word in ["3x", "1password", "", "s", "12ab34"] {
            assert!(!is_number(word), "{word}");
        }
    }
}
