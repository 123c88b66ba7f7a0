//! Every opcode by every role, over the real socket; the registry's role column is the judge.

use std::net::SocketAddr;

use seatkeeper::domain::blacklist::Listed;
use seatkeeper::tls::Identity;
use seatkeeper::vendor::{SignedBlacklist, SignedCatalogue};
use seatkeeper::wire::messages::{
    Request, Response, admin, deploy, enrol, events, explain, hello, reload, seat, views,
};
use seatkeeper::wire::{Opcode, Role, Status};

use crate::site::Site;
use crate::wire::{Wire, answer, checkout, hello as say_hello, mac};

/// A request of this opcode that changes nothing of what the others need.
pub(super) fn request(site: &Site, opcode: Opcode) -> Request {
    let (vendor, product) = (site.vendor.id().0, "BKSRV".to_owned());
    match opcode {
        Opcode::HELLO => say_hello(),
        Opcode::CHECKOUT => checkout(site.vendor.id(), &product, "agent", mac(1)),
        Opcode::RENEW => match checkout(site.vendor.id(), &product, "agent", mac(1)) {
            Request::Checkout(fields) => Request::Renew(fields),
            other => other,
        },
        Opcode::RELEASE => Request::Release(seat::Release {
            vendor,
            product,
            component: "console".into(),
            mac: mac(2),
        }),
        Opcode::AVAILABILITY => Request::Availability(seat::Availability {
            vendor: Some(vendor),
            product,
        }),
        Opcode::RESERVE => Request::Reserve(deploy::Reserve {
            reservation: [1; 16],
            product,
            count: Some(1),
            ..deploy::Reserve::default()
        }),
        Opcode::COMMIT => Request::Commit(deploy::Commit {
            reservation: [2; 16],
            product,
            ..deploy::Commit::default()
        }),
        Opcode::ABORT => Request::Abort(deploy::Abort {
            reservation: [2; 16],
            product,
            ..deploy::Abort::default()
        }),
        Opcode::RESERVATIONS => Request::Reservations(deploy::Reservations::default()),
        Opcode::ENROL => Request::Enrol(enrol::Enrol {
            secret: enrol::Secret([9; 20]),
        }),
        Opcode::STATUS => Request::Status(views::Status {}),
        Opcode::LICENSES => Request::Licenses(views::Licenses::default()),
        Opcode::SEATS => Request::Seats(views::Seats::default()),
        Opcode::PRODUCTS => Request::Products(views::Products::default()),
        Opcode::EXPLAIN => Request::Explain(explain::Explain {
            product,
            mac: mac(2),
            ..explain::Explain::default()
        }),
        Opcode::ADMIN_LIST => Request::AdminList(views::AdminList::default()),
        Opcode::EVENTS => Request::Events(events::Events::default()),
        Opcode::EVENTS_VERIFY => Request::EventsVerify(events::EventsVerify::default()),
        administration => administrators_request(site, administration),
    }
}

/// As [`request`], of those that only administrators may ask.
fn administrators_request(site: &Site, opcode: Opcode) -> Request {
    match opcode {
        Opcode::VENDOR_TRUST => Request::VendorTrust(admin::VendorTrust {
            public_key: site.vendor.public_key(),
        }),
        Opcode::CATALOGUE_IMPORT => {
            let signed = SignedCatalogue::parse(&site.vendor.catalogue(2)).expect("a catalogue");
            Request::CatalogueImport(admin::CatalogueImport {
                catalogue: signed.bytes().clone(),
                dry_run: None,
            })
        }
        Opcode::BLACKLIST_IMPORT => {
            let text = site.vendor.blacklist(1, &[(99, Listed::Superseded)]);
            let list = SignedBlacklist::parse(&text).expect("a blacklist").bytes().clone();
            Request::BlacklistImport(admin::BlacklistImport { list, dry_run: None })
        }
        Opcode::BINDING_RESOLVE => Request::BindingResolve(admin::BindingResolve {
            mac: mac(9),
            ..admin::BindingResolve::default()
        }),
        Opcode::BACKED_UP => Request::BackedUp(admin::BackedUp::default()),
        Opcode::CLOCK_ACCEPT => Request::ClockAccept(admin::ClockAccept {}),
        Opcode::CLOCK_RESET => Request::ClockReset(admin::ClockReset {}),
        Opcode::IMPORT => Request::Import(admin::Import {
            keys: vec![site.vendor.license(2, "BKSRV", 1)],
            dry_run: None,
        }),
        Opcode::LICENSE_REMOVE => Request::LicenseRemove(admin::LicenseRemove {
            serial: crate::vendor::serial(9).to_string(),
            end_seats: false,
        }),
        Opcode::SEAT_END => Request::SeatEnd(admin::SeatEnd {
            mac: mac(2),
            vendor: Some(site.vendor.id().0),
            product: "BKSRV".into(),
            component: None,
            reason: "a test of roles".into(),
        }),
        Opcode::ADMIN_ADD => Request::AdminAdd(admin::AdminAdd {
            fingerprint: [7; 32],
            role: Role::VIEWER,
            label: "nobody".into(),
        }),
        Opcode::ENROL_TOKENS => Request::EnrolTokens(enrol::EnrolTokens::default()),
        Opcode::ENROL_IDENTITIES => Request::EnrolIdentities(enrol::EnrolIdentities::default()),
        Opcode::ENROL_REMOVE => Request::EnrolRemove(enrol::EnrolRemove { identity: [8; 32] }),
        Opcode::ENROL_TOKEN_ADD => Request::EnrolTokenAdd(enrol::EnrolTokenAdd {
            hash: [9; 32],
            label: "a test of roles".into(),
            ..enrol::EnrolTokenAdd::default()
        }),
        Opcode::ENROL_TOKEN_REVOKE => Request::EnrolTokenRevoke(enrol::EnrolTokenRevoke {
            token: [8; 8],
            also_identities: true,
        }),
        Opcode::ADMIN_REMOVE => Request::AdminRemove(admin::AdminRemove { fingerprint: [8; 32] }),
        Opcode::RELOAD => Request::Reload(reload::Reload::default()),
        unknown => panic!("{unknown:?} is in the registry and not in this test"),
    }
}

