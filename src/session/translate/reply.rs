//! The domain's answers as replies of the wire.

use super::super::config::SessionConfig;
use super::super::lease;
use super::codes::role_code;
use super::refusal::{refusal, status_of, status_of_key_error, status_of_list_error};
use super::text::key_refusal_text;
use super::{Answer, Greeting, KeyOutcome, events, explain, pages, reload, rows, status, status_of_key_refusal};
use crate::domain::denial::{Denied, Subject};
use crate::domain::ids::{Mac, ProductId, ProductKey, Serial};
use crate::domain::reply::{Grant, GrantKind, ImportOutcome, Reply, Settled, TokenRow};
use crate::domain::time::{Monotonic, Timestamp};
use crate::wire::limits::{BODY_LEN_MAX, BUSY_RETRY_SECS, REFUSAL_TEXT_LEN_MAX, VERSION_MAX};
use crate::wire::messages::hello::{HelloOk, Refusal};
use crate::wire::messages::{Response, admin, deploy, enrol, seat};
use crate::wire::{self, Opcode, Outcome, ReleaseOutcome, Status};

/// What a reply carries besides its answer.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What all connections have in common.
    pub config: &'a SessionConfig,
    /// What was asked.
    pub opcode: Opcode,
    /// The server's calendar.
    pub server_time: Timestamp,
    /// The moment of the answer.
    pub at: Monotonic,
    /// The lease that was asked for, without its days and its time.
    pub lease: Option<&'a seat::Lease>,
}

const NO_CONFIGURATION: &str = "the server was started without a configuration file, so there is nothing to read again; start \
                                it with --config FILE";

/// The reply to a request.
#[must_use]
pub fn respond(answer: Answer, context: &Context<'_>) -> Response {
    let response = match answer {
        Answer::Busy => Response::Refused(
            Status::BUSY,
            Refusal {
                server_time: Some(context.server_time.0),
                text: format!("the server has too much to do; ask again in {BUSY_RETRY_SECS} seconds"),
                retry_secs: Some(BUSY_RETRY_SECS),
                ..Refusal::default()
            },
        ),
        Answer::ListRefused(error) => refused(context, status_of_list_error(&error), error.to_string()),
        Answer::Failed => failed(context),
        Answer::Hello(greeting) => Response::Hello(hello(*greeting, context)),
        Answer::Imported(outcomes) => Response::Import(imported(outcomes, context)),
        Answer::NoConfiguration => refused(context, Status::NO_CONFIGURATION, NO_CONFIGURATION.to_owned()),
        Answer::Reloaded(reloaded) => reload::told(*reloaded, context.server_time.0),
        Answer::Reply(reply) => of_reply(*reply, context),
        Answer::Status(status, health) => status::told(*status, Some(health), context),
        Answer::Stopping => refused(
            context,
            Status::GOING_AWAY,
            "the server is stopping and did not accept this; ask again when it is back".to_owned(),
        ),
        Answer::VendorKeyRefused(error) => refused(context, Status::BAD_VENDOR_KEY, error.to_string()),
    };
    // An answer of another kind than was asked for is a fault of ours: the peer must not have to guess.
    if response.answers(context.opcode) {
        response
    } else {
        failed(context)
    }
}

