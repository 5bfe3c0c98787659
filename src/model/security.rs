//! `security.istio.io`: `AuthorizationPolicy`, `PeerAuthentication`, `RequestAuthentication`.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::Deserialize;

use super::object::Labels;
use crate::text::Spanned;

/// `selector: {matchLabels: …}`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkloadSelector {
    /// The labels that a workload must have; absent and empty select alike
    pub match_labels: Option<Labels>,
}

/// An entry of `targetRefs`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TargetRef {
    /// API group of the target
    pub group: Option<CompactString>,
    /// Kind of the target
    pub kind: Option<Spanned<CompactString>>,
    /// Name of the target
    pub name: Option<Spanned<CompactString>>,
    /// Validation refuses any namespace here
    pub namespace: Option<CompactString>,
}

/// `spec.action` of an `AuthorizationPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// Admits what it matches and, by being attached, closes the rest
    #[default]
    Allow,
    /// Refuses what it matches
    Deny,
    /// Only marks what it matches
    Audit,
    /// Refers what it matches to an external authorizer
    Custom,
}

/// `spec` of an `AuthorizationPolicy`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuthorizationPolicy {
    /// Which workloads, by label
    pub selector: Option<Spanned<WorkloadSelector>>,
    /// The older, singular form of `targetRefs`
    pub target_ref: Option<Box<Spanned<TargetRef>>>,
    /// Which Gateway API gateways, waypoints or services
    pub target_refs: Option<Box<Spanned<Vec<TargetRef>>>>,
    /// What matching does; ALLOW if absent
    pub action: Option<Spanned<Action>>,
    /// The external authorizer of a CUSTOM policy
    pub provider: Option<Box<Spanned<ExtensionProviderRef>>>,
    /// Alternatives; absent and empty match nothing
    pub rules: Option<Spanned<Vec<Spanned<PolicyRule>>>>,
}

impl AuthorizationPolicy {
    /// The action in force.
    pub fn action(&self) -> Action {
        self.action.as_ref().map_or(Action::Allow, |action| action.value)
    }

    /// The policy rules, none if absent.
    pub fn rules(&self) -> &[Spanned<PolicyRule>] {
        self.rules.as_ref().map_or(&[], |rules| rules.value.as_slice())
    }

    /// `targetRefs` if there are any, else `targetRef`.
    pub fn target_refs(&self) -> &[TargetRef] {
        target_refs(self.target_refs.as_deref(), self.target_ref.as_deref())
    }
}

/// `provider: {name: …}`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ExtensionProviderRef {
    /// Name of an extension provider of the mesh settings
    pub name: Option<Spanned<CompactString>>,
}

/// An entry of `spec.rules`: `from` and `to` and `when`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PolicyRule {
    /// Alternatives of who sends
    pub from: Option<Spanned<Vec<Spanned<From>>>>,
    /// Alternatives of what is asked
    pub to: Option<Spanned<Vec<Spanned<To>>>>,
    /// Conditions that all hold
    pub when: Option<Box<Spanned<Vec<Spanned<Condition>>>>>,
}

/// An entry of `from`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct From {
    /// Who sends
    pub source: Option<Spanned<Source>>,
}

/// An entry of `to`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct To {
    /// What is asked
    pub operation: Option<Spanned<Operation>>,
}

/// A list of strings as the security API has them.
pub type Values = Option<Box<Spanned<Vec<Spanned<CompactString>>>>>;

/// `source`: all fields that are set hold together.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of the API, named alike")]
pub struct Source {
    pub principals: Values,
    pub not_principals: Values,
    pub request_principals: Values,
    pub not_request_principals: Values,
    pub namespaces: Values,
    pub not_namespaces: Values,
    pub service_accounts: Values,
    pub not_service_accounts: Values,
    pub ip_blocks: Values,
    pub not_ip_blocks: Values,
    pub remote_ip_blocks: Values,
    pub not_remote_ip_blocks: Values,
    pub trust_domains: Values,
    pub not_trust_domains: Values,
}

/// `operation`: all fields that are set hold together.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of the API, named alike")]
pub struct Operation {
    pub hosts: Values,
    pub not_hosts: Values,
    pub ports: Values,
    pub not_ports: Values,
    pub methods: Values,
    pub not_methods: Values,
    pub paths: Values,
    pub not_paths: Values,
}

