//! Rule files: the built-in set, embedded in the binary, with the texts that document it.

use std::sync::LazyLock;

use super::Severity;
use super::statement::Statement;
use super::written::WrittenRule;
use crate::config::nearest;
use crate::text::FileId;
use crate::yaml;

/// A rule: one file of `rules/`, or one document of a file of the user.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// Kebab-case; names the bad pattern
    pub id: String,
    /// How bad a finding is unless it says otherwise
    pub severity: Severity,
    /// One line
    pub title: String,
    /// Whether it is asked only where somebody asks for it
    pub pedantic: bool,
    /// What must hold of every request, for rules about the matrix
    pub statement: Option<String>,
    /// The check behind it, for rules about the text
    pub check: Option<String>,
    /// What must hold, for rules of the user
    pub cells: Option<Statement>,
    /// What a finding of a user's rule says
    pub message: Option<String>,
    /// What it says at the marked place
    pub label: Option<String>,
    /// What goes wrong otherwise
    pub why: String,
    /// What to write
    pub help: String,
    /// What `check --fix` writes, where it can
    pub fix: Option<String>,
    /// Manifests that break the rule
    pub before: Option<String>,
    /// The same, mended
    pub after: Option<String>,
    /// Further reading
    pub references: Vec<String>,
}

/// The texts of the built-in rules, by id.
const TEXTS: &[(&str, &str)] = &[
    ("access-beyond-table", include_str!("../../rules/access-beyond-table.yaml")),
    ("access-not-granted", include_str!("../../rules/access-not-granted.yaml")),
    ("access-row-matches-nothing", include_str!("../../rules/access-row-matches-nothing.yaml")),
    ("allow-all-policy", include_str!("../../rules/allow-all-policy.yaml")),
    ("api-outside-ingress", include_str!("../../rules/api-outside-ingress.yaml")),
    ("audit-only-protection", include_str!("../../rules/audit-only-protection.yaml")),
    ("auto-passthrough", include_str!("../../rules/auto-passthrough.yaml")),
    ("bypass-by-spelling", include_str!("../../rules/bypass-by-spelling.yaml")),
    ("claims-never-verified", include_str!("../../rules/claims-never-verified.yaml")),
    ("competing-authentication", include_str!("../../rules/competing-authentication.yaml")),
    ("crashing-template", include_str!("../../rules/crashing-template.yaml")),
    ("dead-policy-rule", include_str!("../../rules/dead-policy-rule.yaml")),
    ("delegate-outside-root", include_str!("../../rules/delegate-outside-root.yaml")),
    ("deny-named-allow-policy", include_str!("../../rules/deny-named-allow-policy.yaml")),
    ("deny-only-protection", include_str!("../../rules/deny-only-protection.yaml")),
    ("deny-overrides-everything", include_str!("../../rules/deny-overrides-everything.yaml")),
    ("dry-run-policy", include_str!("../../rules/dry-run-policy.yaml")),
    ("duplicate-key", include_str!("../../rules/duplicate-key.yaml")),
    ("duplicate-resource", include_str!("../../rules/duplicate-resource.yaml")),
    ("foreign-trust-domain", include_str!("../../rules/foreign-trust-domain.yaml")),
    ("gateway-without-workload", include_str!("../../rules/gateway-without-workload.yaml")),
    ("grpc-method", include_str!("../../rules/grpc-method.yaml")),
    ("hidden-by-export-to", include_str!("../../rules/hidden-by-export-to.yaml")),
    ("host-policy-on-sidecar", include_str!("../../rules/host-policy-on-sidecar.yaml")),
    ("host-shadows-wildcard", include_str!("../../rules/host-shadows-wildcard.yaml")),
    ("host-suffix-without-dot", include_str!("../../rules/host-suffix-without-dot.yaml")),
    ("host-without-port", include_str!("../../rules/host-without-port.yaml")),
    ("http-field-on-tcp-port", include_str!("../../rules/http-field-on-tcp-port.yaml")),
    ("http-policy-on-passthrough", include_str!("../../rules/http-policy-on-passthrough.yaml")),
    ("identity-dodged-by-plaintext", include_str!("../../rules/identity-dodged-by-plaintext.yaml")),
    ("identity-without-strict-mtls", include_str!("../../rules/identity-without-strict-mtls.yaml")),
    ("ignored-authentication", include_str!("../../rules/ignored-authentication.yaml")),
    ("ignored-tail", include_str!("../../rules/ignored-tail.yaml")),
    ("impossible-method", include_str!("../../rules/impossible-method.yaml")),
    ("impossible-path", include_str!("../../rules/impossible-path.yaml")),
    ("impossible-port", include_str!("../../rules/impossible-port.yaml")),
    ("ineffective-target", include_str!("../../rules/ineffective-target.yaml")),
    ("internal-outside-namespace", include_str!("../../rules/internal-outside-namespace.yaml")),
    ("junction-traversal", include_str!("../../rules/junction-traversal.yaml")),
    ("literal-wildcard", include_str!("../../rules/literal-wildcard.yaml")),
    ("malformed-principal", include_str!("../../rules/malformed-principal.yaml")),
    ("malformed-request-principal", include_str!("../../rules/malformed-request-principal.yaml")),
    ("mesh-hijack", include_str!("../../rules/mesh-hijack.yaml")),
    ("method-gap", include_str!("../../rules/method-gap.yaml")),
    ("misread-regex", include_str!("../../rules/misread-regex.yaml")),
    ("missing-default-deny", include_str!("../../rules/missing-default-deny.yaml")),
    ("mutual-host-behind-simple", include_str!("../../rules/mutual-host-behind-simple.yaml")),
    ("optional-token", include_str!("../../rules/optional-token.yaml")),
    ("order-dependent-routes", include_str!("../../rules/order-dependent-routes.yaml")),
    ("overlapping-gateways", include_str!("../../rules/overlapping-gateways.yaml")),
    ("plaintext-twin", include_str!("../../rules/plaintext-twin.yaml")),
    ("policy-in-wrong-namespace", include_str!("../../rules/policy-in-wrong-namespace.yaml")),
    ("policy-without-sidecar", include_str!("../../rules/policy-without-sidecar.yaml")),
    ("port-mtls-on-service-port", include_str!("../../rules/port-mtls-on-service-port.yaml")),
    ("port-outside-capture", include_str!("../../rules/port-outside-capture.yaml")),
    ("prefix-covers-siblings", include_str!("../../rules/prefix-covers-siblings.yaml")),
    ("private-key-in-jwks", include_str!("../../rules/private-key-in-jwks.yaml")),
    ("redundant-policy-rule", include_str!("../../rules/redundant-policy-rule.yaml")),
    ("refused-configuration", include_str!("../../rules/refused-configuration.yaml")),
    ("regex-in-literal-field", include_str!("../../rules/regex-in-literal-field.yaml")),
    ("rejected-resource", include_str!("../../rules/rejected-resource.yaml")),
    ("removed-api-version", include_str!("../../rules/removed-api-version.yaml")),
    ("rewrite-escapes-policy", include_str!("../../rules/rewrite-escapes-policy.yaml")),
    ("second-door", include_str!("../../rules/second-door.yaml")),
    ("selector-matches-nothing", include_str!("../../rules/selector-matches-nothing.yaml")),
    ("sensitive-path-exposed", include_str!("../../rules/sensitive-path-exposed.yaml")),
    ("several-ext-authz-providers", include_str!("../../rules/several-ext-authz-providers.yaml")),
    ("shared-service-account", include_str!("../../rules/shared-service-account.yaml")),
    ("source-hidden-by-gateway", include_str!("../../rules/source-hidden-by-gateway.yaml")),
    ("source-ip-behind-proxy", include_str!("../../rules/source-ip-behind-proxy.yaml")),
    ("split-policy-rule", include_str!("../../rules/split-policy-rule.yaml")),
    ("spoofable-header-forwarded", include_str!("../../rules/spoofable-header-forwarded.yaml")),
    ("spoofable-header-grant", include_str!("../../rules/spoofable-header-grant.yaml")),
    ("stripped-token", include_str!("../../rules/stripped-token.yaml")),
    ("subtree-left-open", include_str!("../../rules/subtree-left-open.yaml")),
    ("syntax-error", include_str!("../../rules/syntax-error.yaml")),
    ("unbound-host", include_str!("../../rules/unbound-host.yaml")),
    ("undeclared-protocol", include_str!("../../rules/undeclared-protocol.yaml")),
    ("undetermined-access", include_str!("../../rules/undetermined-access.yaml")),
    ("unknown-destination", include_str!("../../rules/unknown-destination.yaml")),
    ("unknown-ext-authz-provider", include_str!("../../rules/unknown-ext-authz-provider.yaml")),
    ("unknown-field", include_str!("../../rules/unknown-field.yaml")),
    ("unknown-gateway", include_str!("../../rules/unknown-gateway.yaml")),
    ("unknown-issuer", include_str!("../../rules/unknown-issuer.yaml")),
    ("unknown-namespace", include_str!("../../rules/unknown-namespace.yaml")),
    ("unknown-principal", include_str!("../../rules/unknown-principal.yaml")),
    ("unreachable-route", include_str!("../../rules/unreachable-route.yaml")),
    ("unrendered-template", include_str!("../../rules/unrendered-template.yaml")),
    ("unsafe-polarity", include_str!("../../rules/unsafe-polarity.yaml")),
    ("unserved-host", include_str!("../../rules/unserved-host.yaml")),
    ("untrusted-forwarded-for", include_str!("../../rules/untrusted-forwarded-for.yaml")),
    ("unused-suppression", include_str!("../../rules/unused-suppression.yaml")),
    ("wildcard-gateway-host", include_str!("../../rules/wildcard-gateway-host.yaml")),
    ("yaml11-surprise", include_str!("../../rules/yaml11-surprise.yaml")),
];

