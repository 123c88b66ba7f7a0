//! Which questions of discovery a server answers.

use serde::Deserialize;

use super::ConfigError;
use crate::net::listen::Heard;
use crate::sockets::interfaces::Choice;

/// Which questions of discovery are answered. All are, unless a site says otherwise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Discovery {
    /// Those to everybody of an IPv4 network.
    pub broadcast: bool,
    /// Those to the groups.
    pub multicast: bool,
    /// Those to an address of this host alone.
    pub unicast: bool,
    /// On which interfaces, by their names, which may end with `*`; none of those with `!` before them. All if empty.
    pub interfaces: Vec<String>,
}

impl Default for Discovery {
    fn default() -> Self {
        Self {
            broadcast: true,
            multicast: true,
            unicast: true,
            interfaces: Vec::new(),
        }
    }
}

impl Discovery {
    /// The same for the responder.
    #[must_use]
    pub fn heard(&self) -> Heard {
        let (mut only, mut not) = (Vec::new(), Vec::new());
        for name in &self.interfaces {
            match name.strip_prefix('!') {
                Some(denied) => not.push(denied.to_owned()),
                None => only.push(name.clone()),
            }
        }
        Heard {
            broadcast: self.broadcast,
            multicast: self.multicast,
            unicast: self.unicast,
            interfaces: Choice { only, not },
        }
    }

    /// What is no name of an interface.
    pub(super) fn faults(&self) -> impl Iterator<Item = ConfigError> {
        let strange = |name: &&String| !Choice::is_name(name.strip_prefix('!').unwrap_or(name));
        self.interfaces.iter().filter(strange).map(|name| ConfigError::Value {
            key: "discovery.interfaces",
            reason: format!(
                "has \"{}\", which is no name of an interface: name it as `ip link` does, with '*' at the end for all that begin so, \
                 and '!' before it for those that are left out",
                name.escape_debug()
            ),
        })
    }
}
