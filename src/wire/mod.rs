//! The protocol's bytes: frames, messages, datagrams, codes and bounds.
