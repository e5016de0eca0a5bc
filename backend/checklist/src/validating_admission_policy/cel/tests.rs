use super::*;
use serde_json::json;

fn scope() -> Scope {
    let object = json!({
        "metadata": { "name": "web", "labels": { "b": "2", "a": "1" } },
        "spec": { "containers": [{ "name": "one", "image": "ghcr.io/acme/one:1" }, { "name": "two", "image": "two" }], "replicas": 3 },
    });
    let unknown = BTreeMap::from([("request.userInfo".to_owned(), "not known".to_owned())]);
    Scope::new(
        &[("object", &object), ("oldObject", &json!(null)), ("request", &json!({ "operation": "CREATE" }))],
        unknown,
    )
    .unwrap()
}

fn truth(text: &str) -> Result<bool, Failure> {
    scope().truth(&Expression::compile(text))
}

#[test]
fn evaluates_what_policies_use() {
    for text in [
        "object.spec.replicas == 3 && object.spec.replicas <= 3.0",
        "object.spec.containers.all(c, c.name.size() == 3)",
        "object.spec.containers.exists(c, has(c.image) && !has(c.securityContext))",
        "object.spec.containers.exists_one(c, c.image.startsWith('ghcr.io/'))",
        "object.spec.containers.map(c, c.name) == ['one', 'two']",
        "object.spec.containers.map(c, c.image == 'two', c.name) == ['two']",
        "object.spec.containers.filter(c, c.image.contains('/')).size() == 1",
        "object.metadata.labels.map(k, k) == ['a', 'b'] && object.metadata.labels.all(k, k in ['a', 'b'])",
        "object.metadata.labels.all(k, v, k + v in ['a1', 'b2'])",
        "object.metadata.labels.exists(k, v, v == '2') && ['x', 'y'].exists(i, v, i == 1 && v == 'y')",
        "['x', 'y'].existsOne(i, v, v == 'y')",
        "['x', 'y'].transformList(i, v, string(i) + v) == ['0x', '1y']",
        "['x', 'y'].transformList(i, v, i > 0, v) == ['y']",
        "object.metadata.labels.transformMap(k, v, v + v) == {'a': '11', 'b': '22'}",
        "object.metadata.labels.transformMap(k, v, k == 'a', v) == {'a': '1'}",
        "object.metadata.labels.transformMapEntry(k, v, {v: k}) == {'1': 'a', '2': 'b'}",
        "object.?spec.?missing.orValue(7) == 7 && !object.spec.?missing.hasValue()",
        "object.spec.?replicas.optMap(r, r + 1).value() == 4",
        "object.metadata.labels[?'zz'].orValue('none') == 'none' && [1, 2][?5].orValue(0) == 0",
        "'ghcr.io/acme'.matches('^ghcr\\\\.io/[a-z]+$') && !'a'.matches('b')",
        "'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b2'.findAll('[0-9]', 1) == ['1']",
        "[1, 2, 3].isSorted() && ![2, 1].isSorted() && [1, 2].sum() == 3 && [3, 1].min() == 1 && [3, 1].max() == 3",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(9) == -1",
        "[1, [2]].flatten() == [1, 2] && [1, 1].distinct() == [1] && [1, 2, 3].slice(0, 1) == [1]",
        "sets.contains([1, 2], [1]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('100m').isLessThan(quantity('1'))",
        "quantity('500m').add(quantity('0.5')).compareTo(quantity('1')) == 0 && quantity('2').asInteger() == 2",
        "isQuantity('1Ki') && !isQuantity('1KB') && quantity('1') == quantity('1000m') && sign(quantity('3').sub(1)) == 1",
        "ip('10.0.0.1').family() == 4 && isIP('::1') && !isIP('1.2.3') && ip('::1').isLoopback()",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.0'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && cidr('10.1.1.1/8').masked() == cidr('10.0.0.0/8')",
        "string(ip('10.0.0.1')) == '10.0.0.1' && cidr('::/0').prefixLength() == 0 && ip('8.8.8.8').isGlobalUnicast()",
        "'abc'.charAt(1) == 'b' && 'abcb'.indexOf('b') == 1 && 'abcb'.lastIndexOf('b') == 3 && ['a', 'b'].join(',') == 'a,b'",
        "'AbC'.lowerAscii() == 'abc' && 'a'.upperAscii() == 'A' && 'aa'.replace('a', 'b') == 'bb' && 'a,b'.split(',') == ['a', 'b']",
        "'abc'.substring(1, 2) == 'b' && ' a '.trim() == 'a' && '%s-%d'.format(['a', 1]) == 'a-1' && strings.quote('a') == '\"a\"'",
        "type(1) == int && type('') == string && type(object.spec) == map && type([]) == list && [type(1)].all(t, t == int) && ([type(1)] + [string])[1] == string",
        "int('7') == 7 && uint(7) == 7u && double('1.5') == 1.5 && string(true) == 'true' && bytes('a') == b'a'",
        "timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-02T00:00:00Z') && duration('1h') > duration('59m')",
        "oldObject == null && request.operation == 'CREATE' && dyn(1) != 'a'",
        // An error beside what decides does not matter.
        "object.spec.missing == 1 || true",
        "!(false && object.spec.missing == 1)",
        "object.spec.containers.exists(c, c.missing == 1 || c.name == 'two')",
    ] {
        assert_eq!(truth(text), Ok(true), "{text}");
    }
}

