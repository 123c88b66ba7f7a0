//! Tokens: what agents and administrators say of them.

use seatkeeper::wire::Opcode;
use seatkeeper::wire::messages::enrol::{self, Secret};
use seatkeeper::wire::messages::{Request, Response};

use super::{Group, NOW, Said, reply, text};

const HASH: [u8; 32] = [0xc1; 32];
const DAY: u64 = 86_400;

pub(super) fn agents() -> Group {
    let secret = std::array::from_fn(|place| u8::try_from(place).expect("20 bytes"));
    let enrolled = enrol::EnrolOk {
        server_time: NOW,
        label: text("office"),
    };
    vec![
        (
            "enrol",
            Said::Request(Request::Enrol(enrol::Enrol { secret: Secret(secret) })),
        ),
        ("enrol_ok", reply(Opcode::ENROL, Response::Enrol(enrolled))),
    ]
}

pub(super) fn administrators() -> Group {
    let add = enrol::EnrolTokenAdd {
        hash: HASH,
        label: text("office"),
        secs: Some(86_400),
        uses: Some(5),
    };
    let fresh = enrol::TokenRow {
        hash: HASH,
        label: text("office"),
        created_at: NOW,
        expires_at: NOW + 30 * DAY,
        uses_left: 1_000,
        ..enrol::TokenRow::default()
    };
    let added = enrol::EnrolTokenAddOk {
        server_time: NOW,
        token: fresh,
    };
    let ask = enrol::EnrolTokens {
        after: Some(HASH),
        limit: Some(100),
    };
    let identities = enrol::EnrolIdentities {
        after: Some([0xa1; 32]),
        limit: Some(100),
    };
    let remove = enrol::EnrolRemove { identity: [0xa1; 32] };
    let revoke = enrol::EnrolTokenRevoke {
        token: [0xc1; 8],
        also_identities: true,
    };
    let revoked = enrol::EnrolTokenRevokeOk {
        server_time: NOW,
        identities: 1_024,
        more: true,
    };
    vec![
        ("enrol_identities", Said::Request(Request::EnrolIdentities(identities))),
        (
            "enrol_identities_ok",
            reply(Opcode::ENROL_IDENTITIES, Response::EnrolIdentities(enrolled())),
        ),
        ("enrol_remove", Said::Request(Request::EnrolRemove(remove))),
        ("enrol_token_add", Said::Request(Request::EnrolTokenAdd(add))),
        (
            "enrol_token_add_ok",
            reply(Opcode::ENROL_TOKEN_ADD, Response::EnrolTokenAdd(added)),
        ),
        ("enrol_tokens", Said::Request(Request::EnrolTokens(ask))),
        (
            "enrol_tokens_ok",
            reply(Opcode::ENROL_TOKENS, Response::EnrolTokens(listed())),
        ),
        ("enrol_token_revoke", Said::Request(Request::EnrolTokenRevoke(revoke))),
        (
            "enrol_token_revoke_ok",
            reply(Opcode::ENROL_TOKEN_REVOKE, Response::EnrolTokenRevoke(revoked)),
        ),
    ]
}

fn enrolled() -> enrol::EnrolIdentitiesOk {
    let stands = enrol::EnrolledRow {
        identity: [0xa1; 32],
        token: [0xc1; 8],
        enrolled_at: NOW - 3_600,
        revoked_at: None,
    };
    let taken_back = enrol::EnrolledRow {
        identity: [0xa2; 32],
        revoked_at: Some(NOW - 30),
        ..stands
    };
    enrol::EnrolIdentitiesOk {
        server_time: NOW,
        more: true,
        rows: vec![stands, taken_back],
    }
}

fn listed() -> enrol::EnrolTokensOk {
    let used = enrol::TokenRow {
        hash: HASH,
        label: text("office"),
        created_at: NOW - 3_600,
        expires_at: NOW - 3_600 + 2_592_000,
        uses_left: 998,
        enrolled: 2,
        identities: 1,
        last_used_at: Some(NOW - 60),
        revoked_at: None,
    };
    let revoked = enrol::TokenRow {
        hash: [0xc2; 32],
        created_at: NOW - 3_600,
        expires_at: NOW + 60,
        uses_left: 5,
        revoked_at: Some(NOW - 30),
        ..enrol::TokenRow::default()
    };
    enrol::EnrolTokensOk {
        server_time: NOW,
        more: false,
        rows: vec![used, revoked],
    }
}
