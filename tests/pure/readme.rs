//! The README's table of promises names tests that exist.

use std::fs;
use std::path::Path;

/// Every `fn name` below a folder.
fn functions(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("readable");
            let named = text
                .lines()
                .filter_map(|line| line.split_once("fn ")?.1.split(['(', '<']).next());
            found.extend(named.map(str::to_owned));
            // The LAN suite lists its tests by name.
            found.extend(text.split('"').filter(|word| word.contains('_')).map(str::to_owned));
        }
    }
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("readable");
    let mut known = Vec::new();
    for folder in ["src", "tests", "tools"] {
        functions(&root.join(folder), &mut known);
    }
    let promises: Vec<&str> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| promise | test |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(promises.len() >= 10, "the table is gone");
    for promise in promises {
        let tests: Vec<&str> = promise
            .split('|')
            .nth(2)
            .expect("two columns")
            .split('`')
            .skip(1)
            .step_by(2)
            .collect();
        assert!(!tests.is_empty(), "no test: {promise}");
        for test in tests {
            assert!(known.iter().any(|name| name == test), "no test is called {test}");
        }
    }
}
