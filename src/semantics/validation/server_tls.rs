//! TLS settings of listeners that are refused.

use compact_str::CompactString;

use crate::model::{ServerTls, TlsMode};

/// Why TLS settings of a gateway server or of an ingress listener are refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateTLSOptions`;
/// `manifests/charts/base/files/crd-all.gen.yaml` (one source of certificates, at most two of them).
pub(super) fn reasons(tls: &ServerTls) -> Vec<&'static str> {
    let mut found = Vec::new();
    let set = |text: &Option<CompactString>| text.as_ref().is_some_and(|text| !text.is_empty());
    let listed = tls.tls_certificates.as_deref();
    let (names, certificates) = (tls.credential_names.as_ref(), listed.unwrap_or_default());
    let counted = names.map(Vec::len).into_iter().chain(listed.map(<[_]>::len));
    if counted.into_iter().any(|count| !(1..=2).contains(&count)) {
        found.push("one or two certificates are listed");
    }
    let credential = set(&tls.credential_name) || names.is_some();
    let mode = tls.mode.as_ref().map_or(TlsMode::Passthrough, |mode| mode.value);
    if mode == TlsMode::IstioMutual {
        let files = set(&tls.server_certificate) || set(&tls.private_key) || set(&tls.ca_certificates);
        if files || credential || !certificates.is_empty() {
            found.push("ISTIO_MUTUAL brings its own certificates");
        }
        return found;
    }
    let pair = set(&tls.server_certificate) && set(&tls.private_key);
    let sources = [pair, set(&tls.credential_name), names.is_some(), !certificates.is_empty()];
    // The schema counts a name that is there, be it empty.
    let both = tls.credential_name.is_some() && names.is_some();
    if both || sources.into_iter().filter(|source| *source).count() > 1 {
        found.push("certificates come from one source only");
    }
    let verifies = matches!(mode, TlsMode::Mutual | TlsMode::OptionalMutual);
    if !(verifies || mode == TlsMode::Simple) {
        found.extend(bad_revocations(tls, mode));
        return found;
    }
    if credential {
        return found;
    }
    if verifies && !set(&tls.ca_certificates) {
        found.push("client certificates need `caCertificates`");
    }
    let listed = certificates.iter().all(|one| set(&one.server_certificate) && set(&one.private_key));
    if !(if certificates.is_empty() { pair } else { listed }) {
        found.push("TLS that is terminated needs `credentialName`, or a certificate and a key");
    }
    found.extend(bad_revocations(tls, mode));
    found
}

/// Why a list of revoked certificates is refused.
fn bad_revocations(tls: &ServerTls, mode: TlsMode) -> Option<&'static str> {
    let set = |text: &Option<CompactString>| text.as_ref().is_some_and(|text| !text.is_empty());
    let misplaced = set(&tls.credential_name) || mode == TlsMode::Simple;
    (set(&tls.ca_crl) && misplaced).then_some("`caCrl` goes with client certificates, and not with `credentialName`")
}
