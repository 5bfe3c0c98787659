//! What other tools write: templates, wrappers, lists of a cluster, kinds that only look like Istio's. Each is known for
//! what it is, and counted.

use meshlint::model::{InputFile, LoadOptions, Loaded, ProblemKind, load};
use meshlint::text::{FileId, Files};
use meshlint::yaml;

/// What loading one text gives.
fn loaded(text: &str) -> Loaded {
    let mut files = Files::default();
    let inputs = [InputFile { file: files.add("a.yaml", text), context: false }];
    load(&files, &inputs, &LoadOptions::default())
}

/// Kinds of problems.
fn problems(loaded: &Loaded) -> Vec<ProblemKind> {
    loaded.problems.iter().map(|problem| problem.kind).collect()
}

const POLICY: &str =
    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\nspec: {}\n";

#[test]
fn a_template_that_was_not_rendered_is_one_problem_and_left_out() {
    let helm = [
        POLICY.replace("name: a", "name: {{ .Release.Name }}"),
        format!("{{{{- if .Values.enabled }}}}\n{POLICY}{{{{- end }}}}\n"),
        format!("{POLICY}  {{{{- include \"labels\" . | nindent 2 }}}}\n"),
        format!("{{% if enabled %}}\n{POLICY}{{% endif %}}\n"),
    ];
    for text in helm {
        let loaded = loaded(&text);
        assert_eq!(problems(&loaded), [ProblemKind::Template], "{text}");
        assert_eq!((loaded.counts.skipped, loaded.counts.mesh_resources), (1, 1), "{text}");
        assert!(loaded.mesh.authorization_policies.is_empty());
    }
    // Behind a `#` and within quotes it is text.
    let annotated = POLICY.replace("{name: a,", "{name: a, annotations: {b: \"{{ x }}\"},");
    let quoted = loaded(&format!("# {{{{ x }}}}\n{annotated}"));
    assert_eq!((problems(&quoted), quoted.mesh.authorization_policies.len()), (vec![], 1));
}

#[test]
fn a_list_of_a_cluster_is_taken_apart_whatever_the_server_added() {
    let item = r#"{"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"kind\":\"AuthorizationPolicy\"}\n"},
            "creationTimestamp": "2026-01-02T03:04:05Z", "generation": 2, "name": "NAME", "namespace": "shop", "resourceVersion": "9",
            "uid": "00000000-0000-0000-0000-000000000000",
            "managedFields": [{"apiVersion": "security.istio.io/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {".": {}}}, "manager": "kubectl"}]},
        "spec": {"rules": [{}]}, "status": {"conditions": [{"status": "True", "type": "Reconciled"}], "observedGeneration": "2"}}"#;
    let list = |names: [&str; 2]| {
        let items = names.map(|name| item.replace("NAME", name)).join(",\n");
        format!(
            "{{\"apiVersion\": \"v1\", \"items\": [{items}], \"kind\": \"List\", \"metadata\": {{\"resourceVersion\": \"\"}}}}\n"
        )
    };
    let loaded = loaded(&(list(["a", "b"]) + &list(["c", "d"])));
    assert_eq!((problems(&loaded), loaded.counts.documents), (vec![], 4));
    assert_eq!(loaded.mesh.authorization_policies.len(), 4, "two lists, one behind the other, with two policies each");
    assert!(loaded.mesh.authorization_policies.iter().all(|policy| policy.created.is_some()));
}

#[test]
fn wrappers_of_delivery_tools_are_objects_of_other_kinds() {
    let wrappers = "\
apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop, namespace: argocd}\nspec: {source: {helm: {values: 'a: {{ b }}'}}}\n---\n\
apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: shop}\nspec: {template: {metadata: {name: '{{cluster}}'}}}\n---\n\
apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: shop, namespace: flux-system}\nspec: {path: ./shop}\n---\n\
apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop, namespace: flux-system}\nspec: {chart: {spec: {chart: shop}}}\n";
    let loaded = loaded(wrappers);
    assert!(problems(&loaded).is_empty(), "{:?}", loaded.problems);
    let kinds: Vec<(&str, usize)> = loaded.counts.other.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(kinds, [("Application", 1), ("ApplicationSet", 1), ("HelmRelease", 1), ("Kustomization", 1)]);
    assert_eq!((loaded.counts.documents, loaded.counts.skipped, loaded.counts.kustomizations), (4, 0, 0));
}

#[test]
fn kinds_of_other_groups_are_not_those_of_istio() {
    let groups = [
        ("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
        ("security.istio.io.example.com/v1", "AuthorizationPolicy"),
        ("networking.gke.io/v1", "Gateway"),
        ("operator.example.com/v1", "VirtualService"),
        ("serving.knative.dev/v1", "Service"),
        ("cilium.io/v2", "NetworkPolicy"),
    ];
    for (version, kind) in groups {
        let loaded = loaded(&format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a, namespace: shop}}\nspec: {{rules: 5, hosts: {{}}}}\n"
        ));
        assert!(problems(&loaded).is_empty(), "{kind} of {version}: {:?}", loaded.problems);
        assert_eq!(loaded.counts.other.get(kind), Some(&1), "{kind} of {version}");
        assert_eq!((loaded.counts.mesh_resources, loaded.counts.network_policies), (0, 0), "{kind} of {version}");
    }
}

#[test]
fn a_list_whose_first_item_is_empty_braces_spans_all_its_items() {
    let text = "spec:\n  egress:\n  - {}\n  - hosts: [a]\n  other: 1\n";
    for stream in [yaml::read(FileId(0), text), yaml::read_by_parser(FileId(0), text)] {
        let list = stream.documents[0].root().pointer(&["spec", "egress"]).expect("the list");
        let slice = |span: meshlint::text::Span| text.get(span.start as usize..span.end as usize).unwrap_or_default();
        assert!(slice(list.span()).starts_with("{}") && slice(list.span()).ends_with("[a]"), "{}", slice(list.span()));
        let items: Vec<&str> = list.items().map(|item| slice(item.span())).collect();
        assert_eq!(items, ["{}", "hosts: [a]"]);
    }
}