/// Whether the registry lets `role` ask what needs one of `needed`.
fn allowed(role: Role, needed: &[Role]) -> bool {
    match role {
        Role::NONE => needed.contains(&Role::NONE),
        Role::ADMINISTRATOR => !needed.contains(&Role::NONE),
        _ => needed.contains(&Role::AGENT) || needed.contains(&role),
    }
}

async fn status_of(server: SocketAddr, identity: &Identity, request: &Request) -> (Role, Status) {
    let (mut wire, hello) = Wire::hello(server, identity).await.expect("HELLO");
    let response = wire.ask(request).await.expect("an answer");
    (hello.role, response.status())
}

#[tokio::test]
async fn every_opcode_is_granted_to_the_roles_of_the_registry_and_to_no_other() {
    let site = Site::open();
    site.buy(1, "BKSRV", 50);
    let server = site.server().address();
    for (role, name) in [
        (Role::AGENT, ""),
        (Role::DEPLOYER, "deployer"),
        (Role::VIEWER, "viewer"),
        (Role::ADMINISTRATOR, "administrator"),
    ] {
        let identity = Identity::generate().unwrap();
        if role != Role::AGENT {
            let fingerprint = data_encoding::HEXLOWER.encode(&identity.fingerprint());
            site.admin(["admin", "add", &fingerprint, "--role", name]).ok();
        }
        for row in Opcode::TABLE.iter().filter(|row| row.opcode != Opcode::HELLO) {
            let (seen, status) = status_of(server, &identity, &request(&site, row.opcode)).await;
            assert_eq!(seen, role, "HELLO names the role");
            let refused = status == Status::NOT_AUTHORIZED;
            assert_eq!(
                refused,
                !allowed(role, row.roles),
                "{} by {role:?}: {status:?}",
                row.name
            );
            let reached = [
                Status::OK,
                Status::UNKNOWN_SERIAL,
                Status::UNKNOWN_ADMINISTRATOR,
                Status::CATALOGUE_NOT_NEWER,
                Status::NO_JUMP_PENDING,
                Status::UNKNOWN_RESERVATION,
                Status::TOKEN_REFUSED,
                Status::UNKNOWN_TOKEN,
                Status::UNKNOWN_IDENTITY,
                Status::NO_CONFIGURATION,
            ];
            assert!(
                refused || reached.contains(&status),
                "{} by {role:?}: {status:?}",
                row.name
            );
        }
    }
    let seats = site.json(["seats"]);
    assert_eq!(seats.as_array().unwrap().len(), 1, "one machine asked: {seats}");
}

#[tokio::test]
async fn before_hello_nothing_but_hello_is_granted() {
    let site = Site::open();
    site.buy(1, "BKSRV", 50);
    for row in Opcode::TABLE {
        // The administrator's own identity: it is the order that is wrong, not the role.
        let identity = Identity::load(&site.data().join("admin.pem")).unwrap();
        let mut wire = Wire::connect(site.server().address(), &identity).await.unwrap();
        let response = wire.ask(&request(&site, row.opcode)).await.unwrap();
        if allowed(Role::NONE, row.roles) {
            assert!(
                matches!(
                    &response,
                    Response::Hello(hello::HelloOk {
                        role: Role::ADMINISTRATOR,
                        ..
                    })
                ),
                "{response:?}"
            );
            // A second one is out of order too.
            assert_eq!(wire.ask(&say_hello()).await.unwrap().status(), Status::OUT_OF_ORDER);
        } else {
            assert_eq!(response.status(), Status::OUT_OF_ORDER, "{}", row.name);
        }
        assert!(
            matches!(wire.receive().await, Ok(None) | Err(_)),
            "the connection ends after {}",
            row.name
        );
    }
    assert!(site.json(["seats"]).as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_opcode_of_a_later_version_is_unsupported_and_the_connection_stays() {
    let site = Site::open();
    let (mut wire, _) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    let number = wire
        .send_frame(Opcode(0x0777), bytes::Bytes::from_static(b"whatever"))
        .await
        .unwrap();
    let frame = wire.receive().await.unwrap().expect("an answer");
    assert_eq!(
        (frame.request, frame.status, frame.opcode),
        (number, Status::UNSUPPORTED, Opcode(0x8777))
    );
    let next = wire.ask(&request(&site, Opcode::AVAILABILITY)).await.unwrap();
    assert_eq!(next.status(), Status::OK);
    assert!(answer(&frame).is_ok_and(|response| matches!(response, Response::Refused(..))));
}
