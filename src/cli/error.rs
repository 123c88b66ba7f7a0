use thiserror::Error;

/// Why a command did not do what it should. The message says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CliError {
    /// Something failed: a file, the network, the server.
    #[error("{message}")]
    Failed {
        /// What failed, where, and what to do.
        message: String,
        /// The cause, if there is one below.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// No server was found, or none answered.
    #[error("{0}")]
    NoServer(String),
    /// The licensing rules refused.
    #[error("{0}")]
    Refused(String),
    /// The identity's role does not include the command.
    #[error("{0}")]
    NotAuthorized(String),
    /// The arguments cannot be used together, or name what is not there.
    #[error("{0}")]
    Usage(String),
    /// A program that was run ended with this exit code, or a signal ended the demonstration, or `status --check` found what
    /// it told; it becomes our own.
    #[error("ended with exit code {0}")]
    Program(u8),
}

impl CliError {
    /// A failure without a cause below it.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
            source: None,
        }
    }

    /// A failure with its cause.
    pub fn because(message: impl Into<String>, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed {
            message: message.into(),
            source: Some(Box::new(source)),
        }
    }

    /// The same failure, with something more to know or to do.
    #[must_use]
    pub(super) fn with_remark(mut self, remark: &str) -> Self {
        match &mut self {
            Self::Failed { message, .. }
            | Self::NoServer(message)
            | Self::Refused(message)
            | Self::NotAuthorized(message)
            | Self::Usage(message) => {
                message.push_str("; ");
                message.push_str(remark);
            }
            Self::Program(_) => {}
        }
        self
    }

    /// The process's exit code: 1 failed, 2 usage, 3 no server, 4 refused by the rules, 5 not authorized.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Failed { .. } => 1,
            Self::Usage(_) => 2,
            Self::NoServer(_) => 3,
            Self::Refused(_) => 4,
            Self::NotAuthorized(_) => 5,
            Self::Program(code) => *code,
        }
    }

    /// Whether there is anything to tell: a program that was run has told it itself.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        matches!(self, Self::Program(_))
    }
}
