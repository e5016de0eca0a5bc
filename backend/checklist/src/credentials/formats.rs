//! Credentials that are recognised by their format alone. To add one, add a row, with its source.

use super::shapes::{is_made_up, is_placeholder, is_quiet, looks_random};
use super::{Found, names::Announced};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use base64::{alphabet, prelude::BASE64_URL_SAFE_NO_PAD};
use regex::{Regex, RegexSet};
use std::ops::Range;
use std::sync::LazyLock;

/// One format.
#[derive(Debug)]
pub(super) struct Format {
    /// What it is called in a finding.
    pub(super) class: &'static str,
    /// How it is written; the group `secret` is the credential, else all of it. A word begins where it begins.
    pub(super) pattern: &'static str,
    /// What else must hold.
    pub(super) check: Check,
    /// What else the same text must contain.
    pub(super) with: &'static str,
    /// Where the format is documented.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader; a test asks for it"))]
    pub(super) source: &'static str,
}

/// What else must hold for a text in a format to be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// It is not made up for documentation.
    Token,
    /// It also looks random, for formats that words may have.
    Random,
    /// It is a password that somebody set, not a variable or placeholder.
    Password,
    /// Its first two parts are JSON objects in base64.
    JsonWebToken,
    /// It is `user:password` in base64.
    UserAndPassword,
    /// It is a PEM private key in base64.
    PrivateKey,
}

const fn row(class: &'static str, pattern: &'static str, check: Check, source: &'static str) -> Format {
    Format { class, pattern, check, with: "", source }
}

