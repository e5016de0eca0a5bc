//! Where the programs of well-known images write while they run, as their makers document it.

use crate::recognise::image;

/// Where an image writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WritablePaths {
    /// The last part of its repository's name: mirrors keep it.
    repository: &'static str,
    /// The paths beside `/tmp`.
    pub(super) paths: &'static [&'static str],
    /// Where that is said, or can be read.
    pub(super) source: &'static str,
}

const fn writes(
    repository: &'static str,
    paths: &'static [&'static str],
    source: &'static str,
) -> WritablePaths {
    WritablePaths { repository, paths, source }
}

const TABLE: [WritablePaths; 15] = [
    writes("nginx", &["/var/cache/nginx", "/var/run"], "https://hub.docker.com/_/nginx"),
    writes("nginx-unprivileged", &[], "https://github.com/nginx/docker-nginx-unprivileged"),
    writes(
        "httpd",
        &["/usr/local/apache2/logs"],
        "https://httpd.apache.org/docs/2.4/mod/mpm_common.html#pidfile",
    ),
    writes("redis", &["/data"], "https://hub.docker.com/_/redis"),
    writes("valkey", &["/data"], "https://hub.docker.com/r/valkey/valkey"),
    writes("memcached", &[], "https://hub.docker.com/_/memcached"),
    writes("postgres", &["/var/run/postgresql"], "https://hub.docker.com/_/postgres"),
    writes("mysql", &["/var/run/mysqld"], "https://hub.docker.com/_/mysql"),
    writes("mariadb", &["/run/mysqld"], "https://hub.docker.com/_/mariadb"),
    writes("mongo", &["/data/db", "/data/configdb"], "https://hub.docker.com/_/mongo"),
    writes("rabbitmq", &["/var/lib/rabbitmq"], "https://hub.docker.com/_/rabbitmq"),
    writes(
        "tomcat",
        &["/usr/local/tomcat/logs", "/usr/local/tomcat/temp", "/usr/local/tomcat/work"],
        "https://tomcat.apache.org/tomcat-10.1-doc/introduction.html",
    ),
    writes(
        "grafana",
        &["/var/lib/grafana"],
        "https://grafana.com/docs/grafana/latest/setup-grafana/configure-docker/",
    ),
    writes(
        "prometheus",
        &["/prometheus"],
        "https://prometheus.io/docs/prometheus/latest/installation/#using-docker",
    ),
    writes("haproxy", &["/var/lib/haproxy"], "https://hub.docker.com/_/haproxy"),
];

/// What is known of an image.
pub(super) fn of(reference: &str) -> Option<&'static WritablePaths> {
    let repository = image::last_component(image::repository(reference));
    TABLE.iter().find(|known| known.repository == repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_known_and_other_names_are_not() {
        for image in ["nginx", "nginx:1.27", "registry.acme.io:5000/mirror/nginx@sha256:0a"] {
            assert_eq!(of(image).map(|known| known.repository), Some("nginx"), "{image}");
        }
        for image in ["", "nginx-ingress", "acme/my-nginx", "nginx/agent"] {
            assert_eq!(of(image), None, "{image}");
        }
    }

    #[test]
    fn every_entry_can_be_mounted_and_says_where_it_is_from() {
        for known in TABLE {
            assert!(known.source.starts_with("https://"), "{known:?}");
            for path in known.paths {
                assert!(path.starts_with('/') && !path.ends_with('/') && *path != "/tmp", "{known:?}");
            }
        }
    }
}
