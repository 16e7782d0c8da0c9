//! A certificate authority of our own, made at each start. It vouches for `discord.com` on loopback
//! and nowhere else: a client trusts it only if it is told to.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

const NAMES: [&str; 4] = [
    "discord.com",
    "cdn.discordapp.com",
    "localhost",
    "127.0.0.1",
];

pub(crate) struct Identity {
    pub(crate) ca_pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Identity {
    pub(crate) fn generate() -> Result<Self> {
        let ca_key = KeyPair::generate().context("make the key of the local CA")?;
        let ca_params = ca_params();
        let ca_pem = ca_params
            .self_signed(&ca_key)
            .context("sign the local CA")?
            .pem();
        let key = KeyPair::generate().context("make the server's key")?;
        let params = CertificateParams::new(NAMES.map(String::from)).context("name the server")?;
        let issuer = Issuer::new(ca_params, ca_key);
        let certificate = params
            .signed_by(&key, &issuer)
            .context("sign the server's certificate")?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .context("use the server's certificate")?;
        Ok(Self {
            ca_pem,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "localcord CA");
    params
}
