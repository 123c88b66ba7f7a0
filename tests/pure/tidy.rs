//! Claims about the tree itself: rules named by tests, the size of files, arrows between modules, packages, leftovers.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rules of `proto-spec/rules.md` that this version delivers, wholly or in part.
const DELIVERED: [&str; 46] = [
    "I1", "I2", "I3", "I4", "I5", "I6", "I7", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11",
    "S12", "S13", "S14", "S15", "X1", "X2", "X3", "X4", "X5", "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9",
    "T1", "T2", "T3", "O1", "O2", "O3", "C3", "V1", "V2", "V3",
];

/// Production lines of a file, at most.
const LINES_MAX: usize = 500;

/// Who may import whom inside the crate; a module that is not here may import anything.
const ARROWS: [(&str, &[&str]); 13] = [
    (
        "client",
        &[
            "clock",
            "domain",
            "session",
            "sockets",
            "tls",
            "vendor",
            "whole_file",
            "wire",
        ],
    ),
    ("clock", &["domain"]),
    ("codec", &[]),
    ("domain", &["codec"]),
    (
        "net",
        &[
            "clock", "domain", "service", "session", "sockets", "tls", "vendor", "wire",
        ],
    ),
    ("service", &["clock", "domain", "store", "vendor"]),
    ("session", &["codec", "domain", "vendor", "wire"]),
    ("sockets", &["domain"]),
    ("store", &["codec", "domain", "vendor"]),
    ("tls", &["whole_file"]),
    ("vendor", &["codec", "domain"]),
    ("whole_file", &[]),
    ("wire", &["codec"]),
];

/// What the tools may import of the library.
const TOOL_ARROWS: [(&str, &[&str]); 4] = [
    ("mint", &["domain", "vendor"]),
    (
        "probe",
        &[
            "client", "clock", "domain", "session", "sockets", "tls", "vendor", "wire",
        ],
    ),
    (
        "soak",
        &[
            "client", "clock", "domain", "net", "service", "session", "store", "tls", "vendor", "wire",
        ],
    ),
    ("swarm", &["client", "domain", "tls", "vendor", "wire"]),
];

/// The pure part's packages and what they need.
const PURE_PACKAGES: [&str; 30] = [
    "base64ct",
    "block-buffer",
    "bytes",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "curve25519-dalek",
    "curve25519-dalek-derive",
    "data-encoding",
    "der",
    "digest",
    "ed25519",
    "ed25519-dalek",
    "hybrid-array",
    "pem-rfc7468",
    "pkcs8",
    "proc-macro2",
    "quote",
    "seatkeeper",
    "sha2",
    "signature",
    "spki",
    "subtle",
    "syn",
    "thiserror",
    "thiserror-impl",
    "typenum",
    "unicode-ident",
    "zeroize",
];

/// A Rust file of ours.
pub(crate) struct Source {
    /// From the root of the repository.
    pub(crate) path: PathBuf,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                if entry.file_name() != "target" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(Source {
                    text: fs::read_to_string(&path).unwrap(),
                    path: path.strip_prefix(root()).unwrap().to_owned(),
                });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(!found.is_empty(), "no Rust file in {folder}");
    found
}

fn everything() -> impl Iterator<Item = Source> {
    ["src", "tests", "tools"].into_iter().flat_map(sources)
}

impl Source {
    fn is_test(&self) -> bool {
        let test = |part: &std::ffi::OsStr| part == "tests" || part == "tests.rs";
        self.path.iter().any(test)
    }

    /// The lines before the file's own tests module; none of a file that is a test.
    pub(crate) fn production(&self) -> Vec<&str> {
        if self.is_test() {
            return Vec::new();
        }
        let lines: Vec<_> = self.text.lines().collect();
        let tests = (1..lines.len()).find(|&place| {
            lines[place - 1].trim() == "#[cfg(test)]" && lines[place].starts_with("mod ") && lines[place].ends_with('{')
        });
        lines[..tests.map_or(lines.len(), |place| place - 1)].to_vec()
    }
}

/// A line without what follows `//`; good enough for code whose strings hold no path.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