/// Each of these has a fixture in e2e/admission that shows that the API server has it too.
#[test]
fn errors_that_the_api_server_has_too() {
    for (text, error) in [
        ("object.spec.missing == 1", "no such key: missing"),
        ("object.spec.containers.all(c, c.securityContext.privileged)", "no such key: securityContext"),
        ("object.metadata.labels['zz'] == 'a'", "no such key: zz"),
        ("oldObject.spec.replicas == 1", "no such key on a null_type"),
        ("object.metadata.name.first == 'a'", "no such key on a string"),
        ("object.spec.containers[5].name == 'a'", "index out of bounds"),
        ("1 / (object.spec.replicas - 3) == 1", "division by zero"),
        ("1 % (object.spec.replicas - 3) == 1", "modulus by zero"),
        (
            "sign(quantity(object.metadata.name)) == 1",
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        ("object.spec.missing == 1 || object.spec.containers[5].name == 'a'", "index out of bounds"),
    ] {
        assert_eq!(truth(text), Err(Failure::Error(error.to_owned())), "{text}");
    }
}

#[test]
fn everything_else_is_not_supported() {
    for text in [
        "authorizer.group('').resource('pods').check('create').allowed()",
        "false && authorizer.group('').resource('pods').check('create').allowed()",
        "url('https://example.com').getHost() == 'example.com'",
        "nothing == 1",
        "object.spec.replicas.unheardOf()",
        "1 +",
        "",
        "request.userInfo.username == 'a'",
        "has(request.userInfo.username)",
        "request == null",
        "variables.missing == 1",
        "object.spec.replicas + 'a' == 'b'",
        "object.spec.replicas > 'a'",
        "object.spec.replicas",
        "int(object.metadata.name) == 1",
        "object.metadata.name.matches('(')",
        // The error that the API server has must not hide that of the interpreter, on either side.
        "object.spec.missing == 1 || url('a').getHost() == 'a'",
        "url('a').getHost() == 'a' || object.spec.missing == 1",
        "object.spec.containers.all(c, c.name == 'one' ? url('a').getHost() == 'a' : c.missing)",
        "object.spec.containers.filter(c, c.missing || c.absent).size() == 1",
    ] {
        assert!(matches!(truth(text), Err(Failure::Unsupported(_))), "{text}: {:?}", truth(text));
    }
}

#[test]
fn variables_are_values_and_errors() {
    let scope = scope();
    scope.define("containers", &Expression::compile("object.spec.containers"));
    scope.define("names", &Expression::compile("variables.containers.map(c, c.name)"));
    scope.define("kind", &Expression::compile("type(object.spec)"));
    scope.define("broken", &Expression::compile("object.spec.missing"));
    scope.define("foreign", &Expression::compile("url('a').getHost()"));
    for (text, expected) in [
        ("variables.names == ['one', 'two'] && variables.kind == map", Ok(true)),
        ("true || variables.broken == 1", Ok(true)),
        (
            "variables.broken == 1",
            Err(Failure::Error(
                "composited variable \"broken\" fails to evaluate: no such key: missing".to_owned(),
            )),
        ),
    ] {
        assert_eq!(scope.truth(&Expression::compile(text)), expected, "{text}");
    }
    let foreign = scope.truth(&Expression::compile("variables.foreign == 'a'"));
    assert!(matches!(foreign, Err(Failure::Unsupported(_))), "{foreign:?}");
}

#[test]
fn work_is_bounded() {
    let nested = |depth: usize| {
        let range = format!("[{}]", vec!["1"; 100].join(","));
        let names = ["a", "b", "c", "d", "e", "f"];
        let open: String = names[..depth].iter().map(|name| format!("{range}.all({name}, ")).collect();
        format!("{open}true{}", ")".repeat(depth))
    };
    assert_eq!(truth(&nested(2)), Ok(true));
    for text in [
        nested(6),
        format!("{}.size() > 0", nested(6).replace("all", "map")),
        "lists.range(1000000).map(i, object).size() > 0".to_owned(),
        format!("'a'{}.size() > 0", ".replace('', 'aaaaaaaaaa')".repeat(12)),
        format!("[['a', 'b']]{}.size() > 0", ".map(x, x + x)".repeat(40)),
        "a".repeat(LONGEST_EXPRESSION + 1),
    ] {
        let failed = truth(&text);
        assert!(matches!(failed, Err(Failure::Unsupported(_))), "{}: {failed:?}", &text[..40]);
    }
}

/// On the two mebibytes that a thread of a test has.
#[test]
fn the_deepest_that_is_let_through_does_not_overflow_the_stack() {
    for (open, middle, close) in [
        ("(", "true", ")"),
        ("!", "true", ""),
        ("[", "1", "]"),
        ("{1: ", "1", "}"),
        ("[1].all(a, ", "true", ")"),
        ("[1].map(a, ", "true", ")"),
        ("[1].transformList(a, b, ", "true", ")"),
        ("size(", "1", ")"),
        ("true ? false : ", "true", ""),
        ("1 + ", "1", ""),
        ("", "object", ".a"),
        ("", "object", "[0]"),
        ("", "object", ".?a"),
        ("", "object", ".f()"),
        ("", "[1]", ".map(x, x)"),
    ] {
        let mut evaluated = 0;
        for times in 1..=usize::from(nesting::DEEPEST) {
            let text = format!("{}{middle}{}", open.repeat(times), close.repeat(times));
            if nesting::check(&text).is_ok() {
                evaluated = times;
                let _ = truth(&text);
            }
        }
        assert!(evaluated >= 10, "{open}{middle}{close}: {evaluated}");
    }
}
