-- Seatkeeper for Wireshark: discovery over UDP, and the frames inside TLS where there is a key log.
--
-- Fields are named as in proto-spec/registry.md: seatkeeper.MESSAGE.FIELD, e.g. seatkeeper.Checkout.mac. README.md beside this
-- file says how to use it. What stands between the two marks below is made from the code by the test
-- the_dissector_has_the_tables_of_the_code, which also checks it.

-- begin of the tables
local opcodes = {
    [0x0001] = "HELLO",
    [0x0010] = "CHECKOUT",
    [0x0011] = "RENEW",
    [0x0012] = "RELEASE",
    [0x0013] = "AVAILABILITY",
    [0x0014] = "RESERVE",
    [0x0015] = "COMMIT",
    [0x0016] = "ABORT",
    [0x0017] = "RESERVATIONS",
    [0x0018] = "ENROL",
    [0x0020] = "STATUS",
    [0x0021] = "LICENSES",
    [0x0022] = "SEATS",
    [0x0023] = "PRODUCTS",
    [0x0024] = "ADMIN_LIST",
    [0x0025] = "ENROL_TOKENS",
    [0x0026] = "EVENTS",
    [0x0028] = "EXPLAIN",
    [0x0029] = "ENROL_IDENTITIES",
    [0x002a] = "BACKED_UP",
    [0x002f] = "EVENTS_VERIFY",
    [0x0030] = "VENDOR_TRUST",
    [0x0031] = "CATALOGUE_IMPORT",
    [0x0032] = "IMPORT",
    [0x0033] = "LICENSE_REMOVE",
    [0x0034] = "SEAT_END",
    [0x0035] = "ADMIN_ADD",
    [0x0036] = "ADMIN_REMOVE",
    [0x0037] = "BLACKLIST_IMPORT",
    [0x0038] = "BINDING_RESOLVE",
    [0x0039] = "CLOCK_ACCEPT",
    [0x003a] = "CLOCK_RESET",
    [0x003b] = "ENROL_TOKEN_ADD",
    [0x003c] = "ENROL_TOKEN_REVOKE",
    [0x003d] = "ENROL_REMOVE",
    [0x003e] = "RELOAD",
}
local statuses = {
    [0x0000] = "OK",
    [0x0001] = "MALFORMED",
    [0x0002] = "UNSUPPORTED",
    [0x0003] = "OUT_OF_ORDER",
    [0x0004] = "VERSION_MISMATCH",
    [0x0005] = "BUSY",
    [0x0006] = "GOING_AWAY",
    [0x0007] = "SILENCE_LIMIT",
    [0x0008] = "INTERNAL",
    [0x0100] = "NOT_AUTHORIZED",
    [0x0101] = "SLOW_DOWN",
    [0x0102] = "DISK_FULL",
    [0x0103] = "ENROLMENT_REQUIRED",
    [0x0104] = "TOKEN_REFUSED",
    [0x0110] = "AMBIGUOUS_PRODUCT",
    [0x0111] = "UNKNOWN_PRODUCT",
    [0x0112] = "UNKNOWN_COMPONENT",
    [0x0113] = "UNKNOWN_VENDOR",
    [0x0114] = "UNKNOWN_SERIAL",
    [0x0115] = "UNKNOWN_ADMINISTRATOR",
    [0x0116] = "TOO_MANY_VENDORS",
    [0x0117] = "UNKNOWN_RESERVATION",
    [0x0118] = "TOO_MANY_RESERVATIONS",
    [0x0119] = "UNKNOWN_TOKEN",
    [0x011a] = "TOO_MANY_TOKENS",
    [0x011b] = "UNKNOWN_IDENTITY",
    [0x011c] = "NO_CONFIGURATION",
    [0x0120] = "NO_LICENSE",
    [0x0121] = "SEATS_EXHAUSTED",
    [0x0122] = "LICENSE_EXPIRED",
    [0x0123] = "TOO_MANY_COMPONENTS",
    [0x0124] = "DEPLOYMENT_ONLY",
    [0x0125] = "LICENSE_BLACKLISTED",
    [0x0126] = "LICENSE_SUPERSEDED",
    [0x0127] = "REQUIRED_PRODUCT",
    [0x0130] = "IDENTITY_NOT_BOUND",
    [0x0131] = "REBOUND_RECENTLY",
    [0x0132] = "REBIND_PENDING",
    [0x0133] = "CONFLICT",
    [0x0140] = "LICENSE_IN_USE",
    [0x0141] = "LAST_ADMINISTRATOR",
    [0x0142] = "CATALOGUE_NOT_NEWER",
    [0x0143] = "BLACKLIST_NOT_NEWER",
    [0x0144] = "RESERVATION_TAKEN",
    [0x0145] = "RESERVATION_TOO_LARGE",
    [0x0146] = "RESERVATION_TOO_LONG",
    [0x0147] = "NO_JUMP_PENDING",
    [0x0150] = "TEXT_DAMAGED",
    [0x0151] = "BAD_SIGNATURE",
    [0x0152] = "NEEDS_NEWER_SERVER",
    [0x0153] = "KEY_EXPIRED",
    [0x0154] = "SERIAL_TAKEN",
    [0x0155] = "BAD_VENDOR_KEY",
    [0x0156] = "BLACKLISTED",
    [0x0157] = "SUPERSEDED",
    [0x0158] = "NOT_A_RENEWAL",
    [0x0159] = "FEWER_SEATS_THAN_USED",
    [0x015a] = "USAGE_NOT_OFFERED",
}
local codes = {}
codes.Altered = {
    [0x0001] = "PRODUCT",
    [0x0002] = "NAME",
    [0x0003] = "IDLE_DAYS",
    [0x0004] = "SINGLE_USE",
    [0x0005] = "OFFLINE_DAYS",
    [0x0006] = "OFFERS",
    [0x0007] = "REQUIRED",
    [0x0008] = "ON_CONFLICT",
    [0x0009] = "COMPONENT",
    [0x000a] = "COUNTED",
    [0x000b] = "LENIENT",
    [0x000c] = "EPHEMERAL",
}
codes.Check = {
    [0x0001] = "CLOCK",
    [0x0002] = "ENROLMENT",
    [0x0003] = "ROOM",
    [0x0004] = "PACE",
    [0x0005] = "VENDOR",
    [0x0006] = "PRODUCT",
    [0x0007] = "COMPONENT",
    [0x0008] = "COUNTED",
    [0x0009] = "REQUIRED_PRODUCT",
    [0x000a] = "SEAT",
    [0x000b] = "COMPONENTS",
    [0x000c] = "BINDING",
    [0x000d] = "SEAT_LICENSE",
    [0x000e] = "SET_ASIDE",
    [0x000f] = "LICENSES",
    [0x0010] = "LICENSE",
    [0x0011] = "FORMER_SEAT",
    [0x0012] = "HOLDER",
}
codes.ConfigEffect = {
    [0x0001] = "APPLIED",
    [0x0002] = "NEEDS_RESTART",
    [0x0003] = "OVERRULED",
}
codes.ConflictKind = {
    [0x0001] = "ALTERNATING_IDENTITY",
    [0x0002] = "STALE_CONTINUATION",
}
codes.EndCause = {
    [0x0001] = "ADMINISTRATOR",
    [0x0002] = "IDLE",
    [0x0003] = "LICENSE_REMOVED",
    [0x0004] = "RELEASED",
}
codes.EventKind = {
    [0x0001] = "ROLE_GIVEN",
    [0x0002] = "ROLE_TAKEN",
    [0x0003] = "BINDING_FORGOTTEN",
    [0x0004] = "BLACKLIST_IMPORTED",
    [0x0005] = "CATALOGUE_IMPORTED",
    [0x0006] = "TIME_SET",
    [0x0007] = "COMPONENT_ADDED",
    [0x0008] = "COMPONENT_RELEASED",
    [0x0009] = "CONFLICT_SEEN",
    [0x000a] = "DEPLOYMENT_ABORTED",
    [0x000b] = "DEPLOYMENT_COMMITTED",
    [0x000c] = "IDENTITY_APPROVED",
    [0x000d] = "IDENTITY_WAITS",
    [0x000e] = "JUMP_ACCEPTED",
    [0x000f] = "JUMP_PENDING",
    [0x0010] = "JUMP_REJECTED",
    [0x0011] = "LICENSE_IMPORTED",
    [0x0012] = "LICENSE_LISTED",
    [0x0013] = "LICENSE_REMOVED",
    [0x0014] = "IDENTITY_REPLACED",
    [0x0015] = "RESERVATION_ENDED",
    [0x0016] = "RESERVED",
    [0x0017] = "SEAT_ENDED",
    [0x0018] = "SEAT_ENGAGED",
    [0x0019] = "SEAT_MOVED",
    [0x001a] = "SEAT_RENEWED",
    [0x001b] = "SERVER_FOUNDED",
    [0x001c] = "VENDOR_TRUSTED",
    [0x001d] = "TOKEN_ADDED",
    [0x001e] = "TOKEN_REVOKED",
    [0x001f] = "IDENTITY_ENROLLED",
    [0x0020] = "IDENTITY_REMOVED",
    [0x0021] = "REFUSED",
    [0x0022] = "SERVER_RESTORED",
    [0x0023] = "SERVER_IDENTITY_REPLACED",
    [0x0024] = "CONFIG_RELOADED",
    [0x0025] = "BACKED_UP",
    [0x0026] = "BACKED_UP_WITHOUT_IDENTITY",
    [0x0027] = "SEATS_HELD",
    [0x0028] = "MACHINES_RESERVED",
    [0x0029] = "UNITS_RESERVED",
}
codes.Finding = {
    [0x0001] = "PASSED",
    [0x0002] = "DECIDED",
    [0x0003] = "NOTED",
}
codes.ImportOutcome = {
    [0x0001] = "ADDED",
    [0x0002] = "PRESENT",
    [0x0003] = "REFUSED",
}
codes.Kind = {
    [0x0001] = "COMMERCIAL",
    [0x0002] = "SUBSCRIPTION",
    [0x0003] = "TRIAL",
}
codes.LicenseStatus = {
    [0x0001] = "VALID",
    [0x0002] = "EXPIRED",
    [0x0003] = "BLACKLISTED",
    [0x0004] = "SUPERSEDED",
}
codes.Offers = {
    [0x0001] = "MACHINE_FIRST",
    [0x0002] = "DEPLOYMENT_FIRST",
    [0x0003] = "MACHINE_ONLY",
    [0x0004] = "DEPLOYMENT_ONLY",
}
codes.OnConflict = {
    [0x0001] = "FLAG",
    [0x0002] = "REFUSE",
}
codes.Outcome = {
    [0x0001] = "GRANTED",
    [0x0002] = "RENEWED",
    [0x0003] = "ENGAGED_AGAIN",
    [0x0004] = "NOT_COUNTED",
}
codes.ReleaseOutcome = {
    [0x0001] = "COMPONENT_RELEASED",
    [0x0002] = "SEAT_FREED",
    [0x0003] = "NOTHING_HELD",
}
codes.Reserved = {
    [0x0001] = "COVERED",
    [0x0002] = "SEAT",
    [0x0003] = "UNIT",
}
codes.Role = {
    [0x0000] = "NONE",
    [0x0001] = "AGENT",
    [0x0002] = "DEPLOYER",
    [0x0003] = "VIEWER",
    [0x0004] = "ADMINISTRATOR",
}
codes.Settled = {
    [0x0001] = "ALREADY_COMMITTED",
    [0x0002] = "COMMITTED",
    [0x0003] = "COVERED",
    [0x0004] = "ENGAGED",
    [0x0005] = "GIVEN_BACK",
    [0x0006] = "NOTHING_RESERVED",
    [0x0007] = "REFUSED",
}
codes.Usage = {
    [0x0001] = "MACHINE",
    [0x0002] = "DEPLOYMENT",
}
codes.Warning = {
    [0x0001] = "DISK_FULL",
    [0x0002] = "DISK_LOW",
    [0x0003] = "CHECKPOINT_FAILED",
    [0x0004] = "CLOCK_SET_BACK",
    [0x0005] = "CLOCK_JUMPED",
    [0x0006] = "LICENSE_ENDS_AT_ONCE",
    [0x0007] = "NONE_AVAILABLE",
    [0x0008] = "CONFLICTS",
    [0x0009] = "IDENTITIES_WAIT",
    [0x000a] = "LICENSES_BLACKLISTED",
    [0x000b] = "LICENSES_SUPERSEDED",
    [0x000c] = "LICENSE_ENDS_SOON",
    [0x000d] = "NEARLY_USED_UP",
    [0x000e] = "CONNECTIONS_NEARLY_USED_UP",
    [0x000f] = "LICENSES_EXPIRED",
    [0x0010] = "NO_VENDOR",
    [0x0011] = "NO_RECENT_BACKUP",
    [0x0012] = "GENERATION_LOST",
}
local messages = {}
messages.Hello = {
    { 0x0001, "version_min", "u16" },
    { 0x0002, "version_max", "u16" },
    { 0x0003, "client", "text" },
    { 0x0004, "in_flight_max", "u16" },
}
messages.HelloOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "version", "u16" },
    { 0x0003, "server", "bytes16" },
    { 0x0004, "name", "text" },
    { 0x0005, "server_version", "text" },
    { 0x0006, "epoch", "u32" },
    { 0x0007, "body_len_max", "u32" },
    { 0x0008, "in_flight_max", "u16" },
    { 0x0009, "silence_ms", "u32" },
    { 0x000a, "role", "Role" },
    { 0x000b, "succession", "Succession" },
    { 0x000c, "lease_key", "bytes32" },
}
messages.Succession = {
    { 0x0001, "old_spki", "bytes" },
    { 0x0002, "signature", "bytes" },
}
messages.Refusal = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "text", "text" },
    { 0x0003, "used", "u64" },
    { 0x0004, "total", "u64" },
    { 0x0005, "earliest_renew_by", "u64" },
    { 0x0006, "former", "Former" },
    { 0x0007, "retry_secs", "u32" },
    { 0x0008, "until", "u64" },
    { 0x0009, "product", "text" },
    { 0x000a, "component", "text" },
    { 0x000b, "mac", "bytes6" },
    { 0x000c, "serial", "text" },
    { 0x000d, "catalogue_version", "u64" },
    { 0x000e, "version_min", "u16" },
    { 0x000f, "version_max", "u16" },
    { 0x0010, "required_product", "text" },
    { 0x0011, "contact", "text" },
}
messages.Checkout = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
    { 0x0003, "component", "text" },
    { 0x0004, "mac", "bytes6" },
    { 0x0005, "continuation", "u64" },
    { 0x0006, "host_name", "text" },
    { 0x0007, "other_macs", "bytes6" },
    { 0x0008, "os_class", "u16" },
    { 0x0009, "instance", "bytes16" },
    { 0x000a, "cpus", "u16" },
    { 0x000b, "client_time", "u64" },
}
messages.CheckoutOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "outcome", "Outcome" },
    { 0x0003, "catalogue_entry", "bytes" },
    { 0x0004, "serial", "text" },
    { 0x0005, "acquired_at", "u64" },
    { 0x0006, "renew_by", "u64" },
    { 0x0007, "continuation", "u64" },
    { 0x0008, "conflict", "Conflict" },
    { 0x0009, "certificate", "bytes" },
    { 0x000a, "former", "Former" },
    { 0x000b, "counts", "Counts" },
    { 0x000c, "lease", "bytes" },
}
messages.Lease = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
    { 0x0003, "component", "text" },
    { 0x0004, "mac", "bytes6" },
    { 0x0005, "identity", "bytes32" },
    { 0x0006, "server", "bytes16" },
    { 0x0007, "days", "u8" },
    { 0x0008, "client_time", "u64" },
    { 0x0009, "server_time", "u64" },
}
messages.Conflict = {
    { 0x0001, "kind", "ConflictKind" },
    { 0x0002, "since", "u64" },
    { 0x0003, "last_seen", "u64" },
    { 0x0004, "count", "u32" },
}
messages.Former = {
    { 0x0001, "ended_at", "u64" },
    { 0x0002, "cause", "EndCause" },
}
messages.Counts = {
    { 0x0001, "licenses", "u32" },
    { 0x0002, "total", "u64" },
    { 0x0003, "used", "u64" },
    { 0x0004, "free", "u64" },
    { 0x0005, "available", "u64" },
}
messages.Release = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
    { 0x0003, "component", "text" },
    { 0x0004, "mac", "bytes6" },
}
messages.ReleaseOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "outcome", "ReleaseOutcome" },
    { 0x0003, "components_left", "u32" },
}
messages.Availability = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
}
messages.AvailabilityOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "counts", "Counts" },
    { 0x0003, "units", "Counts" },
}
messages.Reserve = {
    { 0x0001, "reservation", "bytes16" },
    { 0x0002, "vendor", "bytes16" },
    { 0x0003, "product", "text" },
    { 0x0004, "secs", "u32" },
    { 0x0005, "macs", "bytes6" },
    { 0x0006, "count", "u32" },
    { 0x0007, "preferred_only", "flag" },
}
messages.ReserveOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "reservation", "ReservationRow" },
}
messages.ReservationRow = {
    { 0x0001, "reservation", "bytes16" },
    { 0x0002, "vendor", "bytes16" },
    { 0x0003, "product", "text" },
    { 0x0004, "product_name", "text" },
    { 0x0005, "reserved_at", "u64" },
    { 0x0006, "lapses_at", "u64" },
    { 0x0007, "by", "bytes32" },
    { 0x0008, "machines", "ReservedRow" },
    { 0x0009, "held", "HeldRow" },
}
messages.ReservedRow = {
    { 0x0001, "mac", "bytes6" },
    { 0x0002, "reserved", "Reserved" },
    { 0x0003, "serial", "text" },
}
messages.HeldRow = {
    { 0x0001, "serial", "text" },
    { 0x0002, "count", "u32" },
}
messages.Commit = {
    { 0x0001, "reservation", "bytes16" },
    { 0x0002, "vendor", "bytes16" },
    { 0x0003, "product", "text" },
    { 0x0004, "macs", "bytes6" },
    { 0x0005, "preferred_only", "flag" },
}
messages.Abort = {
    { 0x0001, "reservation", "bytes16" },
    { 0x0002, "vendor", "bytes16" },
    { 0x0003, "product", "text" },
    { 0x0004, "macs", "bytes6" },
}
messages.SettleOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "rows", "SettledRow" },
    { 0x0003, "text", "text" },
}
messages.SettledRow = {
    { 0x0001, "mac", "bytes6" },
    { 0x0002, "outcome", "Settled" },
    { 0x0003, "serial", "text" },
    { 0x0004, "status", "Status" },
}
messages.Reservations = {
    { 0x0001, "after", "bytes16" },
    { 0x0002, "limit", "u16" },
}
messages.ReservationsOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "more", "flag" },
    { 0x0003, "rows", "ReservationRow" },
}
messages.Enrol = {
    { 0x0001, "secret", "bytes20" },
}
messages.EnrolOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "label", "text" },
}
messages.Status = {
}
messages.StatusOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "name", "text" },
    { 0x0003, "server_version", "text" },
    { 0x0004, "uptime_secs", "u64" },
    { 0x0005, "server", "bytes16" },
    { 0x0006, "epoch", "u32" },
    { 0x0007, "founded_at", "u64" },
    { 0x0008, "products", "u32" },
    { 0x0009, "licenses", "u32" },
    { 0x000a, "licenses_expired", "u32" },
    { 0x000b, "seats", "u64" },
    { 0x000c, "conflicts", "u64" },
    { 0x000d, "admins", "u32" },
    { 0x000e, "vendors", "VendorRow" },
    { 0x000f, "licenses_blacklisted", "u32" },
    { 0x0010, "licenses_superseded", "u32" },
    { 0x0011, "waiting", "u64" },
    { 0x0012, "reservations", "u32" },
    { 0x0013, "clock", "ClockRow" },
    { 0x0014, "disk_left", "u64" },
    { 0x0015, "enrolment", "flag" },
    { 0x0016, "approval", "flag" },
    { 0x0017, "checkpoint", "CheckpointRow" },
    { 0x0018, "disk", "DiskRow" },
    { 0x0019, "connections", "u32" },
    { 0x001a, "connections_max", "u32" },
    { 0x001b, "ending", "EndingRow" },
    { 0x001c, "scarce", "ScarceRow" },
    { 0x001d, "warnings", "WarningRow" },
    { 0x001e, "backup", "BackupRow" },
}
messages.ClockRow = {
    { 0x0001, "mark", "u64" },
    { 0x0002, "set_back_secs", "u64" },
    { 0x0003, "jump_secs", "u64" },
    { 0x0004, "accepted_in_secs", "u64" },
}
messages.CheckpointRow = {
    { 0x0001, "generation", "u64" },
    { 0x0002, "made_at", "u64" },
    { 0x0003, "failed_at", "u64" },
    { 0x0004, "failure", "text" },
}
messages.DiskRow = {
    { 0x0001, "free", "u64" },
    { 0x0002, "total", "u64" },
    { 0x0003, "data", "u64" },
    { 0x0004, "journal", "u64" },
}
messages.BackupRow = {
    { 0x0001, "made_at", "u64" },
    { 0x0002, "round", "u64" },
    { 0x0003, "bytes", "u64" },
    { 0x0004, "identities", "flag" },
}
messages.EndingRow = {
    { 0x0001, "serial", "text" },
    { 0x0002, "vendor", "bytes16" },
    { 0x0003, "product", "text" },
    { 0x0004, "product_name", "text" },
    { 0x0005, "kind", "Kind" },
    { 0x0006, "usage", "Usage" },
    { 0x0007, "seats", "u32" },
    { 0x0008, "ends_at", "u64" },
    { 0x0009, "days_left", "u32" },
    { 0x000a, "licenses", "u32" },
}
messages.ScarceRow = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
    { 0x0003, "product_name", "text" },
    { 0x0004, "usage", "Usage" },
    { 0x0005, "used", "u64" },
    { 0x0006, "available", "u64" },
}
messages.WarningRow = {
    { 0x0001, "code", "Warning" },
    { 0x0002, "number", "u64" },
    { 0x0003, "vendor", "bytes16" },
    { 0x0004, "product", "text" },
    { 0x0005, "serial", "text" },
    { 0x0006, "at", "u64" },
}
messages.VendorRow = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "public_key", "bytes32" },
    { 0x0003, "trusted_at", "u64" },
    { 0x0004, "name", "text" },
    { 0x0005, "catalogue_version", "u64" },
}
messages.Licenses = {
    { 0x0001, "after", "text" },
    { 0x0002, "limit", "u16" },
}
messages.LicensesOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "more", "flag" },
    { 0x0003, "rows", "LicenseRow" },
}
messages.LicenseRow = {
    { 0x0001, "serial", "text" },
    { 0x0002, "vendor", "bytes16" },
    { 0x0003, "vendor_name", "text" },
    { 0x0004, "product", "text" },
    { 0x0005, "product_name", "text" },
    { 0x0006, "imported_at", "u64" },
    { 0x0007, "issued_at", "u64" },
    { 0x0008, "ends_at", "u64" },
    { 0x0009, "total", "u32" },
    { 0x000a, "used", "u32" },
    { 0x000b, "free", "u32" },
    { 0x000c, "available", "u32" },
    { 0x000d, "kind", "Kind" },
    { 0x000e, "usage", "Usage" },
    { 0x000f, "status", "LicenseStatus" },
    { 0x0010, "auto_renew", "flag" },
    { 0x0011, "support_until_day", "u32" },
    { 0x0012, "days_left", "u32" },
}
messages.Seats = {
    { 0x0001, "after", "SeatName" },
    { 0x0002, "limit", "u16" },
    { 0x0003, "mac", "bytes6" },
    { 0x0004, "product", "text" },
}
messages.SeatsOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "more", "flag" },
    { 0x0003, "rows", "SeatRow" },
}
messages.SeatName = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
    { 0x0003, "mac", "bytes6" },
}
messages.SeatRow = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
    { 0x0003, "product_name", "text" },
    { 0x0004, "mac", "bytes6" },
    { 0x0005, "serial", "text" },
    { 0x0006, "acquired_at", "u64" },
    { 0x0007, "renewed_at", "u64" },
    { 0x0008, "renew_by", "u64" },
    { 0x0009, "single_use", "flag" },
    { 0x000a, "host_name", "text" },
    { 0x000b, "address", "address" },
    { 0x000c, "other_macs", "bytes6" },
    { 0x000d, "components", "Holder" },
}
messages.Holder = {
    { 0x0001, "component", "text" },
    { 0x0002, "identity", "bytes32" },
    { 0x0003, "rebound_at", "u64" },
    { 0x0004, "conflict", "Conflict" },
    { 0x0005, "waiting", "Waiting" },
}
messages.Waiting = {
    { 0x0001, "identity", "bytes32" },
    { 0x0002, "since", "u64" },
}
messages.Products = {
    { 0x0001, "after", "ProductName" },
    { 0x0002, "limit", "u16" },
}
messages.ProductsOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "more", "flag" },
    { 0x0003, "rows", "ProductRow" },
}
messages.ProductName = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
}
messages.ProductRow = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "vendor_name", "text" },
    { 0x0003, "product", "text" },
    { 0x0004, "product_name", "text" },
    { 0x0005, "idle_days", "u16" },
    { 0x0006, "single_use", "flag" },
    { 0x0007, "counts", "Counts" },
    { 0x0008, "components", "ComponentRow" },
    { 0x0009, "units", "Counts" },
    { 0x000a, "offline_days", "u16" },
    { 0x000b, "offers", "Offers" },
    { 0x000c, "on_conflict", "OnConflict" },
    { 0x000d, "required", "text" },
}
messages.ComponentRow = {
    { 0x0001, "component", "text" },
    { 0x0002, "counted", "flag" },
    { 0x0003, "lenient", "flag" },
    { 0x0004, "ephemeral", "flag" },
}
messages.AdminList = {
    { 0x0001, "after", "bytes32" },
    { 0x0002, "limit", "u16" },
}
messages.AdminListOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "more", "flag" },
    { 0x0003, "rows", "AdminRow" },
}
messages.AdminRow = {
    { 0x0001, "fingerprint", "bytes32" },
    { 0x0002, "role", "Role" },
    { 0x0003, "label", "text" },
    { 0x0004, "added_at", "u64" },
}
messages.Explain = {
    { 0x0001, "vendor", "bytes16" },
    { 0x0002, "product", "text" },
    { 0x0003, "component", "text" },
    { 0x0004, "mac", "bytes6" },
    { 0x0005, "identity", "bytes32" },
    { 0x0006, "continuation", "u64" },
}
messages.ExplainOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "component", "text" },
    { 0x0003, "identity", "bytes32" },
    { 0x0004, "steps", "ExplainStep" },
    { 0x0005, "status", "Status" },
    { 0x0006, "outcome", "Outcome" },
    { 0x0007, "serial", "text" },
    { 0x0008, "text", "text" },
    { 0x0009, "remedy", "text" },
    { 0x000a, "refused_at", "u64" },
}
messages.ExplainStep = {
    { 0x0001, "rule", "text" },
    { 0x0002, "check", "Check" },
    { 0x0003, "finding", "Finding" },
    { 0x0004, "text", "text" },
    { 0x0005, "serial", "text" },
    { 0x0006, "mac", "bytes6" },
    { 0x0007, "at", "u64" },
}
messages.EnrolTokens = {
    { 0x0001, "after", "bytes32" },
    { 0x0002, "limit", "u16" },
}
messages.EnrolTokensOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "more", "flag" },
    { 0x0003, "rows", "TokenRow" },
}
messages.TokenRow = {
    { 0x0001, "hash", "bytes32" },
    { 0x0002, "label", "text" },
    { 0x0003, "created_at", "u64" },
    { 0x0004, "expires_at", "u64" },
    { 0x0005, "uses_left", "u32" },
    { 0x0006, "enrolled", "u32" },
    { 0x0007, "identities", "u32" },
    { 0x0008, "last_used_at", "u64" },
    { 0x0009, "revoked_at", "u64" },
}
messages.EnrolIdentities = {
    { 0x0001, "after", "bytes32" },
    { 0x0002, "limit", "u16" },
}
messages.EnrolIdentitiesOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "more", "flag" },
    { 0x0003, "rows", "EnrolledRow" },
}
messages.EnrolledRow = {
    { 0x0001, "identity", "bytes32" },
    { 0x0002, "token", "bytes8" },
    { 0x0003, "enrolled_at", "u64" },
    { 0x0004, "revoked_at", "u64" },
}
messages.Events = {
    { 0x0001, "since", "u64" },
    { 0x0002, "until", "u64" },
    { 0x0003, "mac", "bytes6" },
    { 0x0004, "product", "text" },
    { 0x0005, "kinds", "EventKind" },
    { 0x0006, "identity", "bytes32" },
    { 0x0007, "by_server", "flag" },
    { 0x0008, "newest_first", "flag" },
    { 0x0009, "after", "EventPlace" },
    { 0x000a, "limit", "u16" },
}
messages.EventsOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "through", "u64" },
    { 0x0003, "more", "flag" },
    { 0x0004, "next", "EventPlace" },
    { 0x0005, "rows", "EventRow" },
    { 0x0006, "gaps", "Gap" },
}
messages.EventPlace = {
    { 0x0001, "round", "u64" },
    { 0x0002, "index", "u32" },
}
messages.EventRow = {
    { 0x0001, "place", "EventPlace" },
    { 0x0002, "at", "u64" },
    { 0x0003, "kind", "EventKind" },
    { 0x0004, "identity", "bytes32" },
    { 0x0005, "address", "address" },
    { 0x0006, "vendor", "bytes16" },
    { 0x0007, "product", "text" },
    { 0x0008, "mac", "bytes6" },
    { 0x0009, "host_name", "text" },
    { 0x000a, "component", "text" },
    { 0x000b, "serial", "text" },
    { 0x000c, "serial_before", "text" },
    { 0x000d, "subject", "bytes32" },
    { 0x000e, "subject_before", "bytes32" },
    { 0x000f, "role", "Role" },
    { 0x0010, "reason", "text" },
    { 0x0011, "cause", "EndCause" },
    { 0x0012, "conflict", "ConflictKind" },
    { 0x0013, "listed", "LicenseStatus" },
    { 0x0014, "status", "Status" },
    { 0x0015, "count", "u32" },
    { 0x0016, "again", "flag" },
    { 0x0017, "lapsed", "flag" },
    { 0x0018, "spent", "flag" },
    { 0x0019, "reservation", "bytes16" },
    { 0x001a, "token", "bytes8" },
    { 0x001b, "server", "bytes16" },
    { 0x001c, "version", "u64" },
    { 0x001d, "from", "u64" },
    { 0x001e, "to", "u64" },
    { 0x001f, "jump_secs", "u64" },
    { 0x0020, "lacked", "u32" },
}
messages.Gap = {
    { 0x0001, "file", "text" },
    { 0x0002, "byte", "u64" },
    { 0x0003, "what", "text" },
    { 0x0004, "after", "u64" },
}
messages.EventsVerify = {
    { 0x0001, "after", "u64" },
    { 0x0002, "newest_only", "flag" },
    { 0x0003, "round", "u64" },
}
messages.EventsVerifyOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "through", "u64" },
    { 0x0003, "more", "flag" },
    { 0x0004, "rows", "SegmentRow" },
}
messages.SegmentRow = {
    { 0x0001, "number", "u64" },
    { 0x0002, "file", "text" },
    { 0x0003, "span", "Span" },
    { 0x0004, "rounds", "u64" },
    { 0x0005, "events", "u64" },
    { 0x0006, "hash_of_round", "bytes32" },
    { 0x0007, "gaps", "Gap" },
    { 0x0008, "time_of_round", "u64" },
}
messages.Span = {
    { 0x0001, "first", "u64" },
    { 0x0002, "before", "bytes32" },
    { 0x0003, "first_at", "u64" },
    { 0x0004, "last", "u64" },
    { 0x0005, "hash", "bytes32" },
    { 0x0006, "last_at", "u64" },
}
messages.VendorTrust = {
    { 0x0001, "public_key", "bytes32" },
}
messages.Done = {
    { 0x0001, "server_time", "u64" },
}
messages.CatalogueImport = {
    { 0x0001, "catalogue", "bytes" },
    { 0x0002, "dry_run", "flag" },
}
messages.CatalogueImportOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "products", "u32" },
    { 0x0003, "effects", "Effect" },
    { 0x0004, "more", "flag" },
}
messages.Effect = {
    { 0x0001, "product", "text" },
    { 0x0002, "component", "text" },
    { 0x0003, "what", "Altered" },
    { 0x0004, "before", "text" },
    { 0x0005, "after", "text" },
    { 0x0006, "seats", "u64" },
    { 0x0007, "licenses", "u64" },
}
messages.BlacklistImport = {
    { 0x0001, "list", "bytes" },
    { 0x0002, "dry_run", "flag" },
}
messages.BlacklistImportOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "serials", "u32" },
    { 0x0003, "licenses", "u32" },
    { 0x0004, "used", "u64" },
}
messages.BindingResolve = {
    { 0x0001, "mac", "bytes6" },
    { 0x0002, "vendor", "bytes16" },
    { 0x0003, "product", "text" },
}
messages.BindingResolveOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "components", "u32" },
}
messages.ClockAccept = {
}
messages.ClockReset = {
}
messages.BackedUp = {
    { 0x0001, "made_at", "u64" },
    { 0x0002, "round", "u64" },
    { 0x0003, "bytes", "u64" },
    { 0x0004, "identities", "flag" },
}
messages.Import = {
    { 0x0001, "keys", "text" },
    { 0x0002, "dry_run", "flag" },
}
messages.ImportOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "rows", "ImportRow" },
}
messages.ImportRow = {
    { 0x0001, "index", "u16" },
    { 0x0002, "outcome", "ImportOutcome" },
    { 0x0003, "serial", "text" },
    { 0x0004, "vendor", "bytes16" },
    { 0x0005, "product", "text" },
    { 0x0006, "seats", "u32" },
    { 0x0007, "status", "Status" },
    { 0x0008, "text", "text" },
    { 0x0009, "renewal", "flag" },
}
messages.LicenseRemove = {
    { 0x0001, "serial", "text" },
    { 0x0002, "end_seats", "flag" },
}
messages.LicenseRemoveOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "seats_ended", "u32" },
    { 0x0003, "seats_moved", "u32" },
    { 0x0004, "spent", "u32" },
    { 0x0005, "dropped", "u32" },
}
messages.SeatEnd = {
    { 0x0001, "mac", "bytes6" },
    { 0x0002, "vendor", "bytes16" },
    { 0x0003, "product", "text" },
    { 0x0004, "component", "text" },
    { 0x0005, "reason", "text" },
}
messages.AdminAdd = {
    { 0x0001, "fingerprint", "bytes32" },
    { 0x0002, "role", "Role" },
    { 0x0003, "label", "text" },
}
messages.AdminRemove = {
    { 0x0001, "fingerprint", "bytes32" },
}
messages.EnrolTokenAdd = {
    { 0x0001, "hash", "bytes32" },
    { 0x0002, "label", "text" },
    { 0x0003, "secs", "u32" },
    { 0x0004, "uses", "u32" },
}
messages.EnrolTokenAddOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "token", "TokenRow" },
}
messages.EnrolTokenRevoke = {
    { 0x0001, "token", "bytes8" },
    { 0x0002, "also_identities", "flag" },
}
messages.EnrolTokenRevokeOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "identities", "u32" },
    { 0x0003, "more", "flag" },
}
messages.EnrolRemove = {
    { 0x0001, "identity", "bytes32" },
}
messages.Reload = {
    { 0x0001, "dry_run", "flag" },
}
messages.ReloadOk = {
    { 0x0001, "server_time", "u64" },
    { 0x0002, "file", "text" },
    { 0x0003, "wrong", "text" },
    { 0x0004, "rows", "ConfigRow" },
}
messages.ConfigRow = {
    { 0x0001, "key", "text" },
    { 0x0002, "before", "text" },
    { 0x0003, "after", "text" },
    { 0x0004, "effect", "ConfigEffect" },
    { 0x0005, "by", "text" },
}
local nested = {}
nested.Succession = true
nested.Lease = true
nested.Conflict = true
nested.Former = true
nested.Counts = true
nested.ReservationRow = true
nested.ReservedRow = true
nested.HeldRow = true
nested.SettledRow = true
nested.ClockRow = true
nested.CheckpointRow = true
nested.DiskRow = true
nested.BackupRow = true
nested.EndingRow = true
nested.ScarceRow = true
nested.WarningRow = true
nested.VendorRow = true
nested.LicenseRow = true
nested.SeatName = true
nested.SeatRow = true
nested.Holder = true
nested.Waiting = true
nested.ProductName = true
nested.ProductRow = true
nested.ComponentRow = true
nested.AdminRow = true
nested.ExplainStep = true
nested.TokenRow = true
nested.EnrolledRow = true
nested.EventPlace = true
nested.EventRow = true
nested.Gap = true
nested.SegmentRow = true
nested.Span = true
nested.Effect = true
nested.ImportRow = true
nested.ConfigRow = true
local requests = {
    [0x0001] = "Hello",
    [0x0010] = "Checkout",
    [0x0011] = "Checkout",
    [0x0012] = "Release",
    [0x0013] = "Availability",
    [0x0014] = "Reserve",
    [0x0015] = "Commit",
    [0x0016] = "Abort",
    [0x0017] = "Reservations",
    [0x0018] = "Enrol",
    [0x0020] = "Status",
    [0x0021] = "Licenses",
    [0x0022] = "Seats",
    [0x0023] = "Products",
    [0x0024] = "AdminList",
    [0x0025] = "EnrolTokens",
    [0x0026] = "Events",
    [0x0028] = "Explain",
    [0x0029] = "EnrolIdentities",
    [0x002a] = "BackedUp",
    [0x002f] = "EventsVerify",
    [0x0030] = "VendorTrust",
    [0x0031] = "CatalogueImport",
    [0x0032] = "Import",
    [0x0033] = "LicenseRemove",
    [0x0034] = "SeatEnd",
    [0x0035] = "AdminAdd",
    [0x0036] = "AdminRemove",
    [0x0037] = "BlacklistImport",
    [0x0038] = "BindingResolve",
    [0x0039] = "ClockAccept",
    [0x003a] = "ClockReset",
    [0x003b] = "EnrolTokenAdd",
    [0x003c] = "EnrolTokenRevoke",
    [0x003d] = "EnrolRemove",
    [0x003e] = "Reload",
}
local replies = {
    [0x0001] = "HelloOk",
    [0x0010] = "CheckoutOk",
    [0x0011] = "CheckoutOk",
    [0x0012] = "ReleaseOk",
    [0x0013] = "AvailabilityOk",
    [0x0014] = "ReserveOk",
    [0x0015] = "SettleOk",
    [0x0016] = "SettleOk",
    [0x0017] = "ReservationsOk",
    [0x0018] = "EnrolOk",
    [0x0020] = "StatusOk",
    [0x0021] = "LicensesOk",
    [0x0022] = "SeatsOk",
    [0x0023] = "ProductsOk",
    [0x0024] = "AdminListOk",
    [0x0025] = "EnrolTokensOk",
    [0x0026] = "EventsOk",
    [0x0028] = "ExplainOk",
    [0x0029] = "EnrolIdentitiesOk",
    [0x002a] = "Done",
    [0x002f] = "EventsVerifyOk",
    [0x0030] = "Done",
    [0x0031] = "CatalogueImportOk",
    [0x0032] = "ImportOk",
    [0x0033] = "LicenseRemoveOk",
    [0x0034] = "ReleaseOk",
    [0x0035] = "Done",
    [0x0036] = "Done",
    [0x0037] = "BlacklistImportOk",
    [0x0038] = "BindingResolveOk",
    [0x0039] = "Done",
    [0x003a] = "Done",
    [0x003b] = "EnrolTokenAddOk",
    [0x003c] = "EnrolTokenRevokeOk",
    [0x003d] = "Done",
    [0x003e] = "ReloadOk",
}
-- end of the tables

