//! Claims about cryptography: whose it is, and where it is used.

use super::tidy::{module_path, packages, sources};

/// What computes with secrets or digests, and which modules may use it. Whoever adds a place argues for it here.
const USERS: [(&str, &[&str]); 6] = [
    ("age", &["cli::args::backup", "cli::backup"]),
    ("crc32c", &["store"]),
    ("ed25519_dalek", &["session::lease", "vendor"]),
    ("rcgen", &["tls"]),
    ("rustls", &["tls"]),
    (
        "sha2",
        &[
            "cli::backup",
            "client::token",
            "session::limiter",
            "session::translate",
            "store",
            "tls",
            "vendor",
        ],
    ),
];

/// Names in packages of algorithms that are broken, or that nothing here needs. age makes keys of secrets with HMAC.
const STRANGERS: [&str; 8] = ["aes", "des", "md-5", "md5", "rc4", "rsa", "sha-1", "sha1"];

fn is_within(module: &[String], place: &str) -> bool {
    let place: Vec<_> = place.split("::").collect();
    module.len() >= place.len() && module.iter().zip(&place).all(|(is, should)| is == should)
}

#[test]
fn cryptography_is_that_of_well_kept_libraries_and_each_is_used_where_it_belongs() {
    let mut faults = Vec::new();
    for (library, places) in USERS {
        let mut used = 0;
        for source in sources("src") {
            let module = module_path(&source.path);
            // `rustls` is a part of `tokio_rustls`, which carries bytes and decides nothing.
            let names = |line: &str| {
                line.match_indices(&format!("{library}::")).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|before| !before.is_alphanumeric() && before != '_')
                })
            };
            let found = source.production().iter().any(|line| names(line));
            used += usize::from(found);
            if found && !places.iter().any(|place| is_within(&module, place)) {
                faults.push(format!("{} uses {library}; only {places:?} may", source.path.display()));
            }
        }
        assert!(used > 0, "nothing uses {library}: take it from the list");
    }
    for package in packages(&["--features", "server,mint"]) {
        if STRANGERS.contains(&package.as_str()) {
            faults.push(format!("package {package} is needed"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
