//! Tokens that enrol identities, and who is served where a site wants them. Whether it does is not known here: the
//! writer asks [`Ledger::serves`] where its configuration says so.

use super::{Decided, Ledger, Occasion};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::command::{Actor, Command};
use crate::domain::denial::Denial;
use crate::domain::enrolment::{ENDED_KEPT_SECS, Enrolled, REVOKED_MAX, TOKENS_MAX, Token};
use crate::domain::ids::{ComponentId, Fingerprint, TokenHash, TokenId};
use crate::domain::reply::{Reply, TokenRow};
use crate::domain::seat::{Binding, SeatKey};
use crate::domain::time::{Now, Timestamp};

impl Ledger {
    /// Whether the identity may ask this as an agent where a site has agents enrol: it has a role, or a token enrolled it,
    /// or it is bound to the very component that it asks for, so that what runs goes on when a site begins with tokens.
    /// The last does not hold for one whose enrolment was taken back.
    #[must_use]
    pub fn serves(&self, identity: &Fingerprint, command: &Command) -> bool {
        if self.admins.contains_key(identity) {
            return true;
        }
        match (self.enrolled.get(identity), command) {
            (Some(enrolled), _) => enrolled.revoked_at.is_none(),
            (None, Command::Checkout(asked)) => self.is_bound(identity, &asked.key, asked.component),
            (None, Command::Release(asked)) => {
                // An uninstaller that lost the answer asks again (rule S14).
                self.is_bound(identity, &asked.key, asked.component)
                    || self.has_let_go(identity, &asked.key, asked.component)
            }
            (None, _) => false,
        }
    }

    fn is_bound(&self, identity: &Fingerprint, key: &SeatKey, component: ComponentId) -> bool {
        let binding = self.seats.get(key).and_then(|seat| seat.components.get(&component));
        matches!(binding, Some(Binding::Identity(bound)) if bound.identity == *identity)
    }

    fn has_let_go(&self, identity: &Fingerprint, key: &SeatKey, component: ComponentId) -> bool {
        let last = self.left.get(key).and_then(|left| left.components.get(&component));
        last.is_some_and(|last| last.identity == *identity)
    }

    /// One that is enrolled already is answered alike, whatever it brings: nothing is used up, and nothing is told of
    /// the token.
    pub(super) fn enrol(&self, occasion: Occasion, hash: TokenHash) -> Decided {
        let Actor::Peer { identity, .. } = occasion.actor else {
            return Decided::refused(Denial::TokenRefused);
        };
        let live = self.enrolled.get(&identity).filter(|one| one.revoked_at.is_none());
        if let Some(enrolled) = live {
            let token = self.tokens_named(enrolled.token).next();
            let label = token.map(|(_, token)| token.label.clone()).unwrap_or_default();
            return Decided::unchanged(Reply::Enrolled { label });
        }
        let now = occasion.now.latest();
        let valid = self.tokens.get(&hash).filter(|token| token.ended_at(now).is_none());
        let Some(token) = valid else {
            return Decided::refused(Denial::TokenRefused);
        };
        let label = token.label.clone();
        let used = Token {
            uses_left: token.uses_left.saturating_sub(1),
            enrolled: token.enrolled.saturating_add(1),
            last_used_at: Some(now),
            ..token.clone()
        };
        let enrolled = Enrolled {
            token: hash.id(),
            at: now,
            revoked_at: None,
        };
        let event = EventKind::IdentityEnrolled {
            token: hash.id(),
            identity,
        };
        Decided {
            reply: Reply::Enrolled { label },
            changes: vec![
                Fact::TokenPut(hash, used).into(),
                occasion.change(Fact::EnrolledPut(identity, enrolled), event),
            ],
        }
    }

