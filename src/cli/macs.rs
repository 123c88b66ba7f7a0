//! Lists of machines: a MAC address a line.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::CliError;
use super::files;
use crate::domain::ids::Mac;
use crate::wire::limits::RESERVED_MAX;

/// Bad lines that are told one by one.
const FAULTS_TOLD_MAX: usize = 20;

/// The machines of a file, each once however often it is listed.
pub(super) fn read(path: &Path) -> Result<BTreeSet<Mac>, CliError> {
    parse(&files::text(path)?).map_err(|fault| CliError::failed(format!("{}: {fault}", path.display())))
}

/// Refuses more machines than one reservation can name.
pub(super) fn bounded(macs: &BTreeSet<Mac>) -> Result<(), CliError> {
    if macs.len() > RESERVED_MAX {
        return Err(CliError::failed(format!(
            "{} machines are more than {RESERVED_MAX}, which is what one reservation can name; split the list",
            macs.len()
        )));
    }
    Ok(())
}

/// One bad line refuses the file: a rollout in which a machine is left out unseen is found out too late.
fn parse(text: &str) -> Result<BTreeSet<Mac>, String> {
    let mut macs = BTreeSet::new();
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let said = line.split_once('#').map_or(line, |(said, _)| said).trim();
        match said.parse() {
            Ok(mac) => {
                macs.insert(mac);
            }
            Err(_) if said.is_empty() => {}
            Err(error) => faults.push(format!("line {number}: {error}")),
        }
    }
    if !faults.is_empty() {
        let rest = faults.len().saturating_sub(FAULTS_TOLD_MAX);
        faults.truncate(FAULTS_TOLD_MAX);
        if rest > 0 {
            faults.push(format!("and {rest} lines more"));
        }
        return Err(faults.join("\n  "));
    }
    if macs.is_empty() {
        return Err("there is no MAC address in it; write one a line".to_owned());
    }
    Ok(macs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_are_passed_over_and_a_machine_counts_once() {
        let text = "\u{feff}# rack 1\r\n00:1a:2b:3c:4d:5e\r\n\r\n  00-1A-2B-3C-4D-5F  # the second\n001a2b3c4d5e\n";
        let macs = parse(text).expect("good");
        let told: Vec<String> = macs.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["00:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d:5f"]);
    }

    #[test]
    fn every_bad_line_is_told_with_its_number() {
        let fault = parse("00:1a:2b:3c:4d:5e\nhost-7\n\n01:00:5e:00:00:01\n").expect_err("bad");
        assert!(fault.contains("line 2: ") && fault.contains("line 4: "), "{fault}");
        assert!(!fault.contains("line 1:") && !fault.contains("line 3:"), "{fault}");
        assert!(parse("# nobody\n").is_err());
        let many = parse(&"x\n".repeat(30)).expect_err("bad");
        assert!(
            many.contains("line 20: ") && many.contains("and 10 lines more"),
            "{many}"
        );
    }

    #[test]
    fn more_machines_than_a_reservation_can_name_are_refused() {
        let lines = (0..=RESERVED_MAX).map(|n| format!("02:00:00:00:{:02x}:{:02x}", n >> 8, n & 0xff));
        let text = lines.collect::<Vec<_>>().join("\n");
        let macs = parse(&text).expect("good");
        assert!(bounded(&macs).is_err());
        assert!(bounded(&macs.into_iter().take(RESERVED_MAX).collect()).is_ok());
    }
}
