//! Connection automata of both sides, the discovery responder, and the translation between wire and domain.
