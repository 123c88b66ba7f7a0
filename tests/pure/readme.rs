//! The tables of promises, in README.md and SECURITY.md, name tests that exist.

use std::fs;
use std::path::Path;

/// The tests of a Rust file that are run unless somebody asks for others: functions with the attribute of one right above
/// them, nothing but other attributes and comments between, and none that has it ignored.
fn tests_of(text: &str) -> Vec<&str> {
    let mut is_test = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if line.starts_with("#[ignore") {
            is_test = false;
        } else if let Some((_, name)) = line.split_once("fn ").filter(|_| !line.starts_with("//")) {
            if is_test {
                found.extend(name.split(['(', '<']).next());
            }
            is_test = false;
        }
    }
    found
}

/// The tests that the LAN suite, which has a harness of its own, lists by their names.
fn listed(text: &str) -> Vec<&str> {
    let (lists, _) = text.split_once("\nfn main()").expect("its lists stand before it");
    let is_named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_name = |word: &&str| word.contains('_') && word.bytes().all(is_named);
    lists.split('"').skip(1).step_by(2).filter(is_name).collect()
}

/// The names of all tests below a folder.
fn functions(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("readable");
            found.extend(tests_of(&text).into_iter().map(str::to_owned));
            if path.ends_with("lan/main.rs") {
                found.extend(listed(&text).into_iter().map(str::to_owned));
            }
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
fn what_is_no_test_keeps_no_promise() {
    let text = "fn helper() {}\n#[test]\n#[ignore = \"a_reason\"]\nfn asked_for() {}\n#[test]\nfn one() {\n    let a_word = \"not_this\";\n}\n\
                fn another() {}\n// #[test]\n// fn old() {}\n    #[tokio::test(flavor = \"x\")]\n    async fn two() {}\n";
    assert_eq!(tests_of(text), ["one", "two"]);
    let text = "#[path = \"a_b.rs\"]\nconst A: &[T] = &[\n(\"what_holds\", f::g),\n];\nfn main() {\n\"no_name\";\n}\n";
    assert_eq!(listed(text), ["what_holds"]);
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
    for folder in ["src", "tests", "tools"] {
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
    // What a list or a step names behind these words, up to the next one.
    let lists: Vec<&str> = ["Test: ", "Tests: "]
        .into_iter()
        .flat_map(|word| rotation.split(word).skip(1))
        .map(|rest| rest.split(['.', '*', '#', '(']).next().expect("a part"))
        .collect();
    // A rotated identity; six steps where it was stolen, of which one needs none; a vendor; administrators, leases, agents.
    assert_eq!(lists.len(), 11, "{lists:?}");
    let tests: Vec<&str> = lists.into_iter().flat_map(quoted).collect();
    assert!(tests.len() >= 16, "{tests:?}");
    for test in tests {
        assert!(known.iter().any(|name| name == test), "no test is called {test}");
    }
}
