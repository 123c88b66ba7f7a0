//! Statuses: how a request was answered. Numbers are stable: the registry only grows.

codes! {
    /// How a request was answered; 0 in requests. Below `0x0100`: the protocol; from there on: the rules.
    Status(u16) {
        /// Done; the body is the opcode's reply.
        OK = 0x0000,
        /// The frame or its body cannot be read; the connection ends.
        MALFORMED = 0x0001,
        /// The opcode is not known here; the connection stays.
        UNSUPPORTED = 0x0002,
        /// A request before HELLO, or a second HELLO; the connection ends.
        OUT_OF_ORDER = 0x0003,
        /// No protocol version is spoken by both sides; the connection ends.
        VERSION_MISMATCH = 0x0004,
        /// The server has too much to do; ask again after the time it names.
        BUSY = 0x0005,
        /// The server stops; the request was not accepted.
        GOING_AWAY = 0x0006,
        /// The connection said nothing for too long and ends.
        SILENCE_LIMIT = 0x0007,
        /// The server failed; whether the request was carried out is not known.
        INTERNAL = 0x0008,
        /// The identity's role does not include the request.
        NOT_AUTHORIZED = 0x0100,
        /// Too many new seats from one source, or new MACs of one identity; ask again after the time it names.
        SLOW_DOWN = 0x0101,
        /// The server's disk is full: nothing new is taken; ask again after the time it names.
        DISK_FULL = 0x0102,
        /// This site has agents enrol by token, and the identity did not.
        ENROLMENT_REQUIRED = 0x0103,
        /// The token is wrong, expired, used up or revoked; which of them is not told.
        TOKEN_REFUSED = 0x0104,
        /// Two vendors have a product of this id: name the vendor.
        AMBIGUOUS_PRODUCT = 0x0110,
        /// No catalogue of the vendor has such a product.
        UNKNOWN_PRODUCT = 0x0111,
        /// The product has no such component.
        UNKNOWN_COMPONENT = 0x0112,
        /// The vendor is not trusted here.
        UNKNOWN_VENDOR = 0x0113,
        /// No license has this serial.
        UNKNOWN_SERIAL = 0x0114,
        /// The identity has no role.
        UNKNOWN_ADMINISTRATOR = 0x0115,
        /// As many vendors are trusted as may be.
        TOO_MANY_VENDORS = 0x0116,
        /// No reservation has this id: it lapsed, or nothing is left of it.
        UNKNOWN_RESERVATION = 0x0117,
        /// As many reservations are here as may be.
        TOO_MANY_RESERVATIONS = 0x0118,
        /// No token has this short name.
        UNKNOWN_TOKEN = 0x0119,
        /// As many tokens are here as may be.
        TOO_MANY_TOKENS = 0x011a,
        /// The identity is not enrolled, or not any more.
        UNKNOWN_IDENTITY = 0x011b,
        /// The server was started without a configuration file: there is nothing to read again.
        NO_CONFIGURATION = 0x011c,
        /// The product is known, but no license for it was ever imported.
        NO_LICENSE = 0x0120,
        /// No seat is free on any license that serves.
        SEATS_EXHAUSTED = 0x0121,
        /// Every license that could serve this seat has expired.
        LICENSE_EXPIRED = 0x0122,
        /// The product has as many components on this machine as it may.
        TOO_MANY_COMPONENTS = 0x0123,
        /// The product's licenses are for deployments; no seat can be had of them.
        DEPLOYMENT_ONLY = 0x0124,
        /// The vendor has taken back the licenses that could serve this seat.
        LICENSE_BLACKLISTED = 0x0125,
        /// Other licenses have taken the place of those that could serve this seat.
        LICENSE_SUPERSEDED = 0x0126,
        /// The machine needs a seat of another product first.
        REQUIRED_PRODUCT = 0x0127,
        /// A component is released by the identity bound to it, or by an administrator.
        IDENTITY_NOT_BOUND = 0x0130,
        /// The identity took another one's place less than 30 days ago and cannot release yet.
        REBOUND_RECENTLY = 0x0131,
        /// Another identity is bound to the component; an administrator has to approve a new one.
        REBIND_PENDING = 0x0132,
        /// The checkout shows a copied machine, and such are refused.
        CONFLICT = 0x0133,
        /// The license has seats in use.
        LICENSE_IN_USE = 0x0140,
        /// The last administrator cannot be removed.
        LAST_ADMINISTRATOR = 0x0141,
        /// The catalogue is not newer than the one that is here.
        CATALOGUE_NOT_NEWER = 0x0142,
        /// The vendor's list is not newer than the one that is here.
        BLACKLIST_NOT_NEWER = 0x0143,
        /// The reservation's id is in use for something else.
        RESERVATION_TAKEN = 0x0144,
        /// The seats would have to be held on too many licenses.
        RESERVATION_TOO_LARGE = 0x0145,
        /// A reservation lasts 30 days at most, and not no time.
        RESERVATION_TOO_LONG = 0x0146,
        /// No jump of the clock is pending.
        NO_JUMP_PENDING = 0x0147,
        /// The signed text is damaged, or is not one.
        TEXT_DAMAGED = 0x0150,
        /// The signature does not belong to the text.
        BAD_SIGNATURE = 0x0151,
        /// The text claims something that this version cannot honour.
        NEEDS_NEWER_SERVER = 0x0152,
        /// The key's time is over.
        KEY_EXPIRED = 0x0153,
        /// The serial belongs to a license of another vendor, product or usage.
        SERIAL_TAKEN = 0x0154,
        /// The 32 bytes are not an Ed25519 public key.
        BAD_VENDOR_KEY = 0x0155,
        /// The vendor has taken the key back.
        BLACKLISTED = 0x0156,
        /// A key of this serial with more seats or a later end was imported before, or the vendor's list says so.
        SUPERSEDED = 0x0157,
        /// The key is longer but smaller than the license of its serial, or larger but shorter.
        NOT_A_RENEWAL = 0x0158,
        /// More seats and units are in use than the key has.
        FEWER_SEATS_THAN_USED = 0x0159,
        /// The product is not sold by licenses of the key's usage.
        USAGE_NOT_OFFERED = 0x015a,
    }
}
