//! What `doctor` prints.

use seatkeeper::client::harmless;
use serde::Serialize;

use super::facts::Facts;
use super::finding::{Finding, Unchecked, Verdict, root_cause};
use super::judge::judge;

/// Columns that the name of a check takes.
const CHECK_WIDTH: usize = 13;

/// What `doctor --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The server as it was typed; nothing where none was named.
    target: Option<String>,
    port: u16,
    product: Option<String>,
    /// The gravest of all.
    verdict: Verdict,
    findings: Vec<Finding>,
    not_checked: Vec<Unchecked>,
    /// Of what fails, what everything else rests on.
    root_cause: Option<Finding>,
    /// What the report ends with: one sentence.
    sentence: String,
}

impl Report {
    pub(super) fn new(facts: &Facts) -> Self {
        let (findings, not_checked) = judge(facts);
        let verdict = findings.iter().map(|finding| finding.verdict).max();
        let root_cause = root_cause(&findings).cloned();
        Self {
            target: facts.asked.server.clone(),
            port: facts.asked.port,
            product: facts.asked.product.clone(),
            verdict: verdict.unwrap_or(Verdict::Pass),
            sentence: sentence(root_cause.as_ref(), &findings),
            findings,
            not_checked,
            root_cause,
        }
    }

    /// How the command exits.
    pub(super) fn exit_code(&self) -> u8 {
        self.root_cause.as_ref().map_or(0, |cause| cause.check.exit_code())
    }

    /// The last line.
    pub(super) fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The report for people: a line a finding, what to do below it, and the root cause at the end.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let about = match finding.about.as_str() {
                "" => String::new(),
                about => format!("{about}: "),
            };
            let (verdict, check) = (finding.verdict.shown(), finding.check.shown());
            let line = format!("{verdict}  {check:<CHECK_WIDTH$}{about}{}", finding.cause);
            text += &harmless::text(&line);
            text.push('\n');
            if let Some(remedy) = &finding.remedy {
                text += &harmless::text(&format!("{:>w$}-> {remedy}", "", w = 6 + CHECK_WIDTH));
                text.push('\n');
            }
        }
        for unchecked in &self.not_checked {
            let line = format!(
                "--    {:<CHECK_WIDTH$}not checked: {}",
                unchecked.check.shown(),
                unchecked.reason
            );
            text += &harmless::text(&line);
            text.push('\n');
        }
        text + "\n" + &harmless::text(&self.sentence) + "\n"
    }
}

fn sentence(root_cause: Option<&Finding>, findings: &[Finding]) -> String {
    let Some(cause) = root_cause else {
        let warned = findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Warn)
            .count();
        return match warned {
            0 => "Nothing is wrong that can be seen from here.".to_owned(),
            1 => "Nothing fails; one line is a warning.".to_owned(),
            count => format!("Nothing fails; {count} lines are warnings."),
        };
    };
    let about = match cause.about.as_str() {
        "" => String::new(),
        about => format!("{about}: "),
    };
    format!(
        "Root cause ({}): {about}{}.",
        cause.check.shown(),
        cause.cause.trim_end_matches('.')
    )
}
