//! Enrolling with a token, where a server asks for that. A token goes to the server that it names and to no other: that
//! one's identity is proven by TLS before anything is sent, whether it is pinned or not.

use thiserror::Error;

use super::search::Search;
use super::standing::{NoServer, ServerSeen};
use super::{Agent, AgentError, Offline, sources};
use crate::client::connect::{ConnectError, Connection};
use crate::client::deadline::Deadline;
use crate::client::token::EnrolmentToken;
use crate::client::with_causes;
use crate::wire::Status;
use crate::wire::messages::hello::Refusal;
use crate::wire::messages::{Request, Response};

/// A component that is enrolled.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// What the token is for, as its maker wrote; empty where that is not known.
    pub label: String,
    /// Where.
    pub server: ServerSeen,
}

/// Why a component was not enrolled. Nothing changed; it may be tried again at any time.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// The agent could not even ask.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The server that the token names did not answer.
    #[error("{}", not_met(.0))]
    NoServer(NoServer),
    /// The server refused.
    #[error("{}", .1.text)]
    Refused(Status, Box<Refusal>),
}

impl Agent {
    /// Has a checkout bring this token where the server asks for one. [`EnrolmentToken::from_environment`] reads the one
    /// that an installer was given.
    #[must_use]
    pub fn enrolment_token(mut self, token: EnrolmentToken) -> Self {
        self.token = Some(token);
        self
    }

    /// Enrols the component at the server that the token names, and asks for no seat. Done before, it changes nothing
    /// and uses nothing up. Where servers are pinned already, it must be one of them.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn enrol(&self, token: &EnrolmentToken) -> Result<Enrolled, EnrolError> {
        let deadline = self.due();
        let state = self.open(deadline).await?;
        let sources = sources::begin(self, &state.memory.pins, deadline);
        let mut search = Search::new(self, &state, deadline, sources);
        let mut faults = Vec::new();
        while let Some(Some(found)) = deadline.bound(search.next()).await {
            let mut met = match found {
                Ok(met) => met,
                Err(told) => {
                    faults.push(told);
                    continue;
                }
            };
            let target = met.lead.target.clone();
            if !is_meant(token, &met.connection) {
                faults.push(format!("{target}: not the server that this token is for"));
                continue;
            }
            let request = Request::Enrol(token.message());
            match met.connection.request(&request, deadline).await {
                Ok(Response::Enrol(answer)) => {
                    return Ok(Enrolled {
                        label: answer.label,
                        server: ServerSeen::of(&met.connection),
                    });
                }
                Ok(Response::Refused(status, refusal)) => return Err(EnrolError::Refused(status, Box::new(refusal))),
                Ok(_) => faults.push(format!("{target}: an answer out of turn")),
                Err(error) => faults.push(with_causes(&error)),
            }
        }
        Err(EnrolError::NoServer(NoServer {
            may_run: self.is_lenient(&state.memory),
            faults,
            paths: search.verdicts(),
            offline: Offline::NoLease,
        }))
    }
}

/// The answer to `request`, which was `answer`: where the server asks for a token and the agent has one for it, the token
/// is brought and the same asked again. A refusal of the token stands in place of the refusal without one.
pub(super) async fn enrolling(
    token: Option<&EnrolmentToken>,
    connection: &mut Connection,
    request: &Request,
    answer: Response,
    deadline: Deadline,
) -> Result<Response, ConnectError> {
    let (Some(token), Response::Refused(Status::ENROLMENT_REQUIRED, refusal)) = (token, &answer) else {
        return Ok(answer);
    };
    if !is_meant(token, connection) {
        let text = format!(
            "{}; the enrolment token that was given is for another server, and this one did not get it",
            refusal.text
        );
        let refusal = Refusal {
            text,
            ..refusal.clone()
        };
        return Ok(Response::Refused(Status::ENROLMENT_REQUIRED, refusal));
    }
    match connection.request(&Request::Enrol(token.message()), deadline).await? {
        Response::Enrol(_) => connection.request(request, deadline).await,
        refused => Ok(refused),
    }
}

/// Whether the token names this server, or the one whose identity has passed to it.
fn is_meant(token: &EnrolmentToken, connection: &Connection) -> bool {
    token.is_for(connection.fingerprint()) || connection.succeeds().into_iter().any(|before| token.is_for(before))
}

fn not_met(without: &NoServer) -> String {
    format!(
        "the license server that this enrolment token is for did not answer: {}; check that it runs, or name it",
        without.tried()
    )
}
