use crate::support::Server;
use std::path::Path;

#[tokio::test]
async fn the_description_is_the_one_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let server = Server::of(Vec::new()).await;
    let served = server.json("/api/v1/openapi.json").await;
    assert!(served == kept, "docs/openapi.json is not what the code describes: run `cargo xtask generate`");
}

#[test]
fn every_operation_describes_its_problems() {
    let api = serde_json::to_value(rampart::http::openapi()).unwrap();
    let paths = api["paths"].as_object().unwrap();
    assert!(paths.len() >= 16, "{}", paths.len());
    for (path, operations) in paths {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, operation) in operations.as_object().unwrap() {
            assert!(
                operation["description"].is_string() || operation["summary"].is_string(),
                "{method} {path}"
            );
            let describes_problems =
                operation["responses"]["default"]["content"]["application/problem+json"].is_object();
            assert!(describes_problems || path.ends_with("/openapi.json"), "{method} {path}");
        }
    }
}
