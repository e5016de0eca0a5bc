//! What an image's reference says about the program in it.

/// An image without tag and digest.
pub fn repository(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    match name.rsplit_once(':') {
        // A colon before a slash belongs to a port.
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// Whether a repository is the known one or ends with it on whole path components, so that mirrors are recognised and
/// `acme/not-falco` is not `falco`.
pub fn is(repository: &str, known: &str) -> bool {
    repository.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// The last component of a repository.
pub fn last_component(repository: &str) -> &str {
    repository.rsplit_once('/').map_or(repository, |(_, last)| last)
}

/// The first two numbers of an image's tag, such as `v1.19.4`; none where it has no such tag.
pub fn version(image: &str) -> Option<(u32, u32)> {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let (_, tag) = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    let mut numbers = tag.trim_start_matches('v').split(['.', '-', '+']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_digests_and_ports_are_told_apart() {
        for (image, expected) in [
            ("nginx", "nginx"),
            ("registry.example:5000/acme/nginx", "registry.example:5000/acme/nginx"),
            ("registry.example:5000/acme/nginx:1.27@sha256:aa", "registry.example:5000/acme/nginx"),
            ("quay.io/cilium/cilium:v1.19.4", "quay.io/cilium/cilium"),
            ("", ""),
            (":", ""),
        ] {
            assert_eq!(repository(image), expected, "{image}");
        }
    }

    #[test]
    fn versions_are_those_of_tags() {
        for (image, expected) in [
            ("quay.io/calico/node:v3.30.1", Some((3, 30))),
            ("registry.example:5000/eso:0.16", Some((0, 16))),
            ("acme/eso:v1.2.0-ubi@sha256:aa", Some((1, 2))),
            ("registry.example:5000/eso", None),
            ("acme/eso:main", None),
            ("acme/eso@sha256:1.2", None),
        ] {
            assert_eq!(version(image), expected, "{image}");
        }
    }

    #[test]
    fn whole_components_match_whatever_the_registry() {
        for (repository, known, expected) in [
            ("quay.io/cilium/cilium", "cilium/cilium", true),
            ("mirror.example:5000/quay/cilium/cilium", "cilium/cilium", true),
            ("cilium/cilium", "cilium/cilium", true),
            ("quay.io/notcilium/cilium", "cilium/cilium", false),
            ("quay.io/cilium/cilium-envoy", "cilium/cilium", false),
            ("ghcr.io/acme/not-falco", "falco", false),
        ] {
            assert_eq!(is(repository, known), expected, "{repository}");
        }
    }
}
