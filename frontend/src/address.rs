//! The addresses of pages and of the API's resources.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rampart_shared::ItemId;

/// What `encodeURIComponent` leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A text as one segment of a path or one value of a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The page of a cluster.
pub(crate) fn cluster_page(cluster: &str) -> String {
    format!("/clusters/{}", encode(cluster))
}

/// The page about what was read from a cluster.
pub(crate) fn reading_page(cluster: &str) -> String {
    format!("/clusters/{}/reading", encode(cluster))
}

/// The page of an item of a cluster.
pub(crate) fn item_page(cluster: &str, item: ItemId) -> String {
    format!("/clusters/{}/items/{item}", encode(cluster))
}

/// The list of runs, of one cluster where one is given.
pub(crate) fn runs_page(cluster: Option<&str>, before: Option<i64>) -> String {
    with_query("/runs", [("cluster", cluster.map(str::to_owned)), ("before", before.map(|b| b.to_string()))])
}

/// A path with those parameters that have a value that is not empty.
pub(crate) fn with_query<'a>(
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, Option<String>)>,
) -> String {
    let mut address = path.to_owned();
    for (name, value) in parameters {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(name);
            address.push('=');
            address.push_str(&encode(&value));
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clusters_stay_one_segment() {
        assert_eq!(cluster_page("eu-prod-1"), "/clusters/eu-prod-1");
        assert_eq!(reading_page("a/b"), "/clusters/a%2Fb/reading");
        assert_eq!(
            item_page("arn:aws:eks:eu-west-1:1:cluster/a b", ItemId::DefaultDeny),
            "/clusters/arn%3Aaws%3Aeks%3Aeu-west-1%3A1%3Acluster%2Fa%20b/items/default-deny"
        );
        assert_eq!(cluster_page("größe?#"), "/clusters/gr%C3%B6%C3%9Fe%3F%23");
    }

    #[test]
    fn only_parameters_with_a_value_are_written() {
        assert_eq!(runs_page(None, None), "/runs");
        assert_eq!(runs_page(Some("a&b"), Some(7)), "/runs?cluster=a%26b&before=7");
        assert_eq!(with_query("/x", [("text", Some(String::new()))]), "/x");
    }
}
