//! The armour of a signed list's file: base64 between a BEGIN and an END line. Text around it is ignored.

use data_encoding::BASE64;

/// Base64 digits in a line, as in PEM.
#[cfg(feature = "mint")]
const LINE_LEN: usize = 64;

/// The two lines.
#[derive(Debug)]
pub(super) struct Armor {
    begin: &'static str,
    end: &'static str,
}

pub(super) const BLACKLIST: Armor = Armor {
    begin: "-----BEGIN SEATKEEPER BLACKLIST-----",
    end: "-----END SEATKEEPER BLACKLIST-----",
};

pub(super) const CATALOGUE: Armor = Armor {
    begin: "-----BEGIN SEATKEEPER CATALOGUE-----",
    end: "-----END SEATKEEPER CATALOGUE-----",
};

impl Armor {
    /// Whether the text has this BEGIN line.
    pub(super) fn begins_in(&self, text: &str) -> bool {
        text.contains(self.begin)
    }

    /// The bytes between the lines, or what is wrong with them. White space does not count.
    pub(super) fn open(&self, text: &str) -> Result<Vec<u8>, &'static str> {
        let (_, rest) = text.split_once(self.begin).ok_or("the BEGIN line is missing")?;
        let (inside, rest) = rest.split_once(self.end).ok_or("the END line is missing")?;
        if rest.contains(self.begin) {
            return Err("there is more than one in the file");
        }
        let digits: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
        BASE64
            .decode(digits.as_bytes())
            .map_err(|_| "characters are missing, added or mistyped")
    }

    /// The text of `bytes`, ending in a line break.
    #[cfg(feature = "mint")]
    pub(super) fn close(&self, bytes: &[u8]) -> String {
        let mut text = format!("{}\n", self.begin);
        for (place, digit) in BASE64.encode(bytes).chars().enumerate() {
            if place > 0 && place % LINE_LEN == 0 {
                text.push('\n');
            }
            text.push(digit);
        }
        text.push('\n');
        text.push_str(self.end);
        text.push('\n');
        text
    }
}
