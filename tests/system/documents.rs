//! What documents show of commands, in prose, tables and blocks that no test types, is what the programs take: each is
//! parsed by the program itself, with `--help` behind it, so that nothing is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{SEATKEEPER, command, finish};

/// The programs of the suite.
const PROGRAMS: [&str; 4] = ["seatkeeper", "seatmint", "seatprobe", "seatswarm"];

/// What documents write for what differs, and one of it.
const PLACEHOLDERS: [(&str, &str); 14] = [
    ("ADDRESS", "192.0.2.1"),
    ("COMMAND", "show"),
    ("COMPONENT", "agent"),
    (
        "FINGERPRINT",
        "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f",
    ),
    ("ID", "0001020304050607"),
    ("KEY", "SK1-00000"),
    ("MAC", "00:00:5e:00:53:01"),
    ("N", "2"),
    ("NUMBER", "2"),
    ("RESERVATION", "000102030405060708090a0b0c0d0e0f"),
    ("SERIAL", "2763Q3AVJ1959WJ7"),
    ("SHELL", "bash"),
    ("SECONDS", "2"),
    (
        "age1...",
        "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    ),
];

/// The guides, whose blocks are typed by the tests on networks.
const TYPED: &str = "tools/guide/";

/// The guides in which a verb alone means the command, which is to be written with its program.
const OF_COMMANDS: [&str; 2] = ["tools/guide/administrator.md", "tools/guide/old-tool.md"];

/// Where options without a program are those of cargo and of the campaigns.
const OF_OTHERS: [&str; 2] = ["README.md", "tools/soak/README.md"];

/// The options of the old license server's tool, which `old-tool.md` speaks of.
const OLD_OPTIONS: [&str; 4] = ["--import", "--import-file", "--list", "--status"];

/// Every document that people read, with its path.
fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<PathBuf> = [
        "README.md",
        "SECURITY.md",
        "tools/dist/seatkeeper.toml",
        "tools/dist/seatkeeper.service",
    ]
    .map(|name| root.join(name))
    .into();
    for entry in fs::read_dir(root.join("tools")).unwrap() {
        let folder = entry.unwrap().path();
        let files = fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path());
        found.extend(files.filter(|file| file.extension().is_some_and(|ending| ending == "md")));
    }
    let named = found.into_iter().map(|path| {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|ending| ending == "md") {
            return (name, text);
        }
        // What is no Markdown says it in comments.
        let comments: Vec<_> = text.lines().map(|line| line.trim_start_matches('#')).collect();
        (name, comments.join("\n"))
    });
    named.collect()
}

/// What stands in backquotes in prose, with line breaks for spaces, and the lines of blocks of commands.
fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut prose, mut lines, mut fence) = (String::new(), Vec::new(), None);
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language.starts_with("sh")),
            (Some(_), Some(_)) => fence = None,
            (None, Some(true)) => lines.push(line.to_owned()),
            (None, Some(false)) => {}
            (None, None) if line.starts_with("    ") => lines.push(line.to_owned()),
            (None, None) => {
                prose.push_str(line);
                // A table's cells and paragraphs end what a stray backquote began.
                prose.push_str(if line.is_empty() { "\n" } else { " " });
            }
        }
    }
    let spans = prose.lines().flat_map(|paragraph| {
        let spans = paragraph.split('`').skip(1).step_by(2);
        spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
    });
    (spans.collect(), lines)
}

/// The commands that the titles of a document's chapters name, each in a part of its program.
fn headings(text: &str) -> Vec<String> {
    let (mut program, mut commands) = ("", Vec::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            program = title;
        } else if let Some(title) = line.strip_prefix("### `").filter(|_| PROGRAMS.contains(&program)) {
            commands.extend(title.split('`').step_by(2).map(|verb| format!("{program} {verb}")));
        }
    }
    commands
}

/// The first command of a line: its words up to what the shell takes for itself.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut quoted: Option<String> = None;
    for word in line.split_whitespace() {
        if let Some(mut text) = quoted.take() {
            text.push(' ');
            text.push_str(word);
            match text.strip_suffix('"') {
                Some(whole) => words.push(whole.to_owned()),
                None => quoted = Some(text),
            }
            continue;
        }
        if ["|", "||", "&", "&&", ";", "\\"].contains(&word) || word.starts_with(['#', '>', '<']) {
            break;
        }
        match word.strip_prefix('"').map(|rest| (rest, rest.strip_suffix('"'))) {
            Some((_, Some(whole))) => words.push(whole.to_owned()),
            Some((begun, None)) => quoted = Some(begun.to_owned()),
            None => words.push(word.trim_end_matches([';', ',']).to_owned()),
        }
    }
    words
}

/// The program that words begin with, in whatever directory it is.
fn program(words: &[String]) -> Option<&'static str> {
    let name = words.first()?.rsplit('/').next()?;
    PROGRAMS.into_iter().find(|program| *program == name)
}

