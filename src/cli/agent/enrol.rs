//! `agent enrol`: a component is made known to a server that serves only what is enrolled.

use serde::Serialize;
use zeroize::Zeroizing;

use super::super::args::{Global, TokenText};
use super::super::error::CliError;
use super::super::{files, output, session};
use super::no_adapter;
use crate::client::agent::EnrolError;
use crate::client::token::{TOKEN_VARIABLE, TokenError};
use crate::client::{Agent, AgentError, EnrolmentToken};

/// What `agent enrol --json` prints.
#[derive(Serialize)]
struct Enrolled {
    label: String,
    server: String,
}

pub(super) async fn run(global: &Global, agent: &Agent, token: Option<TokenText>) -> Result<(), CliError> {
    let token = read(token)?;
    let enrolled = agent.enrol(&token).await.map_err(|error| match error {
        EnrolError::Agent(AgentError::Adapter(adapter)) => no_adapter(&adapter, adapter.to_string()),
        EnrolError::NoServer(_) => CliError::NoServer(error.to_string()),
        EnrolError::Refused(status, refusal) => session::refused(status, &refusal.text),
        error => CliError::because("cannot enrol", error),
    })?;
    if global.json {
        return output::json(&Enrolled {
            label: enrolled.label,
            server: enrolled.server.fingerprint.to_string(),
        });
    }
    let label = match enrolled.label.as_str() {
        "" => String::new(),
        label => format!(" as {label}"),
    };
    output::line(&format!("enrolled{label} ({})", enrolled.server))
}

fn read(token: Option<TokenText>) -> Result<EnrolmentToken, CliError> {
    let wrong = |error: TokenError| CliError::Usage(error.to_string());
    let in_environment = |error| CliError::Usage(format!("{TOKEN_VARIABLE}: {error}"));
    match token {
        Some(TokenText(text)) if text == "-" => {
            let text = Zeroizing::new(files::text("-".as_ref())?);
            EnrolmentToken::parse(&text).map_err(wrong)
        }
        Some(TokenText(text)) => EnrolmentToken::parse(&Zeroizing::new(text)).map_err(wrong),
        None => EnrolmentToken::from_environment()
            .map_err(in_environment)?
            .ok_or_else(|| {
                CliError::Usage(format!(
                    "no token was given; name it, write - to have it read from standard input, or set {TOKEN_VARIABLE}"
                ))
            }),
    }
}
