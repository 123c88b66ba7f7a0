//! What the vendors of the histories sell.

use crate::random::Random;
use crate::words::{Component, DAY, Product, ProductKey, Usage, Vendor};

use Usage::{Deployment, Machine};

/// Enough components to find out how many a seat can have.
pub(super) const PARTS: [&str; 66] = [
    "p00", "p01", "p02", "p03", "p04", "p05", "p06", "p07", "p08", "p09", "p10", "p11", "p12", "p13", "p14", "p15",
    "p16", "p17", "p18", "p19", "p20", "p21", "p22", "p23", "p24", "p25", "p26", "p27", "p28", "p29", "p30", "p31",
    "p32", "p33", "p34", "p35", "p36", "p37", "p38", "p39", "p40", "p41", "p42", "p43", "p44", "p45", "p46", "p47",
    "p48", "p49", "p50", "p51", "p52", "p53", "p54", "p55", "p56", "p57", "p58", "p59", "p60", "p61", "p62", "p63",
    "p64", "p65",
];

/// The products of a vendor, with the vendor that nobody trusts.
pub(super) const PRODUCTS: [ProductKey; 11] = [
    key(1, "SERVER"),
    key(1, "WORK"),
    key(1, "FOREVER"),
    key(1, "WIPE"),
    key(1, "ADDON"),
    key(1, "STRICT"),
    key(1, "ROLL"),
    key(1, "IMAGE"),
    key(2, "SERVER"),
    key(2, "DUAL"),
    key(3, "SERVER"),
];

const fn key(vendor: Vendor, id: &'static str) -> ProductKey {
    ProductKey { vendor, id }
}

/// The first catalogue of a vendor.
///
/// `WORK`, `STRICT`, `ROLL` and `DUAL` idle out after a day, a week, 30 days and a day, `FOREVER` never; `WIPE` is single
/// use; `ADDON` requires `SERVER`; `STRICT` refuses conflicts; `SERVER` and `ADDON` come as machine and deployment
/// licenses, `ROLL` and `DUAL` with the deployment license first, `IMAGE` as deployment license alone.
#[must_use]
pub fn base_catalogue(vendor: Vendor) -> Vec<Product> {
    let product = |id: &'static str, idle_days: u64, offers: &[Usage]| Product {
        key: key(vendor, id),
        idle_secs: (idle_days > 0).then_some(idle_days * DAY),
        single_use: id == "WIPE",
        offers: offers.to_vec(),
        required: (id == "ADDON").then_some("SERVER"),
        refuse_conflicts: id == "STRICT",
        offline_days: offline_days(id),
        components: components(id),
    };
    match vendor {
        1 => vec![
            product("ADDON", 30, &[Machine, Deployment]),
            product("FOREVER", 0, &[Machine]),
            product("IMAGE", 30, &[Deployment]),
            product("ROLL", 30, &[Deployment, Machine]),
            product("SERVER", 30, &[Machine, Deployment]),
            product("STRICT", 7, &[Machine]),
            product("WIPE", 3, &[Machine]),
            product("WORK", 1, &[Machine]),
        ],
        2 => vec![
            product("DUAL", 1, &[Deployment, Machine]),
            product("SERVER", 30, &[Machine]),
        ],
        _ => vec![product("SERVER", 30, &[Machine])],
    }
}

/// For a week, two months or a day; the others not at all.
fn offline_days(product: &str) -> u8 {
    match product {
        "SERVER" => 7,
        "STRICT" => 60,
        "WORK" => 1,
        _ => 0,
    }
}

fn components(product: &str) -> Vec<Component> {
    let component = |id, counted, lenient, ephemeral| Component {
        id,
        counted,
        lenient,
        ephemeral,
    };
    let mut components = vec![
        component("agent", true, false, false),
        component("cli", true, true, false),
        component("console", false, false, false),
        component("disc", true, false, true),
        component("stick", false, false, true),
    ];
    if product == "FOREVER" {
        components.extend(PARTS.map(|id| component(id, true, false, false)));
    }
    components
}

/// A later catalogue: the first one with something else here and there.
pub(super) fn later_catalogue(vendor: Vendor, random: &mut Random) -> Vec<Product> {
    let mut products = base_catalogue(vendor);
    if random.percent(40) {
        return products;
    }
    products.retain(|_| !random.percent(4));
    for product in &mut products {
        match random.below(22) {
            0 | 1 => product.idle_secs = Some((1 + random.below(20)) * DAY),
            2 | 20 | 21 => product.single_use = !product.single_use,
            3 => product.offers.reverse(),
            4 => product.offers.truncate(1),
            5 => product.refuse_conflicts = !product.refuse_conflicts,
            6 => product.required = None,
            7 => product.components.retain(|one| one.id != "cli"),
            8 => {
                let cli = product.components.iter_mut().filter(|one| one.id == "cli");
                cli.for_each(|one| one.counted = false);
            }
            9 => product.offline_days = (product.offline_days + 5) % 61,
            _ => {}
        }
    }
    products
}