fn rules_of_the_specification() -> BTreeMap<String, bool> {
    let text = fs::read_to_string(root().join("proto-spec/rules.md")).unwrap();
    let rules = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("- **")?.split_once("** [")?;
        Some((name.to_owned(), !rest.starts_with("later")))
    });
    rules.collect()
}

#[test]
fn the_rules_text_and_this_list_agree_on_what_is_delivered() {
    let rules = rules_of_the_specification();
    let delivered: BTreeSet<_> = rules
        .iter()
        .filter(|(_, now)| **now)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(delivered, BTreeSet::from(DELIVERED));
}

#[test]
fn every_delivered_rule_is_named_by_a_test_and_no_test_names_an_unknown_one() {
    let rules = rules_of_the_specification();
    let mut missing = BTreeSet::from(DELIVERED);
    let mut faults = Vec::new();
    for source in everything() {
        let lines: Vec<_> = source.text.lines().map(str::trim).collect();
        for (place, line) in lines.iter().enumerate() {
            let Some(names) = line.strip_prefix("// proves ") else {
                continue;
            };
            let mut at_fault = |what: String| faults.push(format!("{}:{}: {what}", source.path.display(), place + 1));
            for name in names.split([',', ' ']).filter(|name| !name.is_empty()) {
                if !rules.contains_key(name) {
                    at_fault(format!("{name} is no rule of proto-spec/rules.md"));
                }
                missing.remove(name);
            }
            let mut below = lines[place + 1..].iter().filter(|line| !line.starts_with("//"));
            if !below
                .next()
                // The LAN suite has a harness of its own: its tests are functions that it lists.
                .is_some_and(|line| {
                    ["#[", "fn ", "pub(crate) fn "]
                        .iter()
                        .any(|start| line.starts_with(start))
                })
            {
                at_fault("stands above no test".to_owned());
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(missing.is_empty(), "no test says `// proves` of {missing:?}");
}

#[test]
fn no_file_outgrows_its_ceiling() {
    let files = sources("src").into_iter().chain(sources("tools"));
    let long: Vec<_> = files
        .map(|source| (source.production().len(), source.path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "more than {LINES_MAX} production lines: {long:?}");
}

/// The modules named behind each `prefix::` in code, with the number of the line where each is named.
fn imports(lines: &[&str], prefix: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let text: Vec<String> = lines.iter().map(|line| code(line).to_owned()).collect();
    let text = text.join("\n");
    let needle = format!("{prefix}::");
    for (at, _) in text.match_indices(&needle) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
            continue;
        }
        let start = at + needle.len();
        let names = match text[start..].strip_prefix('{') {
            Some(group) => top_names(group),
            None => vec![(0, word(&text[start..]))],
        };
        for (offset, name) in names {
            found.push((text[..start + offset].lines().count(), name));
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first word of each member of a group of imports, with its place behind the opening brace.
fn top_names(group: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let (mut depth, mut expected) = (0_u32, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            c if depth == 0 && expected && (c.is_alphabetic() || c == '_') => {
                names.push((at + 1, word(&group[at..])));
                expected = false;
            }
            _ => {}
        }
    }
    names
}

#[test]
fn imports_are_found_in_every_form() {
    let text = [
        "use crate::codec::Reader; // crate::comment",
        "use crate::{domain::{ids::Mac, time}, wire};",
        "fn at() -> crate::store::Fact { seatkeeper_crate::nothing::at() }",
        "use crate::{",
        "    session,",
        "    vendor::keys,",
        "};",
    ];
    let expected = [
        (1, "codec"),
        (2, "domain"),
        (2, "wire"),
        (3, "store"),
        (5, "session"),
        (6, "vendor"),
    ];
    assert_eq!(
        imports(&text, "crate"),
        expected.map(|(line, name)| (line, name.to_owned()))
    );
}

/// The module path of a file below `src` or a tool's `src`; empty for a root.
pub(crate) fn module_path(path: &Path) -> Vec<String> {
    let parts = path
        .iter()
        .map(|part| part.to_str().unwrap().trim_end_matches(".rs").to_owned());
    let mut parts: Vec<_> = parts.skip_while(|part| part != "src").skip(1).collect();
    if parts
        .last()
        .is_some_and(|last| last == "mod" || last == "lib" || last == "main")
    {
        parts.pop();
    }
    parts
}

#[test]
fn arrows_between_modules_point_one_way() {
    let mut faults = Vec::new();
    for source in sources("src") {
        let module = module_path(&source.path);
        let Some((_, allowed)) = ARROWS
            .iter()
            .find(|(name, _)| module.first().is_some_and(|own| own == name))
        else {
            continue;
        };
        let lines = source.production();
        let out = format!("{}super", "super::".repeat(module.len().saturating_sub(1)));
        let escapes = imports(&lines, &out).into_iter().filter(|(_, name)| name != "super");
        for (line, name) in imports(&lines, "crate").into_iter().chain(escapes) {
            if name != module[0] && !allowed.contains(&name.as_str()) {
                let place = source.path.display();
                faults.push(format!(
                    "{place}:{line}: imports {name}; {} may import {allowed:?}",
                    module[0]
                ));
            }
        }
    }
    for (tool, allowed) in TOOL_ARROWS {
        for source in sources(&format!("tools/{tool}/src")) {
            for (line, name) in imports(&source.production(), "seatkeeper") {
                if !allowed.contains(&name.as_str()) {
                    let place = source.path.display();
                    faults.push(format!("{place}:{line}: imports {name}; {tool} may import {allowed:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The packages that the library needs with these features.
pub(crate) fn packages(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "-p", "seatkeeper", "--no-default-features", "-e", "normal"])
        .args(["--offline", "--locked", "--prefix", "none", "--format", "{p}"])
        .args(features)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
fn the_pure_part_needs_its_few_packages_and_no_other() {
    let found = packages(&[]);
    let known = BTreeSet::from(PURE_PACKAGES.map(str::to_owned));
    let strangers: Vec<_> = found.difference(&known).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    for direct in ["bytes", "data-encoding", "ed25519-dalek", "sha2", "thiserror"] {
        assert!(found.contains(direct), "{direct} is not needed any more");
    }
}

#[test]
fn the_client_needs_no_store() {
    let found = packages(&["--features", "client"]);
    assert!(found.contains("rustls") && found.contains("tokio"), "{found:?}");
    for store in ["sled", "bincode"] {
        assert!(!found.contains(store), "feature client needs {store}");
    }
}

#[test]
fn nothing_is_left_unfinished() {
    // Put together here, so that this file does not hold them.
    let markers = [
        ["to", "do!"],
        ["unimple", "mented!"],
        ["FIX", "ME"],
        ["X", "XX"],
        ["TO", "DO"],
    ]
    .map(|parts| parts.concat());
    let mut faults = Vec::new();
    for source in everything() {
        for (line, text) in source.text.lines().enumerate() {
            let words = || text.split(|c: char| !(c.is_alphanumeric() || c == '!' || c == '_'));
            if let Some(marker) = words().find(|word| markers.iter().any(|marker| word == marker)) {
                faults.push(format!("{}:{}: {marker}", source.path.display(), line + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn production_source_is_ascii() {
    let mut faults = Vec::new();
    for source in everything() {
        for (line, text) in source.production().iter().enumerate() {
            if let Some(stranger) = text.chars().find(|c| !c.is_ascii()) {
                faults.push(format!("{}:{}: {stranger:?}", source.path.display(), line + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_changelog_has_its_fixed_headings() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let newest = text.split("\n## ").nth(1).unwrap();
    for heading in ["Added", "Changed", "Fixed", "Protocol", "On disk"] {
        let line = format!("### {heading}");
        assert!(newest.lines().any(|one| one == line), "{line} is missing");
    }
}

#[test]
fn the_roots_of_the_test_programs_hold_modules_and_nothing_else() {
    let text = fs::read_to_string(root().join("tests/pure/main.rs")).unwrap();
    for line in text.lines().map(str::trim) {
        let plain = line.is_empty() || line.starts_with("//!") || line.starts_with("#[") || line.starts_with("mod ");
        assert!(plain, "tests/pure/main.rs holds {line:?}");
    }
}

#[test]
fn every_fault_that_is_planted_to_try_the_tests_still_fits_the_code() {
    let told = Command::new("bash")
        .arg(root().join("tools/mutants.sh"))
        .arg("--check")
        .output()
        .expect("bash runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stdout));
}