/// An entry of `when`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition {
    /// The attribute, such as `request.headers[x-role]`
    pub key: Option<Spanned<CompactString>>,
    /// One of them matches
    pub values: Values,
    /// None of them matches
    pub not_values: Values,
}

/// `mtls.mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MtlsMode {
    /// Inherited from the next wider level
    #[default]
    Unset,
    /// Plaintext only
    Disable,
    /// Both
    Permissive,
    /// mTLS only
    Strict,
}

/// `mtls: {mode: …}`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct MutualTls {
    /// UNSET if absent
    pub mode: Option<Spanned<MtlsMode>>,
}

/// `spec` of a `PeerAuthentication`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PeerAuthentication {
    /// Which workloads, by label
    pub selector: Option<Spanned<WorkloadSelector>>,
    /// The mode of every port without one of its own
    pub mtls: Option<Spanned<MutualTls>>,
    /// Modes by workload port
    pub port_level_mtls: Option<Spanned<BTreeMap<Spanned<CompactString>, MutualTls>>>,
}

/// `spec` of a `RequestAuthentication`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RequestAuthentication {
    /// Which workloads, by label
    pub selector: Option<Spanned<WorkloadSelector>>,
    /// The older, singular form of `targetRefs`
    pub target_ref: Option<Box<Spanned<TargetRef>>>,
    /// Which Gateway API gateways, waypoints or services
    pub target_refs: Option<Box<Spanned<Vec<TargetRef>>>>,
    /// The issuers whose tokens are verified
    pub jwt_rules: Option<Spanned<Vec<Spanned<JwtRule>>>>,
}

impl RequestAuthentication {
    /// The JWT rules, none if absent.
    pub fn jwt_rules(&self) -> &[Spanned<JwtRule>] {
        self.jwt_rules.as_ref().map_or(&[], |rules| rules.value.as_slice())
    }

    /// `targetRefs` if there are any, else `targetRef`.
    pub fn target_refs(&self) -> &[TargetRef] {
        target_refs(self.target_refs.as_deref(), self.target_ref.as_deref())
    }
}

/// An entry of `jwtRules`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct JwtRule {
    /// The `iss` claim that tokens of this rule carry
    pub issuer: Option<Spanned<CompactString>>,
    /// Accepted `aud` claims; absent accepts any
    pub audiences: Option<Vec<CompactString>>,
    /// Where the key set is fetched
    #[serde(alias = "jwks_uri")]
    pub jwks_uri: Option<Spanned<CompactString>>,
    /// The key set itself
    pub jwks: Option<Spanned<CompactString>>,
    /// Headers that carry the token
    pub from_headers: Option<Vec<JwtHeader>>,
    /// Query parameters that carry the token
    pub from_params: Option<Vec<CompactString>>,
    /// Cookies that carry the token
    pub from_cookies: Option<Vec<CompactString>>,
    /// Header that receives the payload
    pub output_payload_to_header: Option<CompactString>,
    /// Whether the token is passed on
    pub forward_original_token: Option<bool>,
    /// Headers that receive claims
    pub output_claim_to_headers: Option<Vec<Option<ClaimToHeader>>>,
    /// Timeout of fetching the key set
    pub timeout: Option<CompactString>,
    /// Claims that hold several values separated by spaces
    pub space_delimited_claims: Option<Vec<CompactString>>,
    /// Read by nothing in istiod
    pub presence: Option<CompactString>,
}

/// An entry of `fromHeaders`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct JwtHeader {
    /// Header name
    pub name: Option<CompactString>,
    /// Text before the token
    pub prefix: Option<CompactString>,
}

/// An entry of `outputClaimToHeaders`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClaimToHeader {
    /// Header name
    pub header: Option<CompactString>,
    /// Claim
    pub claim: Option<CompactString>,
}

/// The list in force of the two spellings.
fn target_refs<'a>(
    several: Option<&'a Spanned<Vec<TargetRef>>>,
    one: Option<&'a Spanned<TargetRef>>,
) -> &'a [TargetRef] {
    match (several, one) {
        (Some(refs), _) if !refs.value.is_empty() => &refs.value,
        (_, Some(target)) => std::slice::from_ref(&target.value),
        _ => &[],
    }
}