fn of_reply(reply: Reply, context: &Context<'_>) -> Response {
    let server_time = context.server_time.0;
    match reply {
        Reply::Done => Response::Done(admin::Done { server_time }),
        Reply::Admins(listing) => pages::admins(listing, server_time),
        Reply::Availability { seats, units } => Response::Availability(seat::AvailabilityOk {
            server_time,
            counts: rows::counts(seats),
            units: rows::counts(units),
        }),
        Reply::BlacklistImported {
            serials,
            licenses,
            used,
        } => Response::BlacklistImport(admin::BlacklistImportOk {
            server_time,
            serials,
            licenses,
            used,
        }),
        Reply::CatalogueImported { products, effects } => pages::catalogue(products, effects, server_time),
        Reply::Denied(denied) => denied_response(&denied, context),
        Reply::Enrolled { label } => Response::Enrol(enrol::EnrolOk { server_time, label }),
        Reply::EnrolledIdentities(listing) => pages::enrolled(listing, server_time),
        Reply::Explained(explanation) => Response::Explain(explain::explained(*explanation, context.server_time)),
        Reply::Events(read) => events::found(*read, server_time),
        Reply::EventsVerified(read) => events::checked(*read, server_time),
        Reply::Imported(outcomes) => {
            let outcomes = outcomes.into_iter().map(KeyOutcome::Decided).collect();
            Response::Import(imported(outcomes, context))
        }
        Reply::LicenseRemoved(removed) => Response::LicenseRemove(admin::LicenseRemoveOk {
            server_time,
            seats_ended: removed.seats_ended,
            seats_moved: removed.seats_moved,
            spent: removed.spent,
            dropped: removed.dropped,
        }),
        Reply::Licenses(listing) => pages::licenses(listing, server_time),
        Reply::NotCounted { counts, signed_entry } => Response::Checkout(seat::CheckoutOk {
            server_time,
            outcome: Outcome::NOT_COUNTED,
            catalogue_entry: signed_entry,
            counts: Some(rows::counts(counts)),
            ..seat::CheckoutOk::default()
        }),
        Reply::NothingHeld => released(ReleaseOutcome::NOTHING_HELD, 0, context),
        Reply::Products(listing) => pages::products(listing, server_time),
        // No peer asks the server to reclaim, and the writer asks for the rest of the dates.
        Reply::Unfinished | Reply::Reclaimed(_) => failed(context),
        Reply::Released { seat_freed: true, .. } => released(ReleaseOutcome::SEAT_FREED, 0, context),
        Reply::Released {
            seat_freed: false,
            components_left,
        } => released(ReleaseOutcome::COMPONENT_RELEASED, components_left, context),
        Reply::Reservations(listing) => pages::reservations(listing, server_time),
        Reply::Reserved(row) => Response::Reserve(deploy::ReserveOk {
            server_time,
            reservation: rows::reservation(*row),
        }),
        Reply::Resolved { components } => Response::BindingResolve(admin::BindingResolveOk {
            server_time,
            components,
        }),
        Reply::Seat(grant) => Response::Checkout(granted(*grant, context)),
        Reply::Seats(listing) => pages::seats(listing, server_time),
        Reply::Settled { product, rows } => Response::Settle(settled(product, &rows, context)),
        Reply::Status(status) => status::told(*status, None, context),
        Reply::TokenAdded(row) => token_added(*row, server_time),
        Reply::TokenRevoked { identities, more } => token_revoked(identities, more, server_time),
        Reply::Tokens(listing) => pages::tokens(listing, server_time),
    }
}

fn denied_response(denied: &Denied, context: &Context<'_>) -> Response {
    // EXPLAIN itself need not be pointed to, and it tells of checkouts: why nothing is given up it does not know.
    let refusal = match context.opcode {
        Opcode::EXPLAIN | Opcode::RELEASE | Opcode::SEAT_END => refusal(denied, context.server_time),
        _ => pointing_refusal(denied, context.server_time),
    };
    Response::Refused(status_of(&denied.denial), refusal)
}

/// What is refused to a machine that wants something says too where an administrator sees why.
fn pointing_refusal(denied: &Denied, server_time: Timestamp) -> Refusal {
    let mut refusal = refusal(denied, server_time);
    if let Some(hint) = explain::hint(denied)
        && refusal.text.len() + hint.len() <= REFUSAL_TEXT_LEN_MAX
    {
        refusal.text.push_str(&hint);
    }
    refusal
}

fn token_added(row: TokenRow, server_time: u64) -> Response {
    Response::EnrolTokenAdd(enrol::EnrolTokenAddOk {
        server_time,
        token: rows::token(row),
    })
}

const fn token_revoked(identities: u32, more: bool, server_time: u64) -> Response {
    Response::EnrolTokenRevoke(enrol::EnrolTokenRevokeOk {
        server_time,
        identities,
        more,
    })
}

fn settled(product: ProductId, rows: &[(Mac, Settled)], context: &Context<'_>) -> deploy::SettleOk {
    let refused = rows.iter().find_map(|(mac, settled)| match settled {
        Settled::Refused(denial) => Some(Denied {
            subject: Subject {
                product: Some(product),
                mac: Some(*mac),
                ..Subject::default()
            },
            ..(*denial).into()
        }),
        _ => None,
    });
    deploy::SettleOk {
        server_time: context.server_time.0,
        rows: rows.iter().map(rows::settled).collect(),
        text: refused.map(|denied| pointing_refusal(&denied, context.server_time).text),
    }
}

