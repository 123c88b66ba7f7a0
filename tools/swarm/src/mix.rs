//! What is asked, and how often of each kind: an order that is made before anything is measured, from a seed.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A weight, at most.
const WEIGHT_MAX: u32 = 1_000;

/// A connection goes through so many requests at least before its order begins anew.
const ORDER_LEN: u32 = 1_000;

/// A kind of request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A machine renews its seat.
    Renew,
    /// A machine that has none checks a seat out.
    Checkout,
    /// A machine gives its seat back.
    Release,
    /// How many seats are available.
    Query,
    /// How a machine's checkout would be decided.
    Explain,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Renew, Self::Checkout, Self::Release, Self::Query, Self::Explain];

    /// As it is typed and told.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Renew => "renew",
            Self::Checkout => "checkout",
            Self::Release => "release",
            Self::Query => "query",
            Self::Explain => "explain",
        }
    }
}

/// How often each kind is asked, by weights.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mix {
    /// Each kind once, with a weight above 0.
    weights: Vec<(Kind, u32)>,
}

impl Mix {
    /// Renewals alone.
    pub(crate) fn renewals() -> Self {
        Self {
            weights: vec![(Kind::Renew, 1)],
        }
    }

    /// What is asked at all, in the order of [`Kind::ALL`].
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.weights.iter().map(|(kind, _)| *kind)
    }

    /// Whether this is asked.
    pub(crate) fn has(&self, wanted: Kind) -> bool {
        self.kinds().any(|kind| kind == wanted)
    }

    /// The weight of each kind, by its name.
    pub(crate) fn weights(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.weights.iter().map(|(kind, weight)| (kind.name(), *weight))
    }

    /// What each of so many connections asks, again and again: the same from the same seed. Each kind is as often in it as its
    /// weight says; checkouts and releases take turns, so that there are always about as many seats.
    pub(crate) fn orders(&self, seed: u64, connections: usize) -> Vec<Vec<Kind>> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..connections).map(|_| self.order(&mut random)).collect()
    }

    fn order(&self, random: &mut fastrand::Rng) -> Vec<Kind> {
        let once: u32 = self.weights.iter().map(|(_, weight)| weight).sum();
        let copies = ORDER_LEN.div_ceil(once.max(1));
        let all = |&(kind, weight): &(Kind, u32)| std::iter::repeat_n(kind, (weight * copies) as usize);
        let mut order: Vec<Kind> = self.weights.iter().flat_map(all).collect();
        random.shuffle(&mut order);
        let coming_and_going = order
            .iter_mut()
            .filter(|kind| matches!(kind, Kind::Checkout | Kind::Release));
        for (kind, turn) in coming_and_going.zip([Kind::Checkout, Kind::Release].into_iter().cycle()) {
            *kind = turn;
        }
        order
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut weights = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').ok_or("a kind and its weight, as renew=80")?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name.trim());
            let kind = kind.ok_or_else(|| format!("no kind of request: {name}"))?;
            let weight = weight.trim().parse().ok().filter(|weight| *weight <= WEIGHT_MAX);
            let weight: u32 = weight.ok_or_else(|| format!("the weight of {name} is a number up to {WEIGHT_MAX}"))?;
            if weights.iter().any(|(other, _)| *other == kind) {
                return Err(format!("{name} has two weights"));
            }
            weights.push((kind, weight));
        }
        weights.retain(|(_, weight)| *weight > 0);
        weights.sort_unstable();
        let mix = Self { weights };
        let weight = |wanted: Kind| mix.weights.iter().find(|(kind, _)| *kind == wanted);
        let [coming, going] = [Kind::Checkout, Kind::Release].map(|kind| weight(kind).map(|(_, weight)| weight));
        if mix.weights.is_empty() {
            Err("nothing is asked".to_owned())
        } else if coming == going {
            Ok(mix)
        } else {
            Err("checkout and release have the same weight, so that there are always about as many seats".to_owned())
        }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, weight)) in self.weights().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{name}={weight}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn often(order: &[Kind], wanted: Kind) -> usize {
        order.iter().filter(|kind| **kind == wanted).count()
    }

    #[test]
    fn each_kind_is_asked_as_often_as_its_weight_says_and_the_same_seed_asks_the_same() {
        let mix: Mix = "explain=5,renew=80,checkout=5,release=5,query=5".parse().unwrap();
        assert_eq!(mix.to_string(), "renew=80,checkout=5,release=5,query=5,explain=5");
        let orders = mix.orders(7, 3);
        for order in &orders {
            let counts = Kind::ALL.map(|kind| often(order, kind));
            assert_eq!(counts, [800, 50, 50, 50, 50]);
        }
        assert_eq!(orders, mix.orders(7, 3));
        assert_ne!(orders, mix.orders(8, 3));
        assert_ne!(orders.first(), orders.last(), "not all connections in step");
        // Shuffled: no kind comes in one piece.
        let first = orders.first().unwrap();
        assert!(first.windows(2).filter(|pair| pair.first() != pair.last()).count() > 200);
    }

    #[test]
    fn checkouts_and_releases_take_turns_however_they_are_shuffled() {
        let mix: Mix = "renew=1,checkout=3,release=3".parse().unwrap();
        for order in mix.orders(1, 5) {
            let mut seats = 0;
            // Twice, as it is asked: it begins anew where it ends.
            for kind in order.iter().chain(&order) {
                match kind {
                    Kind::Checkout => seats += 1,
                    Kind::Release => seats -= 1,
                    _ => {}
                }
                assert!((0..=1).contains(&seats));
            }
            assert_eq!(seats, 0);
        }
    }

    #[test]
    fn what_would_not_last_is_no_mix() {
        for (text, said) in [
            ("renew=80,checkout=5", "the same weight"),
            ("renew=1,renew=2", "two weights"),
            ("renew=0", "nothing is asked"),
            ("reserve=1", "no kind of request"),
            ("renew=1001", "up to 1000"),
            ("renew", "as renew=80"),
        ] {
            let refused = text.parse::<Mix>().unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
        assert_eq!("renew=1,query=0".parse(), Ok(Mix::renewals()));
    }
}
