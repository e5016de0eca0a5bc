//! Which page an address leads to.

use percent_encoding::percent_decode_str;

/// A page, with what its path says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// The fleet at a glance.
    Fleet,
    /// A cluster.
    Cluster {
        /// Its name.
        cluster: String,
    },
    /// An item of a cluster.
    Item {
        /// The cluster's name.
        cluster: String,
        /// The item's name, which may be none of this version.
        item: String,
    },
    /// What was read from a cluster.
    Reading {
        /// Its name.
        cluster: String,
    },
    /// The runs.
    Runs,
    /// None.
    Nowhere,
}

impl Route {
    /// The page of a path as the browser writes it. A slash at its end changes nothing.
    pub(crate) fn of(path: &str) -> Route {
        let segments: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').skip(1).collect();
        match segments.as_slice() {
            [] => Route::Fleet,
            ["runs"] => Route::Runs,
            ["clusters", "", ..] => Route::Nowhere,
            ["clusters", cluster] => Route::Cluster { cluster: decoded(cluster) },
            ["clusters", cluster, "reading"] => Route::Reading { cluster: decoded(cluster) },
            ["clusters", cluster, "items", item] if !item.is_empty() => {
                Route::Item { cluster: decoded(cluster), item: decoded(item) }
            }
            _ => Route::Nowhere,
        }
    }
}

/// The value of a parameter of a query; its last one where it has several.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    query.rsplit('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(&key.replace('+', " ")) == name).then(|| decoded(&value.replace('+', " ")))
    })
}

/// Without percent-encoding; as it stands where that leads to no text.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;
    use rampart_shared::ItemId;

    #[test]
    fn every_page_is_found_by_its_address() {
        for name in ["eu-prod-1", "arn:aws:eks:eu-west-1:1:cluster/a b", "größe?#", "100%"] {
            let cluster = name.to_owned();
            assert_eq!(Route::of(&address::cluster_page(name)), Route::Cluster { cluster: cluster.clone() });
            assert_eq!(Route::of(&address::reading_page(name)), Route::Reading { cluster: cluster.clone() });
            assert_eq!(
                Route::of(&address::item_page(name, ItemId::DefaultDeny)),
                Route::Item { cluster, item: "default-deny".to_owned() }
            );
        }
        assert_eq!(Route::of(&address::runs_page(None, None)), Route::Runs);
        assert_eq!(Route::of("/"), Route::Fleet);
    }

    #[test]
    fn a_slash_at_the_end_changes_nothing() {
        assert_eq!(Route::of("/runs/"), Route::Runs);
        assert_eq!(Route::of("/clusters/eu/"), Route::Cluster { cluster: "eu".to_owned() });
    }

    #[test]
    fn other_addresses_lead_nowhere() {
        for path in
            ["/nowhere/at/all", "/clusters", "/clusters/", "/clusters//items/etcd-tls", "/runs/1", "//"]
        {
            assert_eq!(Route::of(path), Route::Nowhere, "{path}");
        }
        for path in ["/clusters/eu/items", "/clusters/eu/items/", "/clusters/eu/reading/x", "/Runs"] {
            assert_eq!(Route::of(path), Route::Nowhere, "{path}");
        }
    }

    #[test]
    fn what_is_not_encoded_right_stays_as_it_is() {
        assert_eq!(Route::of("/clusters/%FF"), Route::Cluster { cluster: "%FF".to_owned() });
        assert_eq!(Route::of("/clusters/5%"), Route::Cluster { cluster: "5%".to_owned() });
    }

    #[test]
    fn parameters_are_decoded_once() {
        let query = "state=open&text=a%2Bb+c%26%2541&empty=&alone&state=resolved";
        assert_eq!(parameter(query, "state").as_deref(), Some("resolved"));
        assert_eq!(parameter(query, "text").as_deref(), Some("a+b c&%41"));
        assert_eq!(parameter(query, "empty").as_deref(), Some(""));
        assert_eq!(parameter(query, "alone").as_deref(), Some(""));
        assert_eq!(parameter(query, "other"), None);
        assert_eq!(parameter("", "text"), None);
    }

    #[test]
    fn what_an_address_says_is_read_back() {
        let address = address::with_query("/x", [("text", Some("a=b&c +d".to_owned()))]);
        let (_, query) = address.split_once('?').unwrap();
        assert_eq!(parameter(query, "text").as_deref(), Some("a=b&c +d"));
    }
}
