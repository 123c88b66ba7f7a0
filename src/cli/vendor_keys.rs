//! Which vendor's public key an agent command goes by: as asked, or as the last checkout or enrolment on this machine did.

use std::collections::BTreeSet;
use std::path::Path;

use super::args::Licensed;
use super::error::CliError;
use super::files;
use crate::client::state::{default_directory, was_served};
use crate::vendor::VendorKey;

/// The vendor's public key for a component: the option's file, else the one that was given with the last command.
pub(super) fn of(licensed: &Licensed) -> Result<VendorKey, CliError> {
    let directory = default_directory().map_err(|error| CliError::because("cannot tell where state is kept", error))?;
    match &licensed.vendor_key {
        Some(file) => {
            let key = files::vendor_key(file)?;
            // A read-only state directory costs the convenience only.
            if let Err(error) = remember(&directory, &key) {
                tracing::debug!(%error, "the vendor's key was not kept");
            }
            Ok(key)
        }
        None => known(&directory, licensed),
    }
}

fn remember(directory: &Path, key: &VendorKey) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join(format!("{}.pub", key.id())), key.to_pem())
}

/// The key of the vendor whose component has state here.
fn known(directory: &Path, licensed: &Licensed) -> Result<VendorKey, CliError> {
    let name = format!("~{}~{}", licensed.product, licensed.component);
    let (state, identity) = (format!("{name}.json"), format!("{name}.pem"));
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    // A component that was only enrolled has an identity, and no state yet.
    let vendors: BTreeSet<String> = files
        .filter_map(|file| file.file_name().into_string().ok())
        .filter_map(|file| {
            let vendor = file.strip_suffix(&state).or_else(|| file.strip_suffix(&identity))?;
            Some(vendor.to_owned())
        })
        .collect();
    // A command with the wrong vendor's key leaves state too, but no server ever proved a license of that vendor.
    let served: Vec<&String> = vendors
        .iter()
        .filter(|vendor| was_served(&directory.join(format!("{vendor}{state}"))))
        .collect();
    let meant = if served.is_empty() {
        vendors.iter().collect()
    } else {
        served
    };
    match meant.as_slice() {
        [vendor] => files::vendor_key(&directory.join(format!("{vendor}.pub"))),
        [] => Err(CliError::Usage(format!(
            "{} {} was neither checked out nor enrolled on this machine; say whose product it is with --vendor-key FILE",
            licensed.product, licensed.component
        ))),
        _ => Err(CliError::Usage(format!(
            "components {} {} of several vendors are on this machine; say which with --vendor-key FILE",
            licensed.product, licensed.component
        ))),
    }
}