    /// Asked again for the same token, nothing changes.
    pub(super) fn add_token(
        &self,
        occasion: Occasion,
        hash: TokenHash,
        label: &str,
        (secs, uses): (u32, u32),
    ) -> Decided {
        if let Some(token) = self.tokens.get(&hash) {
            return Decided::unchanged(Reply::TokenAdded(Box::new(self.token_row(hash, token))));
        }
        let mut changes: Vec<Change> = self.forgotten_tokens(occasion.now).collect();
        if self.tokens.len() - changes.len() >= TOKENS_MAX {
            return Decided::refused(Denial::TooManyTokens);
        }
        let created_at = occasion.now.latest();
        let token = Token {
            label: label.to_owned(),
            created_at,
            expires_at: created_at.after_secs(secs.into()),
            uses_left: uses,
            enrolled: 0,
            last_used_at: None,
            revoked_at: None,
        };
        let event = EventKind::TokenAdded {
            token: hash.id(),
            uses,
            expires_at: token.expires_at,
        };
        let row = self.token_row(hash, &token);
        changes.push(occasion.change(Fact::TokenPut(hash, token), event));
        Decided {
            reply: Reply::TokenAdded(Box::new(row)),
            changes,
        }
    }

    /// Ends a token and, where that is asked, the enrolments that stand by it, a portion at a time: asked again, the next
    /// ones follow. The token itself may be forgotten already; those that it enrolled are not.
    pub(super) fn revoke_token(&self, occasion: Occasion, id: TokenId, also_identities: bool) -> Decided {
        let standing = self.index.enrolled_by(id);
        if standing == 0 && self.tokens_named(id).next().is_none() {
            return Decided::refused(Denial::UnknownToken);
        }
        let now = occasion.now.latest();
        let tokens = self.tokens_named(id).filter(|(_, token)| token.revoked_at.is_none());
        let mut changes: Vec<Change> = tokens
            .map(|(hash, token)| {
                let revoked = Token {
                    revoked_at: Some(now),
                    ..token.clone()
                };
                Change::from(Fact::TokenPut(hash, revoked))
            })
            .collect();
        let portion = if also_identities { REVOKED_MAX } else { 0 };
        let mut identities = 0;
        for identity in self.index.identities_of(id).take(portion) {
            if let Some(enrolled) = self.enrolled.get(&identity) {
                let revoked = Enrolled {
                    revoked_at: Some(now),
                    ..*enrolled
                };
                changes.push(Fact::EnrolledPut(identity, revoked).into());
                identities += 1;
            }
        }
        let event = EventKind::TokenRevoked { token: id, identities };
        if let Some(first) = changes.first_mut() {
            first.events.push(occasion.event(event));
        }
        Decided {
            reply: Reply::TokenRevoked {
                identities,
                more: also_identities && u64::from(identities) < standing,
            },
            changes,
        }
    }

    /// Takes back the enrolment of one identity, and of no other that its token enrolled.
    pub(super) fn remove_enrolled(&self, occasion: Occasion, identity: Fingerprint) -> Decided {
        let standing = self.enrolled.get(&identity).filter(|one| one.revoked_at.is_none());
        let Some(enrolled) = standing else {
            return Decided::refused(Denial::UnknownIdentity);
        };
        let revoked = Enrolled {
            revoked_at: Some(occasion.now.latest()),
            ..*enrolled
        };
        let event = EventKind::IdentityRemoved {
            token: enrolled.token,
            identity,
        };
        Decided {
            reply: Reply::Done,
            changes: vec![occasion.change(Fact::EnrolledPut(identity, revoked), event)],
        }
    }

    /// The token with what it enrolled that still stands.
    pub(super) fn token_row(&self, hash: TokenHash, token: &Token) -> TokenRow {
        TokenRow {
            hash,
            token: token.clone(),
            identities: u32::try_from(self.index.enrolled_by(hash.id())).unwrap_or(u32::MAX),
        }
    }

    /// The tokens of a short name: one, but for a coincidence that nobody lives to see.
    pub(super) fn tokens_named(&self, id: TokenId) -> impl Iterator<Item = (TokenHash, &Token)> {
        let tokens = self.tokens.range(TokenHash::first_of(id)..);
        tokens
            .take_while(move |(hash, _)| hash.id() == id)
            .map(|(hash, token)| (*hash, token))
    }

    /// The tokens that ended long ago. By the steady time: a clock that jumped makes nothing forgotten.
    fn forgotten_tokens(&self, now: Now) -> impl Iterator<Item = Change> {
        let is_over = move |at: Timestamp| at.after_secs(ENDED_KEPT_SECS) <= now.steady;
        self.tokens
            .iter()
            .filter(move |(_, token)| token.ended_at(now.steady).is_some_and(is_over))
            .map(|(hash, _)| Fact::TokenDropped(*hash).into())
    }
}
