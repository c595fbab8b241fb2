//! The task parser, the expression parser, the importer and the renderer take any text without a panic; what is
//! accepted comes back the same from its own YAML.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tuner_core::task::{ImportOptions, ReadContext, import_predecessor, read, render_all, to_yaml};

fuzz_target!(|text: &str| {
    let context = ReadContext::default();
    match read(text, &context) {
        Ok(task) => {
            let yaml = to_yaml(&task.spec);
            let again = read(&yaml, &context);
            assert_eq!(again.map(|t| t.spec), Ok(task.spec), "{yaml}");
        }
        Err(findings) => {
            assert!(findings.iter().any(|f| f.is_error()));
            render_all(&findings, "task.yaml", text);
        }
    }
    let _ = import_predecessor(text, &ImportOptions::default());
});
