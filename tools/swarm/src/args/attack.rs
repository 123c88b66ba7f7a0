use clap::Args;

use super::{RunArgs, ServerArgs, TimeArgs};
use crate::assault::Assault;

#[derive(Args, Debug)]
pub(crate) struct Attack {
    /// What hostile peers do; all of it if absent.
    #[arg(value_enum)]
    pub(crate) assaults: Vec<Assault>,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