/// The formats; the more specific of two comes first.
pub(super) const FORMATS: &[Format] = &[
    row(
        "AWS access key",
        "(?:AKIA|ASIA)[A-Z2-7]{16}",
        Check::Token,
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    ),
    row(
        "GitHub token",
        "gh[pousr]_[A-Za-z0-9]{36,}",
        Check::Token,
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
    ),
    row(
        "GitHub fine-grained token",
        "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        Check::Token,
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
    ),
    row(
        "GitLab token",
        "gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat)-[A-Za-z0-9_-]{20,}(?:\\.[0-9a-z]{1,9}){0,2}",
        Check::Random,
        "https://docs.gitlab.com/security/tokens/",
    ),
    row(
        "Slack token",
        "xox[abeoprs]-[0-9][A-Za-z0-9-]{9,}",
        Check::Token,
        "https://docs.slack.dev/authentication/tokens/",
    ),
    row(
        "Slack app token",
        "xapp-[0-9]-[A-Za-z0-9-]{10,}",
        Check::Token,
        "https://docs.slack.dev/authentication/tokens/",
    ),
    row(
        "Slack webhook",
        "https://hooks\\.slack\\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/]{20,})",
        Check::Token,
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/",
    ),
    row("Stripe secret key", "(?:sk|rk)_live_[A-Za-z0-9]{16,}", Check::Token, "https://docs.stripe.com/keys"),
    row("Stripe webhook secret", "whsec_[A-Za-z0-9]{32}", Check::Token, "https://docs.stripe.com/webhooks"),
    row("npm token", "npm_[A-Za-z0-9]{36}", Check::Token, "https://docs.npmjs.com/about-access-tokens"),
    row("PyPI token", "pypi-AgE[A-Za-z0-9_-]{50,}", Check::Token, "https://pypi.org/help/#apitoken"),
    row(
        "SendGrid key",
        "SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}",
        Check::Token,
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
    ),
    row("Twilio API key", "SK[0-9a-f]{32}", Check::Token, "https://www.twilio.com/docs/iam/api-keys"),
    row(
        "Anthropic key",
        "sk-ant-[A-Za-z0-9_-]{20,}",
        Check::Random,
        "https://docs.anthropic.com/en/api/overview",
    ),
    row(
        "Vault token",
        "hv[sbr]\\.[A-Za-z0-9_-]{24,}",
        Check::Random,
        "https://developer.hashicorp.com/vault/docs/concepts/tokens",
    ),
    row(
        "Terraform token",
        "[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_-]{60,}",
        Check::Token,
        "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
    ),
    row(
        "Google API key",
        "AIza[A-Za-z0-9_-]{35}",
        Check::Random,
        "https://cloud.google.com/docs/authentication/api-keys",
    ),
    row(
        "Google OAuth client secret",
        "GOCSPX-[A-Za-z0-9_-]{28}",
        Check::Random,
        "https://developers.google.com/identity/protocols/oauth2",
    ),
    row(
        "DigitalOcean token",
        "do[opr]_v1_[0-9a-f]{64}",
        Check::Token,
        "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
    ),
    row(
        "Databricks token",
        "dapi[0-9a-f]{32}",
        Check::Token,
        "https://docs.databricks.com/aws/en/dev-tools/auth/pat",
    ),
    row(
        "Grafana token",
        "glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",
        Check::Token,
        "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
    ),
    row(
        "New Relic key",
        "NRAK-[A-Z0-9]{27}",
        Check::Token,
        "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
    ),
    row(
        "Docker Hub token",
        "dckr_pat_[A-Za-z0-9_-]{27}",
        Check::Random,
        "https://docs.docker.com/security/access-tokens/",
    ),
    row(
        "Hugging Face token",
        "hf_[A-Za-z0-9]{34}",
        Check::Token,
        "https://huggingface.co/docs/hub/security-tokens",
    ),
    row(
        "Telegram bot token",
        "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
        Check::Random,
        "https://core.telegram.org/bots/api#authorizing-your-bot",
    ),
    row(
        "Atlassian token",
        "ATATT3[A-Za-z0-9_=-]{60,}",
        Check::Token,
        "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
    ),
    row("age secret key", "AGE-SECRET-KEY-1[0-9A-Z]{58}", Check::Token, "https://github.com/FiloSottile/age"),
    row(
        "Azure storage key",
        "AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)",
        Check::Token,
        "https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string",
    ),
    row(
        "Azure shared access key",
        "SharedAccessKey=(?P<secret>[A-Za-z0-9+/]{40,60}={0,2})",
        Check::Random,
        "https://learn.microsoft.com/en-us/azure/service-bus-messaging/service-bus-sas",
    ),
    row(
        "Azure shared access signature",
        "sig=(?P<secret>[A-Za-z0-9%+/]{40,}(?:%3[Dd]|=))",
        Check::Random,
        "https://learn.microsoft.com/en-us/azure/storage/common/storage-sas-overview",
    ),
    row(
        "JSON Web Token",
        "eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{2,}\\.[A-Za-z0-9_-]{16,}",
        Check::JsonWebToken,
        "https://www.rfc-editor.org/rfc/rfc7519",
    ),
    row(
        "basic authentication",
        "[Bb][Aa][Ss][Ii][Cc] (?P<secret>[A-Za-z0-9+/]{6,}={0,2})",
        Check::UserAndPassword,
        "https://www.rfc-editor.org/rfc/rfc7617",
    ),
    row(
        "registry credentials",
        "auth\\\\?\" {0,4}: {0,4}\\\\?\"(?P<secret>[A-Za-z0-9+/]{6,}={0,2})",
        Check::UserAndPassword,
        "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
    ),
    row(
        "private key in base64",
        "LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,}={0,2}",
        Check::PrivateKey,
        "https://www.rfc-editor.org/rfc/rfc7468",
    ),
    Format {
        class: "private JSON Web Key",
        pattern: "d\\\\?\" {0,4}: {0,4}\\\\?\"(?P<secret>[A-Za-z0-9_-]{32,})",
        check: Check::Random,
        with: "kty",
        source: "https://www.rfc-editor.org/rfc/rfc7518#section-6.2.2",
    },
    // After the tokens that may have this within them by chance.
    row(
        "OpenAI key",
        "sk-[A-Za-z0-9_-]{20,}",
        Check::Random,
        "https://platform.openai.com/docs/api-reference/authentication",
    ),
    row(
        "bearer token",
        "[Bb][Ee][Aa][Rr][Ee][Rr](?: |%20)(?P<secret>[A-Za-z0-9._~+/-]{16,}={0,2})",
        Check::Random,
        "https://www.rfc-editor.org/rfc/rfc6750",
    ),
    row(
        "password in a URL",
        "[A-Za-z][A-Za-z0-9+.-]{1,30}://[^ \t\r\n/?#:@\"'<>\\\\]*:(?P<secret>[^ \t\r\n/?#\"'<>\\\\]+)@",
        Check::Password,
        "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1",
    ),
    row(
        "password in a data source name",
        "[A-Za-z0-9_.-]{1,64}:(?P<secret>[^ \t\r\n/\"'@]+)@(?:tcp|unix)\\(",
        Check::Password,
        "https://github.com/go-sql-driver/mysql#dsn-data-source-name",
    ),
    row(
        "password in a JDBC URL",
        "jdbc:oracle:thin:[A-Za-z0-9_$#]+/(?P<secret>[^ \t\r\n/\"'@]+)@",
        Check::Password,
        "https://docs.oracle.com/en/database/oracle/oracle-database/23/jjdbc/data-sources-and-URLs.html",
    ),
    row(
        "password in a connection string",
        "[A-Za-z0-9_ ]+=[^;=\r\n\"']*; ?(?:[Pp]assword|PASSWORD|[Pp]wd|PWD) ?= ?(?P<secret>[^;\r\n\"'\\\\]+)",
        Check::Password,
        "https://learn.microsoft.com/en-us/dotnet/framework/data/adonet/connection-string-syntax",
    ),
];

