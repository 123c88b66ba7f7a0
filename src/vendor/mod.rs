//! License keys and catalogues: texts, certificates and their signatures.
