//! A configuration that was read again, as the wire tells it: paths, values and messages come from a file that anybody may
//! have written, and are made to keep the bounds.

use super::super::reload::{ChangedKey, Reloaded};
use crate::wire::limits::{
    CONFIG_KEY_LEN_MAX, CONFIG_LINE_LEN_MAX, CONFIG_LINES_MAX, CONFIG_ROWS_MAX, CONFIG_VALUE_LEN_MAX, PATH_LEN_MAX,
};
use crate::wire::messages::{Response, reload};

/// The reply to RELOAD.
pub(super) fn told(reloaded: Reloaded, server_time: u64) -> Response {
    let Reloaded { file, outcome } = reloaded;
    let mut reply = reload::ReloadOk {
        server_time,
        file: plain(&file, PATH_LEN_MAX),
        ..reload::ReloadOk::default()
    };
    match outcome {
        Ok(changed) => reply.rows = changed.into_iter().take(CONFIG_ROWS_MAX).map(row).collect(),
        Err(wrong) => {
            let lines = wrong.lines().take(CONFIG_LINES_MAX);
            reply.wrong = lines.map(|line| plain(line, CONFIG_LINE_LEN_MAX)).collect();
        }
    }
    Response::Reload(reply)
}

fn row(changed: ChangedKey) -> reload::ConfigRow {
    let value = |value: Option<String>| value.map(|value| plain(&value, CONFIG_VALUE_LEN_MAX));
    reload::ConfigRow {
        key: plain(&changed.key, CONFIG_KEY_LEN_MAX),
        before: value(changed.before),
        after: value(changed.after),
        effect: changed.effect,
        by: changed.by.map(|by| plain(&by, CONFIG_KEY_LEN_MAX)),
    }
}

fn plain(text: &str, len_max: usize) -> String {
    let cut = text.get(..text.floor_char_boundary(len_max)).unwrap_or_default();
    cut.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ConfigEffect;
    use crate::wire::messages::Message;

    #[test]
    fn whatever_a_file_holds_the_answer_keeps_its_bounds() {
        let long = "\u{e9}\n".repeat(5_000);
        let key = ChangedKey {
            key: long.clone(),
            before: Some(long.clone()),
            after: None,
            effect: ConfigEffect::APPLIED,
            by: Some(long.clone()),
        };
        for outcome in [
            Ok(vec![key; 2 * CONFIG_ROWS_MAX]),
            Err(long.clone()),
            Err("\u{1b}[2J".to_owned()),
        ] {
            let file = long.clone();
            let Response::Reload(reply) = told(Reloaded { file, outcome }, 5) else {
                panic!("not the reply to RELOAD");
            };
            let body = reply.to_body().expect("it fits");
            assert_eq!(reload::ReloadOk::decode(&body), Ok(reply.clone()));
            assert!(reply.rows.len().max(reply.wrong.len()) > 0);
        }
    }
}