/// The class of a PEM private key.
pub(super) const PRIVATE_KEY: &str = "private key";
/// The class of the private key of a Google Cloud service account's JSON file.
/// <https://cloud.google.com/iam/docs/keys-create-delete>
pub(super) const SERVICE_ACCOUNT_KEY: &str = "Google Cloud service account key";

/// Every credential in the text that its format alone gives away, the more specific first.
pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = private_keys(text);
    for index in COMPILED.set.matches(text) {
        let (Some(format), Some(regex)) = (FORMATS.get(index), COMPILED.regexes.get(index)) else { continue };
        if !text.contains(format.with) {
            continue;
        }
        for captures in regex.captures_iter(text) {
            let Some(secret) = captures.name("secret").or_else(|| captures.name("whole")) else { continue };
            let goes_on = text.as_bytes().get(secret.end()).is_some_and(u8::is_ascii_alphanumeric);
            if !goes_on && holds(format.check, secret.as_str()) {
                found.push(Found {
                    class: format.class,
                    range: secret.range(),
                    is_password: format.check == Check::Password,
                });
            }
        }
    }
    found
}

struct Compiled {
    set: RegexSet,
    regexes: Vec<Regex>,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    // A word begins at a boundary, or after an escaped line break in a string.
    let patterns: Vec<String> =
        FORMATS.iter().map(|format| format!(r"(?:\\[nrt]|(?-u:\b))(?P<whole>{})", format.pattern)).collect();
    #[expect(clippy::expect_used, reason = "a test compiles the table")]
    Compiled {
        set: RegexSet::new(&patterns).expect("formats"),
        regexes: patterns.iter().map(|pattern| Regex::new(pattern).expect("a format")).collect(),
    }
});

fn holds(check: Check, secret: &str) -> bool {
    match check {
        Check::Token => !is_made_up(secret),
        Check::Random => !is_made_up(secret) && looks_random(secret),
        Check::Password => !is_placeholder(secret) && !is_quiet(secret, Announced::Password, true),
        Check::JsonWebToken => secret.split('.').take(2).all(|part| {
            BASE64_URL_SAFE_NO_PAD
                .decode(part)
                .is_ok_and(|json| serde_json::from_slice::<serde_json::Map<_, _>>(&json).is_ok())
        }),
        // Nothing replaces what is encoded: a password that looks like a placeholder is one all the same.
        Check::UserAndPassword => decode(secret).is_some_and(|text| {
            text.split_once(':').is_some_and(|(user, password)| {
                !user.is_empty()
                    && user.chars().all(|c| !c.is_control())
                    && password.chars().all(|c| !c.is_control())
                    && !password.is_empty()
            })
        }),
        // The first 64 characters hold the heading.
        Check::PrivateKey => secret
            .get(..64)
            .or_else(|| secret.get(..52))
            .and_then(decode)
            .is_some_and(|text| text.contains("PRIVATE KEY")),
    }
}

fn decode(text: &str) -> Option<String> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    String::from_utf8(LENIENT.decode(text).ok()?).ok()
}

/// PEM private keys, also with `\n` for line breaks, and also when their end is missing.
/// <https://www.rfc-editor.org/rfc/rfc7468>
fn private_keys(text: &str) -> Vec<Found> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    const DASHES: &str = "-----";
    let is_service_account = text.contains("service_account");
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(BEGIN)).map(|at| from + at) {
        from = start + BEGIN.len();
        let Some((label, body)) = text.get(from..).and_then(|rest| split_near(rest, DASHES)) else {
            continue;
        };
        if !label.ends_with("PRIVATE KEY") && !label.ends_with("PRIVATE KEY BLOCK") {
            continue;
        }
        let body_start = text.len() - body.len();
        let body_end = body.find(END).map_or(text.len(), |at| body_start + at);
        let body = text.get(body_start..body_end).unwrap_or_default();
        let end = text
            .get(body_end + END.len().min(text.len() - body_end)..)
            .and_then(|rest| split_near(rest, DASHES))
            .map_or(body_end, |(_, rest)| text.len() - rest.len());
        from = end;
        let characters =
            body.bytes().filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)).take(33);
        if characters.count() > 32
            && !is_made_up(body.get(..body.floor_char_boundary(64)).unwrap_or_default())
        {
            found.push(Found {
                class: if is_service_account { SERVICE_ACCOUNT_KEY } else { PRIVATE_KEY },
                range: Range { start, end },
                is_password: false,
            });
        }
    }
    found
}

/// Splits at a separator that is not far away.
fn split_near<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let near = text.get(..text.floor_char_boundary(64))?;
    let at = near.find(separator)?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}
