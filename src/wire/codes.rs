//! Codes: numbers with names. Each table gives the constants, the names and `Debug`, and can be walked.

/// Makes an open code: a newtype over a number, its constants, its table and its `Debug`.
macro_rules! codes {
    (
        $(#[$meta:meta])*
        $name:ident($raw:ty) {
            $( $(#[$code_meta:meta])* $code:ident = $value:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub $raw);

        impl $name {
            $( $(#[$code_meta])* pub const $code: Self = Self($value); )*

            /// All known codes with their names, in the order of the registry.
            pub const TABLE: &'static [(Self, &'static str)] = &[ $( (Self::$code, stringify!($code)), )* ];

            /// The code's name; nothing where this version does not know it.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                Self::TABLE.iter().find(|(code, _)| *code == self).map(|(_, name)| *name)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($name), "({:#06x})"), self.0),
                }
            }
        }
    };
}

codes! {
    /// What of a catalogue changes.
    Altered(u8) {
        /// The product as such: it comes or goes.
        PRODUCT = 1,
        /// The product's name.
        NAME = 2,
        /// Days without renewal after which a seat is free.
        IDLE_DAYS = 3,
        /// Whether its seats never come back.
        SINGLE_USE = 4,
        /// Days that a strict component may run without a server.
        OFFLINE_DAYS = 5,
        /// The usages of its licenses, the preferred one first.
        OFFERS = 6,
        /// The product that it requires.
        REQUIRED = 7,
        /// What becomes of a conflict.
        ON_CONFLICT = 8,
        /// The component as such: it comes or goes.
        COMPONENT = 9,
        /// Whether the component takes and renews a seat.
        COUNTED = 10,
        /// Whether the component runs when no server answers.
        LENIENT = 11,
        /// Whether the component runs from boot media.
        EPHEMERAL = 12,
    }
}

codes! {
    /// What EXPLAIN looks at, in the order in which it does.
    Check(u8) {
        /// How the server's time stands.
        CLOCK = 1,
        /// Whether this site serves the identity.
        ENROLMENT = 2,
        /// Whether the server's disk has room for a new seat.
        ROOM = 3,
        /// Whether too many new seats came from one identity or source lately.
        PACE = 4,
        /// Whether the vendor is trusted here.
        VENDOR = 5,
        /// Whether the vendor's catalogue has the product.
        PRODUCT = 6,
        /// Whether the product has the component.
        COMPONENT = 7,
        /// Whether the component needs a seat.
        COUNTED = 8,
        /// Whether the machine holds a seat of the product that this one requires.
        REQUIRED_PRODUCT = 9,
        /// Whether the machine holds a seat.
        SEAT = 10,
        /// Whether the seat has room for another component.
        COMPONENTS = 11,
        /// How the identity meets what is bound to the component.
        BINDING = 12,
        /// Whether the license of the machine's seat serves.
        SEAT_LICENSE = 13,
        /// Whether a rollout holds a seat for this machine.
        SET_ASIDE = 14,
        /// Which license serves.
        LICENSES = 15,
        /// A license that was looked at.
        LICENSE = 16,
        /// The seat that the machine held before.
        FORMER_SEAT = 17,
        /// A machine whose seat comes free before others.
        HOLDER = 18,
    }
}

codes! {
    /// What becomes of a key of the configuration whose value changed.
    ConfigEffect(u8) {
        /// It is in force at once.
        APPLIED = 1,
        /// It is in force after the next start.
        NEEDS_RESTART = 2,
        /// Something else than the file says it, as the command line: that goes before the file.
        OVERRULED = 3,
    }
}

codes! {
    /// How a machine's copy showed itself (rule I7).
    ConflictKind(u8) {
        /// Identity A, then B, then A again within 24 hours.
        ALTERNATING_IDENTITY = 1,
        /// A continuation number that was used up.
        STALE_CONTINUATION = 2,
    }
}

codes! {
    /// Why a seat ended.
    EndCause(u8) {
        /// An administrator took it back.
        ADMINISTRATOR = 1,
        /// It was not renewed before its renew date.
        IDLE = 2,
        /// Its license was removed.
        LICENSE_REMOVED = 3,
        /// The machine's last counted component was released.
        RELEASED = 4,
    }
}

codes! {
    /// What happened (rule V3).
    EventKind(u8) {
        /// An identity was given a role.
        ROLE_GIVEN = 1,
        /// An identity lost its role.
        ROLE_TAKEN = 2,
        /// A component's binding with a conflict was forgotten.
        BINDING_FORGOTTEN = 3,
        /// A vendor's list of serials that do not serve came.
        BLACKLIST_IMPORTED = 4,
        /// A vendor's catalogue came.
        CATALOGUE_IMPORTED = 5,
        /// An administrator set the time.
        TIME_SET = 6,
        /// Another component holds a seat too.
        COMPONENT_ADDED = 7,
        /// A component was released.
        COMPONENT_RELEASED = 8,
        /// A copied machine showed itself.
        CONFLICT_SEEN = 9,
        /// A unit that was set aside for a machine is free again.
        DEPLOYMENT_ABORTED = 10,
        /// A unit was spent on a machine.
        DEPLOYMENT_COMMITTED = 11,
        /// An administrator approved the identity that waited.
        IDENTITY_APPROVED = 12,
        /// An identity waits for approval.
        IDENTITY_WAITS = 13,
        /// A jump of the clock was accepted.
        JUMP_ACCEPTED = 14,
        /// The clock jumped ahead.
        JUMP_PENDING = 15,
        /// A jump of the clock is over and counts for nothing.
        JUMP_REJECTED = 16,
        /// A license was imported or renewed.
        LICENSE_IMPORTED = 17,
        /// What a vendor's list says of a license changed.
        LICENSE_LISTED = 18,
        /// A license was removed.
        LICENSE_REMOVED = 19,
        /// A component's identity was replaced by another one.
        IDENTITY_REPLACED = 20,
        /// Nothing is set aside by a reservation any more.
        RESERVATION_ENDED = 21,
        /// Units or held seats were set aside: told by a release that did not say which.
        RESERVED = 22,
        /// A seat ended.
        SEAT_ENDED = 23,
        /// A seat was engaged.
        SEAT_ENGAGED = 24,
        /// A seat went to another license.
        SEAT_MOVED = 25,
        /// A seat was renewed; never written.
        SEAT_RENEWED = 26,
        /// The server was started for the first time.
        SERVER_FOUNDED = 27,
        /// A vendor is trusted from now on.
        VENDOR_TRUSTED = 28,
        /// A token enrols identities from now on.
        TOKEN_ADDED = 29,
        /// A token was revoked.
        TOKEN_REVOKED = 30,
        /// A token enrolled an identity.
        IDENTITY_ENROLLED = 31,
        /// An identity that a token had enrolled is enrolled no more.
        IDENTITY_REMOVED = 32,
        /// Requests were refused, counted together.
        REFUSED = 33,
        /// The server goes on from a backup.
        SERVER_RESTORED = 34,
        /// The server's identity was replaced by another one.
        SERVER_IDENTITY_REPLACED = 35,
        /// The configuration was read again while the server ran.
        CONFIG_RELOADED = 36,
        /// A backup was made, with the server's identities in it.
        BACKED_UP = 37,
        /// A backup was made, without the server's identities.
        BACKED_UP_WITHOUT_IDENTITY = 38,
        /// Seats are held for machines that check out.
        SEATS_HELD = 39,
        /// A reservation was made for machines.
        MACHINES_RESERVED = 40,
        /// Units were set aside for machines of a reservation.
        UNITS_RESERVED = 41,
    }
}

codes! {
    /// What came of a step that EXPLAIN tells.
    Finding(u8) {
        /// The decision went on.
        PASSED = 1,
        /// This decided.
        DECIDED = 2,
        /// It decided nothing, and is worth knowing.
        NOTED = 3,
    }
}

codes! {
    /// What became of one license key of an IMPORT.
    ImportOutcome(u8) {
        /// It is a license now.
        ADDED = 1,
        /// It was here already.
        PRESENT = 2,
        /// It was refused; the row says why.
        REFUSED = 3,
    }
}

codes! {
    /// How a license was bought.
    Kind(u8) {
        /// Bought.
        COMMERCIAL = 1,
        /// Bought for a period.
        SUBSCRIPTION = 2,
        /// For trying the product.
        TRIAL = 3,
    }
}

codes! {
    /// Whether a license serves (rule S2).
    LicenseStatus(u8) {
        /// It serves.
        VALID = 1,
        /// Its time is over.
        EXPIRED = 2,
        /// Its vendor has taken it back.
        BLACKLISTED = 3,
        /// Another license has taken its place, says its vendor.
        SUPERSEDED = 4,
    }
}

codes! {
    /// The licenses that a product is sold by, and which are used first (rule X5).
    Offers(u8) {
        /// Both, machine licenses first.
        MACHINE_FIRST = 1,
        /// Both, deployment licenses first.
        DEPLOYMENT_FIRST = 2,
        /// Machine licenses only.
        MACHINE_ONLY = 3,
        /// Deployment licenses only.
        DEPLOYMENT_ONLY = 4,
    }
}

codes! {
    /// What becomes of a checkout that shows a conflict (rule I7).
    OnConflict(u8) {
        /// It is honoured and shown.
        FLAG = 1,
        /// It is refused and shown.
        REFUSE = 2,
    }
}

codes! {
    /// The answer to a checkout (rule S14).
    Outcome(u8) {
        /// A seat was engaged.
        GRANTED = 1,
        /// The machine held the seat already.
        RENEWED = 2,
        /// The machine had held a seat that ended, and engaged a new one.
        ENGAGED_AGAIN = 3,
        /// The component is not counted: no seat was engaged or renewed.
        NOT_COUNTED = 4,
    }
}

codes! {
    /// The answer to a release (rules S8, S14).
    ReleaseOutcome(u8) {
        /// The component was released; others still hold the seat.
        COMPONENT_RELEASED = 1,
        /// The seat is free now.
        SEAT_FREED = 2,
        /// Nothing was held: nothing changed.
        NOTHING_HELD = 3,
    }
}

codes! {
    /// What is set aside for a machine (rule X2).
    Reserved(u8) {
        /// Nothing: the machine held a seat already.
        COVERED = 1,
        /// A machine license's seat, which the machine holds from then on.
        SEAT = 2,
        /// A unit of a deployment license.
        UNIT = 3,
    }
}

codes! {
    /// What became of a machine of a reservation (rule X2).
    Settled(u8) {
        /// It was committed before.
        ALREADY_COMMITTED = 1,
        /// A unit is spent.
        COMMITTED = 2,
        /// It holds a seat, which covers it.
        COVERED = 3,
        /// It was given a seat.
        ENGAGED = 4,
        /// Its unit is free again.
        GIVEN_BACK = 5,
        /// Nothing was set aside for it.
        NOTHING_RESERVED = 6,
        /// It was refused; the row says why.
        REFUSED = 7,
    }
}

codes! {
    /// What an identity may do.
    Role(u8) {
        /// Before HELLO: nothing but HELLO.
        NONE = 0,
        /// Checks out, renews and releases its own seats.
        AGENT = 1,
        /// Reserves and commits deployments, besides what an agent may.
        DEPLOYER = 2,
        /// Sees everything, changes nothing.
        VIEWER = 3,
        /// Everything.
        ADMINISTRATOR = 4,
    }
}

codes! {
    /// What a license is for.
    Usage(u8) {
        /// Its seats are for machines and come back.
        MACHINE = 1,
        /// Its units are spent by deployments and never come back.
        DEPLOYMENT = 2,
    }
}

codes! {
    /// What an administrator should do something about; what `number` is, and what it is about.
    Warning(u8) {
        /// The disk is full: nothing new is taken. Bytes that are left for everything else.
        DISK_FULL = 1,
        /// Little is left on the disk of the data directory. Free bytes.
        DISK_LOW = 2,
        /// The last checkpoint failed, at that moment: a start takes the longer, the longer that goes on.
        CHECKPOINT_FAILED = 3,
        /// The clock was set back. Seconds.
        CLOCK_SET_BACK = 4,
        /// The clock jumped ahead, and that is not accepted. Seconds.
        CLOCK_JUMPED = 5,
        /// A license ends within 7 days. Days left; product, license and moment.
        LICENSE_ENDS_AT_ONCE = 6,
        /// Nothing of a product is available. How much is in use; product.
        NONE_AVAILABLE = 7,
        /// Seats have a conflict. How many.
        CONFLICTS = 8,
        /// Identities wait for approval. On how many seats.
        IDENTITIES_WAIT = 9,
        /// Vendors have taken licenses back. How many.
        LICENSES_BLACKLISTED = 10,
        /// Others have taken the place of licenses. How many.
        LICENSES_SUPERSEDED = 11,
        /// A license ends within 30 days. Days left; product, license and moment.
        LICENSE_ENDS_SOON = 12,
        /// At least nine in ten of a product are in use. How many are available; product.
        NEARLY_USED_UP = 13,
        /// At least nine in ten connections are taken. How many.
        CONNECTIONS_NEARLY_USED_UP = 14,
        /// The time of licenses is over. How many.
        LICENSES_EXPIRED = 15,
        /// No vendor is trusted: nothing can be imported.
        NO_VENDOR = 16,
        /// No backup was made for long. Days since the last one, or since the first start; when the last one was made.
        NO_RECENT_BACKUP = 17,
        /// A checkpoint was gone or damaged at the last start, and was done without. Its number.
        GENERATION_LOST = 18,
    }
}
