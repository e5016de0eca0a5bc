//! Text and its documents, before anything is parsed: a document that does not parse must not cost the others.

use super::entry::Hides;
use rampart_checklist::Kind;

/// One document of a YAML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Document<'a> {
    /// Its text.
    pub(super) text: &'a str,
    /// The line, from 1, where the text begins.
    pub(super) line: u64,
}

impl Document<'_> {
    /// Whether there are only comments, directives and blank lines.
    pub(super) fn is_blank(&self) -> bool {
        self.text.lines().all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#') || line.starts_with('%')
        })
    }
}

/// Decodes a file: UTF-8, or UTF-16 with a byte order mark, which PowerShell writes. The error is the text as far as
/// it can be read.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let wide = |join: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| join([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| String::from_utf16_lossy(&units))
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => match String::from_utf8(bytes) {
            Ok(mut text) => {
                if text.starts_with('\u{feff}') {
                    text.drain(..'\u{feff}'.len_utf8());
                }
                Ok(text)
            }
            Err(error) => Err(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        },
    }
}

/// Splits YAML at its document markers. A marker begins a line, and neither block nor quoted scalars may hold such a
/// line, so no parser is needed to find it.
pub(super) fn documents(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut start, mut start_line) = (0, 1);
    let (mut offset, mut line) = (0, 1);
    for row in text.split_inclusive('\n') {
        if is_marker(row, "---") {
            documents.push(Document { text: &text[start..offset], line: start_line });
            (start, start_line) = (offset + "---".len(), line);
        } else if is_marker(row, "...") {
            documents.push(Document { text: &text[start..offset], line: start_line });
            (start, start_line) = (offset + row.len(), line + 1);
        }
        offset += row.len();
        line += 1;
    }
    documents.push(Document { text: &text[start..], line: start_line });
    documents.retain(|document| !document.is_blank());
    documents
}

fn is_marker(row: &str, marker: &str) -> bool {
    row.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// The `apiVersion` and `kind` of a document in block style, without parsing it; none where a line scan cannot tell.
pub(super) fn header(text: &str) -> Option<(&str, &str)> {
    let (mut api_version, mut kind) = (None, None);
    for row in text.lines() {
        let (slot, value) = if let Some(value) = row.strip_prefix("apiVersion:") {
            (&mut api_version, value)
        } else if let Some(value) = row.strip_prefix("kind:") {
            (&mut kind, value)
        } else {
            continue;
        };
        // Two of one: the parser decides what that means.
        if slot.is_some() {
            return None;
        }
        *slot = Some(plain(value)?);
    }
    Some((api_version?, kind?))
}

/// A value that is the same whatever the rules for scalars: a plain or quoted word.
fn plain(value: &str) -> Option<&str> {
    let value = value.split(" #").next().unwrap_or_default().trim();
    let value = match value.as_bytes() {
        [quote @ (b'"' | b'\''), .., last] if quote == last => &value[1..value.len() - 1],
        _ => value,
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-');
    (!value.is_empty() && value.chars().all(is_word)).then_some(value)
}

/// Which kinds a document that does not parse may hold, by the lines that say `kind`.
pub(super) fn hidden_kinds(text: &str) -> Hides {
    let top: Vec<Option<&str>> =
        text.lines().filter_map(|row| row.strip_prefix("kind:")).map(plain).collect();
    let is_list = top.iter().flatten().any(|kind| kind.ends_with("List"));
    let named: Vec<Option<&str>> = if top.is_empty() || is_list { every_kind_line(text) } else { top };
    let mut kinds = Vec::new();
    for name in &named {
        let Some(name) = name else { return Hides::EveryKind };
        let name = name.strip_suffix("List").unwrap_or(name);
        let of_name: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| !kind.kind().is_empty() && kind.kind() == name).collect();
        // Several groups have a NetworkPolicy: those that the text names, if it names any.
        let of_group: Vec<Kind> = of_name
            .iter()
            .copied()
            .filter(|kind| !kind.group().is_empty() && names_group(text, kind.group()))
            .collect();
        kinds.extend(if of_group.is_empty() { of_name } else { of_group });
    }
    if names_group(text, Kind::GatekeeperConstraints.group()) {
        kinds.push(Kind::GatekeeperConstraints);
    }
    // A list of which not one item can be told may hold anything.
    if named.is_empty() || (is_list && kinds.is_empty()) {
        return Hides::EveryKind;
    }
    kinds.sort();
    kinds.dedup();
    Hides::Kinds(kinds)
}

/// Whether a text has an API version of the group.
fn names_group(text: &str, group: &str) -> bool {
    text.match_indices(group).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let is_whole = !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        is_whole && text[at + group.len()..].starts_with('/')
    })
}

