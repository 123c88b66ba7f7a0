//! What somebody without the role for it asks: refused, whatever it is, and nothing changes by it.

use seatkeeper::wire::Status;
use seatkeeper::wire::messages::{Request, Response};
use seatkeeper_model::{Proposal, Role};
use seatkeeper_world::request::Speaker;

use super::Soak;
use crate::error::SoakError;

impl Soak {
    /// Has those with lesser roles ask what needs a higher one, ahead of whoever may.
    pub(super) async fn ask_above_their_roles(
        &mut self,
        batch: &[Proposal],
        requests: &[Request],
    ) -> Result<(), SoakError> {
        for (role, speaker) in [(Role::Agent, Speaker::Agent(1)), (Role::Deployer, Speaker::Deployer)] {
            let above = batch.iter().zip(requests).filter(|(one, _)| one.ask.role() > role);
            let above: Vec<_> = above.map(|(_, request)| request.clone()).collect();
            if above.is_empty() {
                continue;
            }
            self.history.read_again();
            let responses = self.people.ask(speaker, &above, self.server.address()).await?;
            for (request, response) in above.iter().zip(&responses) {
                if !matches!(response, Response::Refused(Status::NOT_AUTHORIZED, _)) {
                    let asked = format!("{speaker:?}: {request:?}");
                    return Err(self.disagreement(asked, "NOT_AUTHORIZED", response));
                }
            }
            self.report.above += responses.len() as u64;
        }
        Ok(())
    }
}