/// The built-in rules, by id.
static RULES: LazyLock<Vec<RuleFile>> = LazyLock::new(|| TEXTS.iter().filter_map(|(_, text)| parse(text)).collect());

/// Reads one rule file.
fn parse(text: &str) -> Option<RuleFile> {
    let stream = yaml::read(FileId(u32::MAX), text);
    yaml::from_node::<WrittenRule>(stream.documents.first()?.root()).value.ok().map(RuleFile::from)
}

/// The built-in rules, sorted by id.
pub fn rules() -> &'static [RuleFile] {
    &RULES
}

/// The built-in rule of an id; `Err` with the nearest id.
pub fn rule(id: &str) -> Result<&'static RuleFile, &'static str> {
    let known = rules().iter().find(|rule| rule.id == id);
    known.ok_or_else(|| nearest(id, rules().iter().map(|rule| rule.id.as_str())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_file_reads_and_is_called_by_its_id() {
        assert_eq!(rules().len(), TEXTS.len());
        for (file, rule) in TEXTS.iter().zip(rules()) {
            assert_eq!(file.0, rule.id);
            assert!(rule.statement.is_some() != rule.check.is_some(), "{}: a statement or a check", rule.id);
            let first = rule.title.split(' ').next().unwrap_or_default();
            let acronym = first.chars().all(char::is_uppercase);
            assert!(acronym || first.starts_with(char::is_lowercase), "{}", rule.title);
            assert!(!rule.title.ends_with('.') && !rule.references.is_empty(), "{}", rule.id);
        }
        assert!(rules().is_sorted_by_key(|rule| &rule.id));
    }

    #[test]
    fn an_unknown_id_gets_the_nearest_one() {
        assert_eq!(rule("missing-default-denny").err(), Some("missing-default-deny"));
    }
}