fn hello(greeting: Greeting, context: &Context<'_>) -> HelloOk {
    let config = context.config;
    HelloOk {
        server_time: context.server_time.0,
        version: VERSION_MAX,
        server: greeting.server.id.0,
        name: config.name.clone(),
        server_version: config.server_version.clone(),
        epoch: greeting.server.epoch,
        body_len_max: u32::try_from(BODY_LEN_MAX).unwrap_or(u32::MAX),
        in_flight_max: config.in_flight_max,
        silence_ms: config.silence_ms(greeting.role),
        role: role_code(greeting.role),
        succession: config.succession.clone(),
        lease_key: config.lease_key.as_ref().map(|key| key.public()),
    }
}

fn granted(grant: Grant, context: &Context<'_>) -> seat::CheckoutOk {
    let (outcome, former) = match grant.kind {
        GrantKind::EngagedAgain(former) => (Outcome::ENGAGED_AGAIN, Some(rows::former(former))),
        GrantKind::Granted => (Outcome::GRANTED, None),
        GrantKind::Renewed => (Outcome::RENEWED, None),
    };
    let signed = |(key, asked)| lease::granted(key, asked, grant.offline_days, context.server_time.0);
    seat::CheckoutOk {
        lease: context.config.lease_key.as_deref().zip(context.lease).and_then(signed),
        server_time: context.server_time.0,
        outcome,
        catalogue_entry: grant.signed_entry,
        serial: Some(grant.serial.as_str().to_owned()),
        acquired_at: Some(grant.acquired_at.0),
        renew_by: grant.renew_by.map(|at| at.0),
        continuation: Some(grant.continuation),
        conflict: grant.conflict.map(rows::conflict),
        certificate: Some(grant.certificate),
        former,
        counts: None,
    }
}

const fn released(outcome: ReleaseOutcome, components_left: u32, context: &Context<'_>) -> Response {
    Response::Release(seat::ReleaseOk {
        server_time: context.server_time.0,
        outcome,
        components_left,
    })
}

fn imported(outcomes: Vec<KeyOutcome>, context: &Context<'_>) -> admin::ImportOk {
    let row = |(index, outcome)| admin::ImportRow {
        index: u16::try_from(index).unwrap_or(u16::MAX),
        ..import_row(outcome)
    };
    admin::ImportOk {
        server_time: context.server_time.0,
        rows: outcomes.into_iter().enumerate().map(row).collect(),
    }
}

fn import_row(outcome: KeyOutcome) -> admin::ImportRow {
    let named = |outcome, serial: Serial, product: ProductKey| admin::ImportRow {
        outcome,
        serial: Some(serial.as_str().to_owned()),
        vendor: Some(product.vendor.0),
        product: Some(product.product.as_str().to_owned()),
        ..admin::ImportRow::default()
    };
    match outcome {
        KeyOutcome::Decided(ImportOutcome::Added {
            serial,
            product,
            seats,
            renewal,
        }) => admin::ImportRow {
            seats: Some(seats),
            renewal: Some(renewal),
            ..named(wire::ImportOutcome::ADDED, serial, product)
        },
        KeyOutcome::Decided(ImportOutcome::AlreadyPresent { serial, product }) => {
            named(wire::ImportOutcome::PRESENT, serial, product)
        }
        KeyOutcome::Decided(ImportOutcome::Refused {
            serial,
            product,
            refusal,
        }) => admin::ImportRow {
            status: Some(status_of_key_refusal(&refusal)),
            text: Some(key_refusal_text(&refusal)),
            ..named(wire::ImportOutcome::REFUSED, serial, product)
        },
        KeyOutcome::Unverified(error) => admin::ImportRow {
            outcome: wire::ImportOutcome::REFUSED,
            status: Some(status_of_key_error(&error)),
            text: Some(error.to_string()),
            ..admin::ImportRow::default()
        },
    }
}

fn refused(context: &Context<'_>, status: Status, text: String) -> Response {
    Response::Refused(
        status,
        Refusal {
            server_time: Some(context.server_time.0),
            text,
            ..Refusal::default()
        },
    )
}

fn failed(context: &Context<'_>) -> Response {
    let text = "the server failed; whether it carried this out is not known: ask again, and see its log";
    refused(context, Status::INTERNAL, text.to_owned())
}
