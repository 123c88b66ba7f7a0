use std::net::SocketAddr;

use seatkeeper::client::harmless;
use serde::Serialize;

use crate::output::{self, Failure, Warning};
use crate::skew::Skew;

/// What `ping --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// As it was typed.
    target: String,
    /// The address that was asked.
    pub(super) address: SocketAddr,
    /// Further addresses of the same host, which were not asked.
    other_addresses: Vec<SocketAddr>,
    /// What the server said of itself in HELLO.
    pub(super) server: Option<Greeting>,
    pub(super) steps: Vec<Step>,
    pub(super) warnings: Vec<Warning>,
}

/// What a server said of itself in HELLO.
#[derive(Debug, Serialize)]
pub(super) struct Greeting {
    pub(super) name: String,
    /// Its id, in hexadecimal.
    pub(super) server: String,
    pub(super) fingerprint: String,
    pub(super) version: String,
    pub(super) protocol: u16,
    pub(super) epoch: u32,
    /// Of the identity that asked.
    pub(super) role: String,
    pub(super) skew_secs: Skew,
}

/// A step on the way.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Name {
    Udp,
    Tcp,
    Tls,
    Hello,
    Query,
}

impl Name {
    pub(super) const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Hello, Self::Query];

    const fn shown(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Hello => "HELLO",
            Self::Query => "query",
        }
    }
}

/// How a step went.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Good,
    Failed,
    /// A step before it failed.
    Skipped,
}

/// A step and how it went.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Step {
    #[serde(rename = "step")]
    pub(super) name: Name,
    pub(super) outcome: Outcome,
    /// How long it took, to its end or to its failure.
    pub(super) micros: Option<u64>,
    /// What it showed, or what failed.
    pub(super) text: String,
    /// What a failure means and what to check.
    pub(super) meaning: Option<String>,
}

impl Report {
    pub(super) fn new(target: String, addresses: Vec<SocketAddr>) -> Self {
        let mut addresses = addresses.into_iter();
        Self {
            target,
            // Never absent: names without an address are refused before.
            address: addresses.next().unwrap_or_else(|| ([0, 0, 0, 0], 0).into()),
            other_addresses: addresses.collect(),
            server: None,
            steps: Vec::with_capacity(Name::ALL.len()),
            warnings: Vec::new(),
        }
    }

    pub(super) fn good(&mut self, name: Name, micros: u64, text: String) {
        self.steps.push(Step {
            name,
            outcome: Outcome::Good,
            micros: Some(micros),
            text,
            meaning: None,
        });
    }

    pub(super) fn failed(&mut self, name: Name, micros: u64, text: String, meaning: impl Into<String>) {
        self.steps.push(Step {
            name,
            outcome: Outcome::Failed,
            micros: Some(micros),
            text,
            meaning: Some(meaning.into()),
        });
    }

    /// Marks every step that is not told yet as not tried.
    pub(super) fn skip_rest(&mut self) {
        let last = self.steps.last().map(|step| step.name);
        for name in Name::ALL.into_iter().filter(|name| Some(*name) > last) {
            self.steps.push(Step {
                name,
                outcome: Outcome::Skipped,
                micros: None,
                text: "not tried".to_owned(),
                meaning: None,
            });
        }
    }

    /// The report for people: a line a step.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!("{} at {}", harmless::text(&self.target), self.address)];
        let others = self.other_addresses.iter();
        lines.extend(others.map(|other| format!("  (not asked: {})", other.ip())));
        for step in &self.steps {
            let outcome = match step.outcome {
                Outcome::Good => "good",
                Outcome::Failed => "FAILED",
                Outcome::Skipped => "skipped",
            };
            let took = step.micros.map(output::millis).unwrap_or_default();
            let (shown, told) = (step.name.shown(), harmless::text(&step.text));
            lines.push(format!("{shown:<6} {outcome:<8} {took:>12}  {told}"));
            if let Some(meaning) = &step.meaning {
                lines.push(format!("{:>30}{}", "", harmless::text(meaning)));
            }
        }
        lines.join("\n") + "\n" + &output::warnings(&self.warnings)
    }

    /// How the command ends.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let failed = |step: &&Step| step.outcome == Outcome::Failed;
        let is_good = |name| {
            let mut good = self.steps.iter().filter(|step| step.outcome == Outcome::Good);
            good.any(|step| step.name == name)
        };
        match self.steps.iter().filter(failed).count() {
            0 => Ok(()),
            _ if !is_good(Name::Udp) && !is_good(Name::Tcp) => Err(Failure::NoServer(format!(
                "nothing answered at {}; is the server running? seatprobe scan shows the servers that answer here",
                self.address
            ))),
            1 => Err(Failure::Failed("one step failed".to_owned())),
            count => Err(Failure::Failed(format!("{count} steps failed"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report::new("office".to_owned(), vec![([192, 0, 2, 1], 17_328).into()])
    }

    #[test]
    fn the_verdict_tells_some_failed_from_nothing_answered() {
        let mut all = report();
        for step in Name::ALL {
            all.good(step, 1, String::new());
        }
        assert!(all.verdict().is_ok());

        let mut udp_alone_failed = report();
        udp_alone_failed.failed(Name::Udp, 1, String::new(), "");
        udp_alone_failed.good(Name::Tcp, 1, String::new());
        assert!(matches!(udp_alone_failed.verdict(), Err(Failure::Failed(_))));

        let mut tcp_alone_failed = report();
        tcp_alone_failed.good(Name::Udp, 1, String::new());
        tcp_alone_failed.failed(Name::Tcp, 1, String::new(), "");
        tcp_alone_failed.skip_rest();
        assert!(matches!(tcp_alone_failed.verdict(), Err(Failure::Failed(_))));

        let mut nothing = report();
        nothing.failed(Name::Udp, 1, String::new(), "");
        nothing.failed(Name::Tcp, 1, String::new(), "");
        nothing.skip_rest();
        assert!(matches!(nothing.verdict(), Err(Failure::NoServer(_))));
    }

    #[test]
    fn every_step_is_told_even_those_not_tried() {
        let mut report = report();
        report.good(Name::Udp, 412, "offer".to_owned());
        report.failed(Name::Tcp, 3_000_000, "refused".to_owned(), "nothing listens");
        report.skip_rest();
        let told: Vec<_> = report.steps.iter().map(|step| (step.name, step.outcome)).collect();
        assert_eq!(
            told,
            [
                (Name::Udp, Outcome::Good),
                (Name::Tcp, Outcome::Failed),
                (Name::Tls, Outcome::Skipped),
                (Name::Hello, Outcome::Skipped),
                (Name::Query, Outcome::Skipped),
            ]
        );
        let text = report.text();
        for line in [
            "UDP    good         0.412 ms  offer\n",
            "TCP    FAILED    3000.000 ms  refused\n                              nothing listens\n",
            "query  skipped                not tried\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
