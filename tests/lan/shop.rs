//! What every test on a network begins with: a vendor, servers that have its keys, agents.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::lab::{Host, Lab};
use crate::process::{Output, ServerProcess};
use crate::vendor::Vendor;
use crate::wire::mac;

/// A vendor whose files lie in the lab's directory.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) vendor: Vendor,
    pub(crate) vendor_key: PathBuf,
    catalogue: PathBuf,
}

impl Shop {
    pub(crate) fn new(lab: &Lab) -> Self {
        let vendor = Vendor::new(1);
        let vendor_key = vendor.write_public_key(lab.dir());
        let catalogue = vendor.write_catalogue(lab.dir(), 1);
        Self {
            vendor,
            vendor_key,
            catalogue,
        }
    }

    /// The file of its catalogue.
    pub(crate) fn catalogue(&self) -> &Path {
        &self.catalogue
    }

    /// Has the server on `host` trust the vendor, and imports its catalogue and these licenses: number, product, seats.
    #[track_caller]
    pub(crate) fn supply(&self, host: &Host, licenses: &[(u16, &str, u32)]) {
        host.admin(["vendor".into(), "trust".into(), OsString::from(&self.vendor_key)])
            .ok();
        host.admin(["catalogue".into(), "import".into(), OsString::from(&self.catalogue)])
            .ok();
        for (number, product, seats) in licenses {
            host.admin(["import", &self.vendor.license(*number, product, *seats)])
                .ok();
        }
    }

    /// Starts a server on `host` that has the vendor's catalogue and these licenses: number, product, seats.
    #[track_caller]
    pub(crate) fn server(&self, host: &Host, licenses: &[(u16, &str, u32)]) -> ServerProcess {
        self.server_with(host, licenses, &[])
    }

    /// As [`Shop::server`], with further arguments of `serve`.
    #[track_caller]
    pub(crate) fn server_with(&self, host: &Host, licenses: &[(u16, &str, u32)], args: &[&str]) -> ServerProcess {
        let server = host.serve(args);
        self.supply(host, licenses);
        server
    }

    /// Runs an agent's command on `host` for a machine with the `number`th MAC address: the hosts of a lab have none
    /// that counts.
    #[track_caller]
    pub(crate) fn agent(&self, host: &Host, number: u16, verb: &str, component: &str, more: &[&str]) -> Output {
        let mac = mac(number).map(|byte| format!("{byte:02x}")).join(":");
        let mut args: Vec<OsString> = ["agent", verb, "BKSRV", component, "--mac", &mac]
            .map(Into::into)
            .into();
        args.extend(["--vendor-key".into(), self.vendor_key.clone().into()]);
        args.extend(more.iter().map(Into::into));
        host.seatkeeper(args)
    }
}

/// The fingerprints that `list` shows on `host`, in order; a server that answers on several paths has a row for each.
#[track_caller]
pub(crate) fn listed(host: &Host) -> Vec<String> {
    let rows = host.seatkeeper(["list", "--json"]).json();
    let rows = rows.as_array().expect("rows").iter();
    let fingerprints = rows.map(|row| row["fingerprint"].as_str().expect("fingerprint").to_owned());
    fingerprints.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Checks that `list` on `host` shows this server and no other.
#[track_caller]
pub(crate) fn lists_only(host: &Host, server: &ServerProcess) {
    assert_eq!(listed(host), std::slice::from_ref(&server.fingerprint));
}

/// How many seats are in use at the server on `host`.
#[track_caller]
pub(crate) fn used(host: &Host) -> u64 {
    let rows = host.admin(["licenses", "--json"]).json();
    rows.as_array()
        .expect("rows")
        .iter()
        .map(|row| row["used"].as_u64().expect("used"))
        .sum()
}
