//! The committed document.

#[test]
fn the_committed_document_is_what_the_routes_say() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/openapi.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let now = serde_json::to_string_pretty(&tuner_server::document()).unwrap() + "\n";
    assert!(committed == now, "openapi/openapi.json is stale; run `cargo xtask codegen` and commit");
}