fn binary(program: &str) -> PathBuf {
    let path = Path::new(SEATKEEPER).with_file_name(program);
    assert!(
        path.exists(),
        "{} is not there; build it with `cargo build --workspace`",
        path.display()
    );
    path
}

/// What the program says against these words; nothing where it takes them.
fn refusal(program: &str, words: &[String]) -> Option<String> {
    let told = |word: &String| {
        let known = PLACEHOLDERS.iter().find(|(name, _)| name == word);
        known.map_or_else(|| word.clone(), |(_, one)| (*one).to_owned())
    };
    // A document may leave out what does not matter to it.
    let is_left_out = |word: &&String| ["...", "…"].contains(&word.as_str());
    let before = words[1..].iter().take_while(|word| *word != "--");
    let args = before.filter(|word| !is_left_out(word)).map(told);
    let output = finish(command(binary(program)).args(args).arg("--help"));
    (output.code != Some(0)).then(|| output.text())
}

/// The verbs in a help text.
fn verbs(help: &str) -> impl Iterator<Item = &str> {
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let rows = rows.take_while(|line| !line.is_empty());
    let named = rows.filter_map(|row| row.strip_prefix("  ")?.split(' ').next());
    named.filter(|verb| !verb.is_empty() && *verb != "help")
}

/// Every option that a program or anything below it has, by their help.
fn options(program: &str) -> BTreeSet<String> {
    let mut options = BTreeSet::new();
    let mut ways = vec![Vec::new()];
    while let Some(way) = ways.pop() {
        let help = finish(command(binary(program)).args(&way).arg("--help")).ok();
        let words = help.split(|at: char| !(at.is_ascii_alphanumeric() || at == '-'));
        options.extend(words.filter(|word| word.starts_with("--")).map(str::to_owned));
        ways.extend(verbs(&help).map(|verb| [&way[..], &[verb.to_owned()]].concat()));
    }
    options
}

#[test]
fn every_command_that_a_document_shows_is_one_that_the_program_takes() {
    let options: BTreeSet<_> = PROGRAMS.into_iter().flat_map(options).collect();
    let help = finish(command(SEATKEEPER).arg("--help")).ok();
    let verbs: BTreeSet<_> = verbs(&help).collect();
    assert!(verbs.len() > 20 && options.len() > 40, "{verbs:?} {options:?}");
    let (mut faults, mut seen) = (Vec::new(), BTreeMap::new());
    for (name, text) in documents() {
        let (spans, lines) = read(&text);
        let blocks = if name.starts_with(TYPED) { Vec::new() } else { lines };
        let headings = if name.ends_with("json.md") {
            headings(&text)
        } else {
            Vec::new()
        };
        for shown in spans.iter().chain(&blocks).chain(&headings) {
            let words = words(shown);
            let verb = words.first().map_or("", String::as_str);
            if let Some(program) = program(&words) {
                let refused = seen.entry(words.clone()).or_insert_with(|| refusal(program, &words));
                faults.extend(refused.iter().map(|refused| format!("{name}: `{shown}`: {refused}")));
            } else if verb.starts_with("--") {
                let option = verb.split(['=', '[']).next().unwrap();
                let is_old = name.ends_with("old-tool.md") && OLD_OPTIONS.contains(&option);
                if !is_old && !OF_OTHERS.contains(&&*name) && !options.contains(option) {
                    faults.push(format!("{name}: no program has an option {shown}"));
                }
            } else if OF_COMMANDS.contains(&&*name)
                && verbs.contains(verb)
                && words.get(1).is_none_or(|word| word != "=")
            {
                faults.push(format!("{name}: `{shown}` is to be written with its program"));
            }
        }
    }
    assert!(
        seen.len() > 80,
        "of the documents only {} commands were understood",
        seen.len()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_command_that_there_is_not_is_found() {
    let (spans, lines) =
        read("a `seatkeeper\nstatus --check` b\n```sh\nseatkeeper list # x\n```\n```toml\n`no`\n```\n");
    assert_eq!(spans, ["seatkeeper status --check"]);
    assert_eq!(words(&lines[0]), ["seatkeeper", "list"]);
    assert_eq!(words("x --reason \"a b\" \"c\" >d"), ["x", "--reason", "a b", "c"]);
    for (shown, is_taken) in [
        ("seatkeeper status --check", true),
        ("seatkeeper release MAC PRODUCT --reason TEXT", true),
        ("seatkeeper run BKSRV agent -- program --whatever", true),
        ("seatkeeper statuses", false),
        ("seatkeeper status --chekc", false),
        ("seatkeeper release MACHINE PRODUCT", false),
        ("seatkeeper admin list MAC", false),
    ] {
        assert_eq!(refusal("seatkeeper", &words(shown)).is_none(), is_taken, "{shown}");
    }
}
