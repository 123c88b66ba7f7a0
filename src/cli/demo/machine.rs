//! Machines of the demonstration: each has a name, a MAC address and a state directory of its own.

use super::Stage;
use super::vendor::product;
use crate::cli::error::CliError;
use crate::client::Agent;
use crate::domain::ids::Mac;

/// A machine: its name, and the last byte of its MAC address (00:00:5e:00:53:xx is set aside for documentation).
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine(pub(super) &'static str, pub(super) u8);

impl Machine {
    /// The agent of a component on this machine, which finds its server by UDP.
    pub(super) fn agent(self, stage: &Stage, product_id: &str, component: &str) -> Result<Agent, CliError> {
        let Self(name, last) = self;
        let wrong = |error| CliError::because("a machine of the demonstration", error);
        let component = component.parse().map_err(wrong)?;
        let mac = Mac::new([0, 0, 0x5e, 0, 0x53, last]).map_err(wrong)?;
        Ok(Agent::new(stage.vendor.key(), product(product_id)?, component)
            .mac(mac)
            .host_name(name)
            .port(stage.port())
            .state_dir(stage.root.join("machines").join(name)))
    }

    /// The same, but the machine was told where the server is: it need not wait whether another one answers.
    pub(super) fn told_where(self, stage: &Stage, product_id: &str, component: &str) -> Result<Agent, CliError> {
        Ok(self.agent(stage, product_id, component)?.servers(stage.address()))
    }
}
