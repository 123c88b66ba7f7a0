//! What administrators type to hand out enrolment tokens.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::Subcommand;

use super::admin::Consent;
use super::deploy::lasting_up_to;
use super::note::label;
use super::whose::Whose;
use crate::domain::enrolment::{TOKEN_SECS_MAX, TOKEN_USES_DEFAULT, TOKEN_USES_MAX};
use crate::domain::ids::TokenId;

/// The text of a token as it was typed. Nothing repeats it, as messages about other arguments do.
#[derive(Clone)]
pub(in crate::cli) struct TokenText(pub(in crate::cli) String);

impl FromStr for TokenText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(..)")
    }
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum EnrolCommand {
    /// Make a token, and print it once: the server knows its hash only.
    Token {
        /// What it is for, for people.
        #[arg(long, default_value = "", value_parser = label)]
        label: String,
        /// How many components it enrols, at most.
        #[arg(long, value_name = "N", default_value_t = TOKEN_USES_DEFAULT,
              value_parser = clap::value_parser!(u32).range(1..=i64::from(TOKEN_USES_MAX)))]
        uses: u32,
        /// For how long, as 90s, 30m, 48h or 7d; at most 366 days.
        #[arg(long = "for", value_name = "TIME", default_value = "30d", value_parser = token_lasting)]
        secs: u32,
    },
    /// List the tokens: what each is for, how many it enrolled, whether it still does.
    List {
        /// The components that tokens enrolled, instead: by which token, on which machine, whether they still are.
        #[arg(long)]
        identities: bool,
        /// Print CSV.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
    /// Take back the enrolment of one component, whoever its token enrolled besides. Says first what that does, and asks.
    Remove {
        /// Its identity, as `seatkeeper enrol list --identities` prints it, or its first digits, 8 at least.
        fingerprint: Whose,
        #[command(flatten)]
        consent: Consent,
    },
    /// End a token; with --identities, also what it enrolled. Says first what that does, and asks.
    Revoke {
        /// The token's short name, as `seatkeeper enrol list` prints it.
        id: TokenId,
        /// Also those that it enrolled are enrolled no more: they keep their seats until these idle out, and renew none.
        #[arg(long)]
        identities: bool,
        #[command(flatten)]
        consent: Consent,
    },
}

fn token_lasting(text: &str) -> Result<u32, String> {
    lasting_up_to(text, TOKEN_SECS_MAX.into())
}
