//! How servers prove who they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection};
use rustls_platform_verifier::Verifier;

/// Certificates that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The file with further authorities.
    #[error("{path} holds no certificates in PEM form: {why}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another part of the machine's TLS.
    #[error("TLS cannot be used: {0}")]
    Setup(String),
}

/// What is needed to begin sessions with one server.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// For `host`, trusting what the machine trusts, and `authorities` besides.
    pub(crate) fn new(host: &str, http2: bool, authorities: Option<&Path>) -> Result<Self, TlsError> {
        let setup = |e: &dyn std::fmt::Display| TlsError::Setup(e.to_string());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = match authorities {
            Some(path) => Verifier::new_with_extra_roots(read(path)?, provider.clone()),
            None => Verifier::new(provider.clone()),
        };
        let verifier = Arc::new(verifier.map_err(|e| setup(&e))?);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| setup(&e))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        let name = ServerName::try_from(host.to_owned()).map_err(|e| setup(&e))?;
        Ok(Self { config: Arc::new(config), name })
    }

    pub(crate) fn session(&self) -> Result<ClientConnection, String> {
        let mut session = ClientConnection::new(self.config.clone(), self.name.clone()).map_err(|e| e.to_string())?;
        // A prompt is handed over in one piece, however long.
        session.set_buffer_limit(None);
        Ok(session)
    }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |why: String| TlsError::Authorities { path: path.to_owned(), why };
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))?.collect();
    let all = all.map_err(|e| wrong(e.to_string()))?;
    if all.is_empty() { Err(wrong("no certificate in it".to_owned())) } else { Ok(all) }
}