local MAGIC = "SEATKEEP"
local HEADER_LEN = 12
local BODY_LEN_MAX = 65536
local REPLY = 0x8000
local DEPTH_MAX = 8

local seatkeeper = Proto("seatkeeper", "Seatkeeper")
seatkeeper.prefs.port = Pref.uint("Port", 17328, "The port of the site's servers, UDP and TCP")

local f = {}
local fields = {}

local function field(abbreviation, make)
    f[abbreviation] = make
    fields[#fields + 1] = make
    return make
end

-- Which kind of field shows a type of the registry.
local function made(kind, abbreviation, name)
    local full = "seatkeeper." .. abbreviation
    if kind == "u8" then return ProtoField.uint8(full, name)
    elseif kind == "u16" then return ProtoField.uint16(full, name)
    elseif kind == "u32" then return ProtoField.uint32(full, name)
    elseif kind == "u64" then return ProtoField.uint64(full, name)
    elseif kind == "flag" then return ProtoField.bool(full, name)
    elseif kind == "text" then return ProtoField.string(full, name)
    elseif kind == "address" then return ProtoField.string(full, name)
    elseif kind == "bytes6" then return ProtoField.ether(full, name)
    elseif kind == "Status" then return ProtoField.uint16(full, name, base.HEX, statuses)
    elseif codes[kind] then return ProtoField.uint8(full, name, base.HEX, codes[kind])
    elseif nested[kind] then return ProtoField.none(full, name)
    else return ProtoField.bytes(full, name)
    end
end

for message, rows in pairs(messages) do
    for _, row in ipairs(rows) do
        local abbreviation = message .. "." .. row[2]
        field(abbreviation, made(row[3], abbreviation, row[2]))
    end
end

local datagram = {
    { "magic", "text", 8 }, { "version", "u8", 1 }, { "kind", "kind", 1 }, { "flags", "u16", 2 }, { "nonce", "bytes16", 16 },
}
local wanted = { { "question.vendor", "bytes16", 16 }, { "question.product", "text", 24 } }
local offer = {
    { "offer.server", "bytes16", 16 }, { "offer.fingerprint", "bytes32", 32 }, { "offer.port", "u16", 2 },
    { "offer.epoch", "u32", 4 }, { "offer.priority", "u16", 2 }, { "offer.server_time", "u64", 8 },
    { "offer.version_min", "u16", 2 }, { "offer.version_max", "u16", 2 },
}
local kinds = { [1] = "question", [2] = "offer" }
for _, places in ipairs({ datagram, wanted, offer }) do
    for _, place in ipairs(places) do
        if place[2] == "kind" then
            field(place[1], ProtoField.uint8("seatkeeper." .. place[1], place[1], base.DEC, kinds))
        else
            field(place[1], made(place[2], place[1], place[1]:match("[^.]+$")))
        end
    end
end
field("offer.name", ProtoField.string("seatkeeper.offer.name", "name"))
field("offer.server_version", ProtoField.string("seatkeeper.offer.server_version", "server_version"))
field("question.padding", ProtoField.bytes("seatkeeper.question.padding", "padding"))

local named_opcodes = { [REPLY] = "PARTING" }
for code, name in pairs(opcodes) do
    named_opcodes[code] = name
    named_opcodes[code + REPLY] = name .. " reply"
end
field("body_length", ProtoField.uint32("seatkeeper.body_length", "body_length"))
field("opcode", ProtoField.uint16("seatkeeper.opcode", "opcode", base.HEX, named_opcodes))
field("status", ProtoField.uint16("seatkeeper.status", "status", base.HEX, statuses))
field("request_id", ProtoField.uint32("seatkeeper.request_id", "request_id"))
field("tag", ProtoField.uint16("seatkeeper.tag", "tag", base.HEX))
field("unknown", ProtoField.bytes("seatkeeper.unknown", "unknown"))
seatkeeper.fields = fields

local malformed = ProtoExpert.new("seatkeeper.malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR)
local refused = ProtoExpert.new("seatkeeper.refused", "Refused", expert.group.RESPONSE_CODE, expert.severity.NOTE)
seatkeeper.experts = { malformed, refused }

local lengths = { u8 = 1, u16 = 2, u32 = 4, u64 = 8, flag = 1, bytes6 = 6, bytes8 = 8, bytes16 = 16, bytes32 = 32, Status = 2 }

local function is_time(name)
    return name:match("_at$") or name:match("_time$") or name:match("renew_by$") or name == "at" or name == "since"
        or name == "until" or name == "last_seen" or name == "mark"
end

local function date(value)
    local secs = value:tonumber()
    if secs > 253402300799 then return "" end
    return os.date("! (%Y-%m-%d %H:%M:%S UTC)", secs)
end

-- The fields of a body, or of a field that has fields.
local function body(tree, range, message, depth)
    local at = 0
    while at < range:len() do
        if range:len() - at < 4 or range:len() - at - 4 < range(at + 2, 2):uint() then
            tree:add_proto_expert_info(malformed, "the bytes end inside a field")
            return
        end
        local tag, len = range(at, 2):uint(), range(at + 2, 2):uint()
        local whole = range(at, 4 + len)
        local row
        for _, one in ipairs(messages[message] or {}) do
            if one[1] == tag then row = one end
        end
        local abbreviation = row and (message .. "." .. row[2])
        local kind = row and row[3]
        local item
        if not row then
            item = tree:add(f["unknown"], len > 0 and range(at + 4, len) or whole)
        elseif nested[kind] and depth < DEPTH_MAX then
            item = tree:add(f[abbreviation], whole)
            if len > 0 then body(item, range(at + 4, len), kind, depth + 1) end
        elseif kind == "address" then
            item = tree:add(f[abbreviation], whole, "")
            if len == 4 then
                item:append_text(tostring(range(at + 4, len):ipv4()))
            elseif len == 16 then
                item:append_text(tostring(range(at + 4, len):ipv6()))
            else
                item:add_proto_expert_info(malformed, row[2] .. ": neither 4 nor 16 bytes")
            end
        elseif kind == "text" then
            item = tree:add(f[abbreviation], whole, len > 0 and range(at + 4, len):string(ENC_UTF_8) or "")
        elseif (lengths[kind] or (codes[kind] and 1) or len) ~= len then
            item = tree:add(f["unknown"], whole)
            item:add_proto_expert_info(malformed, row[2] .. ": " .. len .. " bytes")
        elseif len == 0 then
            item = tree:add(f["unknown"], whole)
        else
            item = tree:add(f[abbreviation], range(at + 4, len))
            if kind == "u64" and is_time(row[2]) then item:append_text(date(range(at + 4, len):uint64())) end
        end
        item:add(f["tag"], range(at, 2)):set_hidden(true)
        at = at + 4 + len
    end
end

-- Which message a frame's body is.
local function message_of(opcode, status)
    if opcode == REPLY or (opcode > REPLY and status ~= 0) then return "Refusal" end
    if opcode > REPLY then return replies[opcode - REPLY] end
    return requests[opcode]
end

local function frame(tree, range, pinfo)
    local opcode, status = range(4, 2):uint(), range(6, 2):uint()
    local name = named_opcodes[opcode] or string.format("opcode 0x%04x", opcode)
    local told = status == 0 and name or (name .. " " .. (statuses[status] or string.format("status 0x%04x", status)))
    local item = tree:add(seatkeeper, range, "Seatkeeper " .. told)
    item:add(f["body_length"], range(0, 4))
    item:add(f["opcode"], range(4, 2))
    item:add(f["status"], range(6, 2))
    item:add(f["request_id"], range(8, 4))
    if status ~= 0 then item:add_proto_expert_info(refused, told) end
    if range:len() > HEADER_LEN then
        body(item, range(HEADER_LEN), message_of(opcode, status), 0)
    end
    return told
end

local function frames(buffer, pinfo, tree)
    local at, told = 0, {}
    pinfo.cols.protocol = "SEATKEEPER"
    while at < buffer:len() do
        local left = buffer:len() - at
        if left < HEADER_LEN then
            pinfo.desegment_offset, pinfo.desegment_len = at, DESEGMENT_ONE_MORE_SEGMENT
            break
        end
        local len = buffer(at, 4):uint()
        if len > BODY_LEN_MAX then
            tree:add(seatkeeper, buffer(at)):add_proto_expert_info(malformed, "a body of " .. len .. " bytes is too long")
            break
        end
        if left < HEADER_LEN + len then
            pinfo.desegment_offset, pinfo.desegment_len = at, HEADER_LEN + len - left
            break
        end
        told[#told + 1] = frame(tree, buffer(at, HEADER_LEN + len), pinfo)
        at = at + HEADER_LEN + len
    end
    if #told > 0 then pinfo.cols.info = table.concat(told, ", ") end
    return buffer:len()
end

-- Fields at fixed places; how far they go.
local function places(tree, buffer, at, list)
    for _, place in ipairs(list) do
        if buffer:len() < at + place[3] then
            tree:add_proto_expert_info(malformed, "the bytes end inside " .. place[1])
            return nil
        end
        local range = buffer(at, place[3])
        if place[2] == "text" then
            tree:add(f[place[1]], range, range:stringz(ENC_UTF_8))
        else
            local item = tree:add(f[place[1]], range)
            if place[1] == "offer.server_time" then item:append_text(date(range:uint64())) end
        end
        at = at + place[3]
    end
    return at
end

local function discovery(buffer, pinfo, tree)
    if buffer:len() < #MAGIC or buffer(0, #MAGIC):string() ~= MAGIC then return 0 end
    pinfo.cols.protocol = "SEATKEEPER"
    local item = tree:add(seatkeeper, buffer())
    local at = places(item, buffer, 0, datagram)
    if not at then return buffer:len() end
    local kind, flags = buffer(9, 1):uint(), buffer(10, 2):uint()
    pinfo.cols.info = "Seatkeeper " .. (kinds[kind] or ("kind " .. kind))
    item:append_text(" " .. (kinds[kind] or ("kind " .. kind)))
    if kind == 1 then
        if buffer:len() ~= 512 then item:add_proto_expert_info(malformed, "a question is not of 512 bytes") end
        if flags % 2 == 1 then at = places(item, buffer, at, wanted) end
        if at and at < buffer:len() then item:add(f["question.padding"], buffer(at)) end
    elseif kind == 2 then
        at = places(item, buffer, at, offer)
        for _, name in ipairs({ "offer.name", "offer.server_version" }) do
            if not at then break end
            local len = at < buffer:len() and buffer(at, 1):uint() or 0
            if buffer:len() < at + 1 + len then
                item:add_proto_expert_info(malformed, "the bytes end inside " .. name)
                break
            end
            item:add(f[name], buffer(at, 1 + len), len > 0 and buffer(at + 1, len):string(ENC_UTF_8) or "")
            if name == "offer.name" and len > 0 then
                pinfo.cols.info = "Seatkeeper offer of " .. buffer(at + 1, len):string(ENC_UTF_8)
            end
            at = at + 1 + len
        end
    end
    return buffer:len()
end

function seatkeeper.dissector(buffer, pinfo, tree)
    if pinfo.port_type == 3 then return discovery(buffer, pinfo, tree) end
    return frames(buffer, pinfo, tree)
end

local registered
local function register()
    local port = seatkeeper.prefs.port
    if registered == port then return end
    if registered then
        DissectorTable.get("udp.port"):remove(registered, seatkeeper)
        DissectorTable.get("tls.port"):remove(registered, seatkeeper)
    end
    DissectorTable.get("udp.port"):add(port, seatkeeper)
    DissectorTable.get("tls.port"):add(port, seatkeeper)
    registered = port
end
register()
function seatkeeper.prefs_changed() register() end