/// The values of every `kind`, at any depth, in YAML or JSON.
fn every_kind_line(text: &str) -> Vec<Option<&str>> {
    let mut kinds = Vec::new();
    for row in text.lines() {
        let row = row.trim_start().trim_start_matches("- ").trim_start();
        if let Some(value) = row.strip_prefix("kind:") {
            kinds.push(plain(value));
        }
        let mut rest = row;
        while let Some((_, after)) = rest.split_once("\"kind\"") {
            rest = after;
            let value = after.trim_start().strip_prefix(':').map(str::trim_start);
            if let Some(value) = value.and_then(|value| value.strip_prefix('"')) {
                kinds.push(value.split_once('"').and_then(|(value, _)| plain(value)));
            }
        }
    }
    kinds
}

/// How many lines end in a text.
pub(super) fn newlines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_begin_where_they_say() {
        let text = "# a\n---\nkind: A\n--- # b\nkind: B\n...\n---\n\n---\nkind: C\ntext: |\n  ---\n  x\n";
        let found: Vec<(u64, &str)> =
            documents(text).iter().map(|document| (document.line, document.text.trim())).collect();
        assert_eq!(found, [(2, "kind: A"), (4, "# b\nkind: B"), (9, "kind: C\ntext: |\n  ---\n  x")]);
    }

    #[test]
    fn header_is_read_only_where_it_is_plain() {
        assert_eq!(header("apiVersion: v1 # x\nkind: \"Pod\"\r\nspec:\n  kind: No\n"), Some(("v1", "Pod")));
        assert_eq!(header("{apiVersion: v1, kind: Pod}"), None);
        assert_eq!(header("apiVersion: v1\nkind: Pod\nkind: Node\n"), None);
        assert_eq!(header("apiVersion: v1\nkind: {{ .kind }}\n"), None);
        assert_eq!(header("apiVersion: v1\nkind: *a\n"), None);
    }

    #[test]
    fn hidden_kinds_by_lines() {
        assert_eq!(hidden_kinds("kind: Deployment\nspec: ["), Hides::Kinds(vec![Kind::Deployments]));
        assert_eq!(hidden_kinds("kind: Ingress\nspec: ["), Hides::Kinds(vec![]));
        assert_eq!(
            hidden_kinds("kind: Deployment\nkind: Pod\n"),
            Hides::Kinds(vec![Kind::Pods, Kind::Deployments])
        );
        assert_eq!(
            hidden_kinds("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: ["),
            Hides::Kinds(vec![Kind::NetworkPolicies])
        );
        assert_eq!(
            hidden_kinds("kind: NetworkPolicy\nspec: ["),
            Hides::Kinds(vec![
                Kind::NetworkPolicies,
                Kind::CalicoNetworkPolicies,
                Kind::CalicoCrdNetworkPolicies
            ])
        );
        assert_eq!(
            hidden_kinds("apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sAllowedRepos\nspec: ["),
            Hides::Kinds(vec![Kind::GatekeeperConstraints])
        );
        assert_eq!(hidden_kinds("kind: {{ .Values.kind }}\n"), Hides::EveryKind);
        assert_eq!(hidden_kinds("spec: [\n"), Hides::EveryKind);
        assert_eq!(hidden_kinds("{\"kind\": \"PodList\", \"items\": [{]}"), Hides::Kinds(vec![Kind::Pods]));
        assert_eq!(
            hidden_kinds("items:\n- kind: Job\n  x: [\n- kind: Secret\nkind: List\n"),
            Hides::Kinds(vec![Kind::Jobs])
        );
        assert_eq!(hidden_kinds("items:\n- x: [\nkind: List\n"), Hides::EveryKind);
    }

    #[test]
    fn decodes_what_editors_and_shells_write() {
        assert_eq!(decode(b"\xef\xbb\xbfkind: A".to_vec()), Ok("kind: A".to_owned()));
        let wide: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("kind: A".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode(wide), Ok("kind: A".to_owned()));
        assert_eq!(decode(b"kind: A\n\xff".to_vec()), Err("kind: A\n\u{fffd}".to_owned()));
    }
}
