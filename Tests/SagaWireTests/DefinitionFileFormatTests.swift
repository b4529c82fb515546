import SagaWire
import Testing

/// Faults of the formats themselves.
struct DefinitionFileFormatTests {
    static let yaml = [
        RefusedFile(
            "name: [a", "2:1: this is no YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
        RefusedFile(
            "name: d\n\tversion: 1",
            "2:1: this is no YAML: while scanning a plain scalar, found a tab character that violates indentation"),
        RefusedFile("name: d\nname: e", "1:1: written twice in one mapping: 'name'"),
        RefusedFile(
            "name: \"a", "1:9: this is no YAML: while scanning a quoted scalar, found unexpected end of stream"),
        RefusedFile("name: &a d\nversion: 1", "1:7: anchors and aliases are not supported: write the value out"),
        RefusedFile("a: &x [1]\nb: *x", "1:4: anchors and aliases are not supported: write the value out"),
        RefusedFile("a: *x", "1:4: this is no YAML: found undefined alias"),
        RefusedFile("name: !!binary aGk=", "1:7: the tag 'tag:yaml.org,2002:binary' is not supported"),
        RefusedFile("name: !mine {}", "1:7: the tag '!mine' is not supported"),
        RefusedFile("[a, b]: c", "1:1: a key must be plain text"),
        RefusedFile("? {a: b}\n: c", "1:3: a key must be plain text"),
        RefusedFile(
            "<<: {name: d}\nversion: 1\nsteps: []",
            "1:1: unknown key '<<' here: known are name, version, deadline, durability, compensation, retention, trigger, steps",
            "1:1: the key 'name' is missing", "3:8: a definition needs at least one step"),
        RefusedFile(
            "name: \"\\uD800\"",
            "1:10: this is no YAML: while parsing a quoted scalar, found invalid Unicode character escape code"),
        RefusedFile("name: a\u{01}b", "1:8: this is no YAML: control characters are not allowed"),
        RefusedFile(
            String(repeating: "[", count: 33) + String(repeating: "]", count: 33), "1:33: nested deeper than 32 levels"),
        RefusedFile(
            String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000),
            "1:1: nested deeper than 32 levels"),
    ]

    static let json = [
        RefusedFile("", "1:1: expected a value, but the text ends"),
        RefusedFile("[]", "1:1: a definition must be a mapping of keys to values, not a list"),
        RefusedFile("{\"name\":\"d\",\n\"version\":1,}", "2:13: expected a name in double quotes, found '}'"),
        RefusedFile("{\"name\":\"d\",\n \"name\":\"e\"}", "2:2: the key is written twice"),
        RefusedFile("{\"name\":\"d\"}\nx", "2:1: the text goes on after the value"),
        RefusedFile(
            "{\"name\":\"ü\",\"version\":true,\n\"steps\":[{\"name\":\"a\",\"service\":\"s\",\"action\":\"do\",\"pivot\":1}]}",
            "1:9: 'ü' is no name: use 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit",
            "1:23: version must be a whole number, not true", "2:58: pivot must be true or false, not the number 1"),
        RefusedFile(String(repeating: "[", count: 33), "1:33: nested deeper than 32 levels"),
    ]

    @Test(arguments: yaml) func badYAMLIsRefused(file: RefusedFile) { file.check(name: "dir/order.yml") }
    @Test(arguments: json) func badJSONIsRefused(file: RefusedFile) { file.check(name: "dir/order.JSON") }

    @Test func bytesThatAreNoTextAreRefused() {
        for (name, place) in [("a.yaml", "2:3"), ("a.json", "2:3")] {
            #expect {
                try DefinitionFile.parse([0x20, 0x0a, 0xc3, 0xa9, 0x20, 0xff], name: name)
            } throws: {
                "\($0)" == "\(name):\(place): the text is not UTF-8"
            }
        }
    }

    @Test func filesThatAreTooLargeAreRefused() {
        let text = [UInt8](repeating: 0x20, count: DefinitionFile.maxSize + 1)
        #expect {
            try DefinitionFile.parse(text, name: "a.yaml")
        } throws: {
            "\($0)" == "a.yaml:1:1: the file has 1048577 bytes: at most 1048576 are read"
        }
    }

    /// Each of these would keep a YAML parser busy for hours, or fill the memory.
    @Test(.timeLimit(.minutes(1)))
    func bombsAreRefusedBeforeTheyGoOff() {
        let levels = (1..<40).map { "a\($0): &a\($0) {? *a\($0 - 1) : 1, ? [*a\($0 - 1)] : 1}" }
        let bombs = [
            "a0: &a0 [x, y]\n" + levels.joined(separator: "\n"),
            levels.map { $0.replacing("? ", with: "!!map\t") }.joined(separator: "\n"),
            levels.map { $0.replacing("? ", with: "é ") }.joined(separator: "\r"),
            String(repeating: "? ", count: 100_000),
            String(repeating: "? - ", count: 100_000),
        ]
        for bomb in bombs {
            #expect {
                try DefinitionFile.parse(Array(bomb.utf8), name: "bomb")
            } throws: {
                "\($0)".contains("more than 8 places look like anchors (&), aliases (*) or complex keys (?)")
            }
        }
        for deep in ["[", "{", "- ", "{a: ", "a:\n ", "!!seq [", "'", "\"", "|\n", "{[}]"] {
            let text = String(repeating: deep, count: 50_000)
            #expect(throws: DefinitionFileFaults.self) { try DefinitionFile.parse(Array(text.utf8), name: "deep") }
        }
    }

    @Test func signsThatOnlyLookLikeAnchorsAreNoFault() throws {
        let text = """
            # - *several* orders & payments: *all of them*
            name: "d" # ? why not
            version: 1
            steps: [{name: a, service: s, action: do}] # &co
            """
        #expect(try DefinitionFile.parse(Array(text.utf8), name: "d.yaml").count == 1)
    }
}
