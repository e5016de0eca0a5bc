//! Credentials in the words of a command: `--password=…`, `--db-password …`, `mysql -p…`, `curl -u user:…`.

use super::judge;
use super::shapes::{is_placeholder, is_quiet};
use super::{Found, names::Announced};
use std::ops::Range;

/// A credential in one of several words.
pub(super) struct InWord {
    pub(super) word: usize,
    pub(super) range: Range<usize>,
    pub(super) class: &'static str,
}

/// The class of a password that a program's own flag takes.
pub(super) const PASSWORD_FLAG: &str = "password on a command line";

/// Every credential in the words of one command.
pub(super) fn find(words: &[&str]) -> Vec<InWord> {
    let mut found = Vec::new();
    let mut program = "";
    for (index, &word) in words.iter().enumerate() {
        let next = words.get(index + 1).filter(|next| !next.starts_with('-') && !next.is_empty());
        let mut add = |word: usize, range: Range<usize>, class: &'static str| {
            found.push(InWord { word, range, class });
        };
        if let Some((range, next_word)) = programs_own(program, word, next.copied()) {
            add(index + usize::from(next_word), range, PASSWORD_FLAG);
        } else if word.len() > 1 && word.starts_with('-') {
            let flag = word.trim_start_matches('-');
            let start = word.len() - flag.len();
            if let Some((name, value)) = flag.split_once('=') {
                let value_start = start + name.len() + 1;
                let unquoted = value.trim_matches(['"', '\'']);
                let value_start = value_start + (value.len() - value.trim_start_matches(['"', '\'']).len());
                if let Some(class) = judge(name, unquoted) {
                    add(index, value_start..value_start + unquoted.len(), class);
                }
            } else if let Some(next) = next
                && let Some(class) = judge(flag, next)
            {
                add(index + 1, 0..next.len(), class);
            }
        } else if let Some(next) = next
            && (matches!(word, "requirepass" | "masterauth")
                // .netrc
                || word == "password" && index >= 2 && words.get(index - 2) == Some(&"login"))
            && is_password(next)
        {
            add(index + 1, 0..next.len(), Announced::Password.class());
        } else if !word.starts_with('-') {
            let name = word.rsplit('/').next().unwrap_or(word);
            if PROGRAMS.iter().any(|row| row.programs.contains(&name)) {
                program = name;
            } else if matches!(word, "|" | "||" | "&&" | ";") || word.ends_with(';') {
                program = "";
            }
        }
    }
    found
}

/// Every credential in a line of a script.
pub(super) fn find_in_line(line: &str, offset: usize, into: &mut Vec<Found>) {
    let ranges = split(line);
    let words: Vec<&str> = ranges.iter().map(|range| line.get(range.clone()).unwrap_or_default()).collect();
    into.extend(find(&words).into_iter().filter_map(|found| {
        let start = offset + ranges.get(found.word)?.start;
        Some(Found {
            class: found.class,
            range: start + found.range.start..start + found.range.end,
            is_password: false,
        })
    }));
}

/// A program whose flag for the password does not say so.
struct Program {
    programs: &'static [&'static str],
    flag: &'static str,
    how: How,
}

#[derive(PartialEq, Eq)]
enum How {
    /// `-pSECRET`.
    Attached,
    /// `-p SECRET`.
    Next,
    /// `-u user:SECRET`.
    NextAfterUser,
}

const MYSQL: &[&str] = &[
    "mysql",
    "mysqladmin",
    "mysqldump",
    "mysqlimport",
    "mysqlcheck",
    "mysqlshow",
    "mysqlpump",
    "mysqlsh",
    "mariadb",
    "mariadb-admin",
    "mariadb-dump",
    "mariadb-check",
    "xtrabackup",
    "mariabackup",
];
const MONGO: &[&str] = &["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"];
const LDAP: &[&str] = &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami", "ldappasswd"];
const LOGIN: &[&str] = &["docker", "podman", "skopeo", "buildah", "helm", "crane", "oras", "nerdctl"];

/// Sources: <https://dev.mysql.com/doc/refman/8.4/en/password-security-user.html>,
/// <https://redis.io/docs/latest/develop/tools/cli/>, <https://www.mongodb.com/docs/mongodb-shell/reference/options/>,
/// <https://curl.se/docs/manpage.html>, <https://docs.docker.com/reference/cli/docker/login/>,
/// <https://learn.microsoft.com/en-us/sql/tools/sqlcmd/sqlcmd-utility>,
/// <https://www.openldap.org/software/man.cgi?query=ldapsearch>.
const PROGRAMS: &[Program] = &[
    Program { programs: MYSQL, flag: "-p", how: How::Attached },
    Program { programs: MONGO, flag: "-p", how: How::Next },
    Program { programs: &["sshpass"], flag: "-p", how: How::Attached },
    Program { programs: &["sshpass"], flag: "-p", how: How::Next },
    Program { programs: &["redis-cli"], flag: "-a", how: How::Next },
    Program { programs: LDAP, flag: "-w", how: How::Next },
    Program { programs: &["sqlcmd", "bcp"], flag: "-P", how: How::Next },
    Program { programs: &["sqlcmd", "bcp"], flag: "-P", how: How::Attached },
    Program { programs: LOGIN, flag: "-p", how: How::Next },
    Program { programs: &["curl"], flag: "-u", how: How::NextAfterUser },
    Program { programs: &["curl"], flag: "--user", how: How::NextAfterUser },
];

/// The password that a program's own flag takes, and whether it is in the next word.
fn programs_own(program: &str, word: &str, next: Option<&str>) -> Option<(Range<usize>, bool)> {
    if program.is_empty() || !word.starts_with('-') {
        return None;
    }
    PROGRAMS.iter().filter(|row| row.programs.contains(&program)).find_map(|row| {
        let rest = word.strip_prefix(row.flag)?;
        let (text, range, is_next) = match row.how {
            How::Attached if !rest.is_empty() => {
                let quotes = rest.len() - rest.trim_start_matches(['"', '\'']).len();
                let text = rest.trim_matches(['"', '\'']);
                let start = row.flag.len() + quotes;
                (text, start..start + text.len(), false)
            }
            How::Next if rest.is_empty() => (next?, 0..next?.len(), true),
            How::NextAfterUser if rest.is_empty() => {
                let (user, password) = next?.split_once(':')?;
                (password, user.len() + 1..user.len() + 1 + password.len(), true)
            }
            _ => return None,
        };
        // `docker run -p 8080:80` and `-p` before a path are other flags.
        let is_ports =
            LOGIN.contains(&program) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        (is_password(text) && !is_ports).then_some((range, is_next))
    })
}

fn is_password(text: &str) -> bool {
    !is_placeholder(text) && !is_quiet(text, Announced::Password, true)
}

/// The words of a line as a shell splits them, without the quotes around a whole word.
fn split(line: &str) -> Vec<Range<usize>> {
    let bytes = line.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        while bytes.get(at).is_some_and(|byte| byte.is_ascii_whitespace()) {
            at += 1;
        }
        let start = at;
        let mut quote = None;
        while let Some(&byte) = bytes.get(at) {
            match quote {
                None if byte.is_ascii_whitespace() => break,
                None if byte == b'"' || byte == b'\'' => quote = Some(byte),
                Some(open) if byte == open => quote = None,
                _ => {}
            }
            at += 1;
        }
        let word = line.get(start..at).unwrap_or_default();
        let inner = match word.as_bytes() {
            [b'"', .., b'"'] | [b'\'', .., b'\''] => start + 1..at - 1,
            _ => start..at,
        };
        if !word.is_empty() {
            words.push(inner);
        }
    }
    words
}
