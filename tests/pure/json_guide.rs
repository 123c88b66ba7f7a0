//! `tools/guide/json.md`, `tools/mint/README.md` and `tools/swarm/README.md` tell every field that `--json` prints, and no
//! other.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names under which the fields of every struct that derives `Serialize` are printed.
fn printed(folder: &str) -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join(folder), &mut files);
    let mut fields = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut derived = false;
        let mut inside = false;
        let mut attribute = "";
        for line in text.lines() {
            let word = line.trim();
            if line.starts_with("#[derive(") {
                derived = line.contains("Serialize");
            } else if line.contains("struct ") && line.ends_with('{') {
                inside = derived;
                derived = false;
            } else if line.contains("enum ") && line.ends_with('{') {
                derived = false;
            } else if line == "}" {
                inside = false;
            } else if inside && word.starts_with("#[serde(") {
                attribute = word;
            } else if let (true, Some((name, _))) = (inside && !word.starts_with("//"), word.split_once(": ")) {
                let name = name.rsplit(' ').next().unwrap();
                match attribute.split_once("rename = \"") {
                    Some((_, renamed)) => fields.insert(renamed.split('"').next().unwrap().to_owned()),
                    None if ["#[serde(skip)]", "#[serde(flatten)]"].contains(&attribute) => false,
                    None => fields.insert(name.to_owned()),
                };
                attribute = "";
            }
        }
    }
    assert!(
        fields.len() > 5,
        "the structs of {folder} were not understood: {fields:?}"
    );
    fields
}

/// Everything between single backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What the tables of the guide list as fields: the first quoted word of a row whose cell behind it is a type.
fn listed(guide: &str) -> BTreeSet<String> {
    let types = [
        "text", "number", "truth", "time", "hex", "mac", "serial", "address", "code", "list", "object",
    ];
    let mut fields = BTreeSet::new();
    for row in guide.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for pair in cells.windows(2) {
            let is_type = types.iter().any(|name| pair[1].starts_with(name));
            if let (true, Some(name)) = (is_type, pair[0].strip_prefix('`')) {
                fields.insert(name.trim_end_matches('`').to_owned());
            }
        }
    }
    fields
}

/// Checks that the tables of a document tell these fields and no other.
#[track_caller]
fn check_tables(document: &str, known: &BTreeSet<String>) {
    let listed = listed(&fs::read_to_string(root().join(document)).unwrap());
    let missing: Vec<_> = known.difference(&listed).collect();
    let surplus: Vec<_> = listed.difference(known).collect();
    assert!(missing.is_empty(), "{document} does not tell {missing:?}");
    assert!(
        surplus.is_empty(),
        "{document} tells of {surplus:?}, which nothing prints"
    );
}

#[test]
fn every_field_of_json_output_is_documented_and_no_other() {
    let mut known = printed("src/cli");
    known.extend(printed("tools/probe/src"));
    check_tables("tools/guide/json.md", &known);
}

#[test]
fn every_field_of_the_load_tool_is_documented_and_no_other() {
    let mut known = printed("tools/swarm/src");
    // What a floor is told to answer, on its standard input.
    for told in ["by_opcode", "hello", "other"] {
        assert!(known.remove(told), "{told}");
    }
    check_tables("tools/swarm/README.md", &known);
}

#[test]
fn every_field_of_the_vendors_tool_is_documented() {
    let readme = fs::read_to_string(root().join("tools/mint/README.md")).unwrap();
    let quoted = quoted(&readme);
    let known = printed("tools/mint/src");
    let missing: Vec<_> = known.difference(&quoted).collect();
    assert!(missing.is_empty(), "tools/mint/README.md does not tell {missing:?}");
}
