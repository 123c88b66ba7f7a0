use thiserror::Error;

use crate::codec::DecodeError;
use crate::domain::ids::VendorId;

/// What a signed text asks for that this version cannot do. The signature was good: a newer version can.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Unsupported {
    /// A component has a flag that this version does not know.
    #[error("a component with the unknown flags {0:#04x}")]
    ComponentFlags(u8),
    /// A field that must be understood is not known.
    #[error("the unknown field {0:#06x}")]
    Field(u16),
    /// The text begins like a license key, but not of the kind that this version reads.
    #[error("the key format SK{0}")]
    Format(char),
    /// The license was bought in a way that this version does not know.
    #[error("the unknown kind of license {0}")]
    Kind(u8),
    /// A serial is on the vendor's blacklist for what this version does not know.
    #[error("the unknown mark {0} of a serial")]
    Listed(u8),
    /// The license must be activated.
    #[error("activation")]
    MustActivate,
    /// A product is sold by licenses that this version does not know.
    #[error("the unknown choice of licenses {0}")]
    Offers(u8),
    /// The catalogue has something become of a conflict that this version does not know.
    #[error("the unknown policy for conflicts {0}")]
    OnConflict(u8),
    /// The license belongs to a pool.
    #[error("a pool")]
    Pool,
    /// The license is for something that this version does not know.
    #[error("the unknown usage {0}")]
    Usage(u8),
}

/// Why a license key or a certificate counts for nothing (rule K4). Each says what to do.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum KeyError {
    /// The vendor did not sign this, or the import secret is not the one that it was signed with.
    #[error("not genuine: signature or import secret are wrong; ask the vendor for the key")]
    BadSignature,
    /// Characters are missing, added or mistyped.
    #[error("damaged text: {reason}; copy the whole key again from what the vendor sent")]
    Damaged {
        /// What was noticed.
        reason: &'static str,
    },
    /// The vendor signed claims that cannot be.
    #[error("impossible claims: {0}; ask the vendor for another key")]
    Impossible(#[from] DecodeError),
    /// The claims cannot be honoured here.
    #[error("needs a newer version: the key asks for {0}; upgrade the server, then import the key again")]
    NeedsNewer(#[from] Unsupported),
    /// Another vendor than the given one signed it.
    #[error("unknown vendor {vendor}; trust its public key first: `seatkeeper vendor trust FILE`")]
    UnknownVendor {
        /// The vendor named in the text; unverified.
        vendor: VendorId,
    },
}

/// Why a catalogue, one entry of it, or a blacklist counts for nothing. Each says what to do.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ListError {
    /// A blacklist where a catalogue belongs.
    #[error("this is a blacklist, not a catalogue; import it with `seatkeeper blacklist import`")]
    Blacklist,
    /// A catalogue where a blacklist belongs.
    #[error("this is a catalogue, not a blacklist; import it with `seatkeeper catalogue import`")]
    Catalogue,
    /// The vendor did not sign this.
    #[error("not genuine: the signature is wrong; get the file from the vendor again")]
    BadSignature,
    /// Characters are missing, added or mistyped.
    #[error("damaged: {reason}; get the file from the vendor again")]
    Damaged {
        /// What was noticed.
        reason: &'static str,
    },
    /// The vendor signed what cannot be.
    #[error("impossible: {0}; ask the vendor for another one")]
    Impossible(#[from] DecodeError),
    /// It asks for what this version cannot do.
    #[error("needs a newer version: it asks for {0}; upgrade the server, then import it again")]
    NeedsNewer(#[from] Unsupported),
    /// Another vendor than the given one signed it.
    #[error("unknown vendor {vendor}; trust its public key first: `seatkeeper vendor trust FILE`")]
    UnknownVendor {
        /// The vendor named in the text; unverified.
        vendor: VendorId,
    },
}

/// Why a key file, public or private, could not be read.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It is a private key where a public one belongs.
    #[error("this is a private key, which belongs with the vendor alone; give the public key file beside it")]
    Private,
    /// It is no such key.
    #[error("not an Ed25519 {expected} key in PEM; give the file as `seatmint keygen` wrote it")]
    Unreadable {
        /// `public` or `private`.
        expected: &'static str,
    },
    /// The point has a small order: anyone could sign for it.
    #[error("not a safe Ed25519 public key: anyone could sign for it; ask the vendor for its key")]
    Weak,
}
