//! The tables of promises, in README.md and SECURITY.md, name tests that exist.

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

/// The rows of a document's table of promises.
fn promises(text: &str) -> Vec<&str> {
    text.lines()
        .skip_while(|line| !line.starts_with("| promise | test |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect()
}

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut known = Vec::new();
    for folder in ["src", "tests", "tools"] {
        functions(&root.join(folder), &mut known);
    }
    for document in ["README.md", "SECURITY.md"] {
        let text = fs::read_to_string(root.join(document)).expect("readable");
        let promises = promises(&text);
        assert!(promises.len() >= 10, "{document}: the table is gone");
        for promise in promises {
            let tests = quoted(promise.split('|').nth(2).expect("two columns"));
            assert!(!tests.is_empty(), "{document}: no test: {promise}");
            for test in tests {
                assert!(
                    known.iter().any(|name| name == test),
                    "{document}: no test is called {test}"
                );
            }
        }
    }
}

#[test]
fn every_way_in_which_others_were_broken_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("SECURITY.md")).expect("readable");
    let mut known = Vec::new();
    for folder in ["src", "tests"] {
        functions(&root.join(folder), &mut known);
    }
    let rows: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("| what broke others |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows.len(), 10, "the table is gone, or has grown");
    for row in rows {
        let tests = quoted(row.split('|').nth(3).expect("three columns"));
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            assert!(known.iter().any(|name| name == test), "no test is called {test}");
        }
    }
}

#[test]
fn every_way_to_rotate_a_key_names_the_test_that_goes_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("SECURITY.md")).expect("readable");
    let (_, rotation) = text.split_once("\n## Rotation\n").expect("a section");
    let mut known = Vec::new();
    functions(&root.join("tests"), &mut known);
    // Those of a server, of administrators elsewhere, of a vendor, of an administrator, of leases and of an agent.
    let tests: Vec<&str> = rotation
        .split("Test:")
        .skip(1)
        .filter_map(|rest| quoted(rest).first().copied())
        .collect();
    assert_eq!(tests.len(), 6, "{tests:?}");
    for test in tests {
        assert!(known.iter().any(|name| name == test), "no test is called {test}");
    }
}
