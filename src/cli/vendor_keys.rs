//! Which vendor's public key an agent command goes by: as asked, or as the last checkout on this machine did.

use std::path::Path;

use super::args::Licensed;
use super::error::CliError;
use super::files;
use crate::client::state;
use crate::vendor::VendorKey;

/// The vendor's public key for a component: the option's file, else the one that was given with the last command.
pub(super) fn of(licensed: &Licensed) -> Result<VendorKey, CliError> {
    let directory =
        state::default_directory().map_err(|error| CliError::because("cannot tell where state is kept", error))?;
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
    let ending = format!("~{}~{}.json", licensed.product, licensed.component);
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let vendors: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(&ending)?.to_owned()))
        .collect();
    // A command with the wrong vendor's key leaves state too, but no server ever proved a license of that vendor.
    let served: Vec<String> = vendors
        .iter()
        .filter(|vendor| state::was_served(&directory.join(format!("{vendor}{ending}"))))
        .cloned()
        .collect();
    let meant = if served.is_empty() { vendors } else { served };
    match meant.as_slice() {
        [vendor] => files::vendor_key(&directory.join(format!("{vendor}.pub"))),
        [] => Err(CliError::Usage(format!(
            "{} {} was never checked out on this machine; say whose product it is with --vendor-key FILE",
            licensed.product, licensed.component
        ))),
        _ => Err(CliError::Usage(format!(
            "components {} {} of several vendors are on this machine; say which with --vendor-key FILE",
            licensed.product, licensed.component
        ))),
    }
}
