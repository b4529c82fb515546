import SagaCore
import Testing

/// The JSON reader, case by case.
struct JSONTests {
    private func parse(_ text: String) throws(JSONFault) -> JSON { try JSON.parse(Array(text.utf8)) }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "12", "-1.5e+10", "1E-2", "0.000", "\"\"", "[]", "{}", " \t\r\n1 \n",
        "[1,2]", "[[],{}]", "{\"a\":1}", "{\"\":{\"b\":[null]}}", "\"a\u{7f}b\"", "\"\u{2028}\"", "\"é😀\"",
        "\"\\u0000\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00\"", "\"\\uffff\"",
        "123456789012345678901234567890", "1e400", "[ 1 , { \"a\" : 2 } ]",
    ])
    func whatIsJSONIsRead(text: String) {
        #expect(throws: Never.self) { try parse(text) }
    }

    @Test(arguments: [
        ("", "1:1: expected a value, but the text ends"),
        ("  \n ", "2:2: expected a value, but the text ends"),
        ("nul", "1:1: expected a value, found 'n'"),
        ("True", "1:1: expected a value, found 'T'"),
        ("NaN", "1:1: expected a value, found 'N'"),
        ("1 2", "1:3: the text goes on after the value"),
        ("{} x", "1:4: the text goes on after the value"),
        ("nullx", "1:5: the text goes on after the value"),
        ("01", "1:1: a number must not start with a zero"),
        ("-01", "1:1: a number must not start with a zero"),
        ("+1", "1:1: expected a value, found '+'"),
        (".5", "1:1: expected a value, found '.'"),
        ("1.", "1:3: expected a digit, but the text ends"),
        ("1.e1", "1:3: expected a digit, found 'e'"),
        ("-", "1:2: expected a digit, but the text ends"),
        ("1e", "1:3: expected a digit, but the text ends"),
        ("1e+x", "1:4: expected a digit, found 'x'"),
        ("0x10", "1:2: the text goes on after the value"),
        ("[1,]", "1:4: expected a value, found ']'"),
        ("[,1]", "1:2: expected a value, found ','"),
        ("[1 2]", "1:4: expected ',' or ']', found '2'"),
        ("[1", "1:3: expected ',' or ']', but the text ends"),
        ("[1}", "1:3: expected ',' or ']', found '}'"),
        ("{\"a\":1]", "1:7: expected ',' or '}', found ']'"),
        ("{\"a\"}", "1:5: expected ':', found '}'"),
        ("{\"a\":}", "1:6: expected a value, found '}'"),
        ("{\"a\":1,}", "1:8: expected a name in double quotes, found '}'"),
        ("{,}", "1:2: expected a name in double quotes, found ','"),
        ("{a:1}", "1:2: expected a name in double quotes, found 'a'"),
        ("{1:1}", "1:2: expected a name in double quotes, found '1'"),
        ("{'a':1}", "1:2: expected a name in double quotes, found '''"),
        ("{\"a\":1,\n \"a\":2}", "2:2: the name is used twice"),
        ("{\"a\":1, \"\\u0061\":2}", "1:9: the name is used twice"),
        ("'a'", "1:1: expected a value, found '''"),
        ("\"abc", "1:1: the string has no closing quote"),
        ("\"abc\\\"", "1:1: the string has no closing quote"),
        ("\"abc\\", "1:5: the string has no closing quote"),
        ("\"a\nb\"", "1:3: a control character in a string must be escaped"),
        ("\"a\tb\"", "1:3: a control character in a string must be escaped"),
        ("\"\\x41\"", "1:2: unknown escape in a string"),
        ("\"\\u12g4\"", "1:2: expected four hexadecimal digits after \\u"),
        ("\"\\u12\"", "1:2: expected four hexadecimal digits after \\u"),
        ("\"é\\ud83d\"", "1:3: half of a surrogate pair in a string"),
        ("\"\\ude00\\ud83d\"", "1:2: half of a surrogate pair in a string"),
        ("\"\\ud83d\\u0041\"", "1:2: half of a surrogate pair in a string"),
        ("\"\\ud83dx\"", "1:2: half of a surrogate pair in a string"),
        ("/* c */ 1", "1:1: expected a value, found '/'"),
        ("\u{feff}1", "1:1: expected a value"),
        ("[1,\r\n\r2,\n é]", "4:2: expected a value"),
    ])
    func whatIsNoJSONIsRefusedAtItsPlace(text: String, fault: String) {
        #expect {
            try parse(text)
        } throws: {
            "\($0)" == fault
        }
    }

    @Test(arguments: [
        ([0x22, 0xff, 0x22], "1:2: the text is not UTF-8"),
        ([0x22, 0xc3, 0x22], "1:2: the text is not UTF-8"),
        ([0x22, 0xc0, 0xaf, 0x22], "1:2: the text is not UTF-8"),
        ([0x22, 0xe0, 0x80, 0xaf, 0x22], "1:2: the text is not UTF-8"),
        ([0x22, 0xed, 0xa0, 0x80, 0x22], "1:2: the text is not UTF-8"),
        ([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], "1:2: the text is not UTF-8"),
        ([0x22, 0x0a, 0xe2, 0x82], "2:1: the text is not UTF-8"),
        ([0x00], "1:1: expected a value"),
    ])
    func bytesThatAreNoTextAreRefused(bytes: [UInt8], fault: String) {
        #expect {
            try JSON.parse(bytes)
        } throws: {
            "\($0)" == fault
        }
    }

    @Test func utf8IsCheckedLikeTheStandardLibraryDoes() {
        // All two-byte texts, and all three- and four-byte ones over the bytes where a rule changes.
        let edges: [UInt8] = [0x22, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0]
        for lead in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max { check([lead, second]) }
            for second in edges {
                for third in edges {
                    check([lead, second, third])
                    for fourth in edges where lead >= 0xf0 { check([lead, second, third, fourth]) }
                }
            }
        }
    }

    private func check(_ bytes: [UInt8]) {
        let isText = bytes.withUnsafeBufferPointer { UTF8Text.firstFault(in: $0) == nil }
        let expected = String(validating: bytes, as: UTF8.self) != nil
        // Expectations cost more than the checks.
        if isText != expected { Issue.record("\(bytes)") }
    }

    @Test func numbersKeepTheirDigits() throws {
        #expect(try parse("9223372036854775807").integer == .max)
        #expect(try parse("-9223372036854775808").integer == .min)
        #expect(try parse("9223372036854775808").integer == nil)
        #expect(try parse("1.0").integer == nil)
        #expect(try parse("1e2").integer == nil)
        #expect(try parse("1e2").double == 100)
        #expect(try parse("0.1").double == 0.1)
        #expect(try parse("1e400").double == nil)
        #expect(try parse("3.14159265358979323846264338327950288") == .number("3.14159265358979323846264338327950288"))
    }

    @Test func escapesAreDecoded() throws {
        #expect(try parse("\"a\\u0041\\n\\\"\\\\\\/\\ud83d\\ude00ü\\u00e9z\"").string == "aA\n\"\\/😀üéz")
        #expect(try parse("\"\\u0000\"").string == "\0")
        #expect(try parse("{\"\\u0061b\":1}")["ab"] == .number("1"))
    }

    @Test func membersKeepTheirOrder() throws {
        let value = try parse("{\"b\":1,\"a\":[true,null,\"x\"]}")
        #expect(value.object?.map(\.name) == ["b", "a"])
        #expect(value["a"]?[0]?.bool == true)
        #expect(value["a"]?[1]?.isNull == true)
        #expect(value["a"]?[2]?.string == "x")
        #expect(value["a"]?.array?.count == 3)
        #expect(value["a"]?[3] == nil && value["c"] == nil && value[0] == nil)
    }

    @Test func nestingIsBounded() {
        let deep = { (levels: Int) in
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(throws: Never.self) { try parse(deep(64)) }
        #expect {
            try parse(deep(65))
        } throws: {
            "\($0)" == "1:65: nested deeper than 64 levels"
        }
        #expect(throws: JSONFault.self) { try parse(String(repeating: "{\"a\":", count: 100_000)) }
    }

    @Test func manyMembersAreComparedToo() {
        let members = (0..<40).map { "\"m\($0)\":0" }.joined(separator: ",")
        #expect(throws: Never.self) { try parse("{\(members)}") }
        #expect(throws: JSONFault.self) { try parse("{\(members),\"m5\":0}") }
        #expect(throws: JSONFault.self) { try parse("{\(members),\"m39\":0}") }
    }

    @Test func borrowedBytesAreReadInPlace() throws {
        let value = try Array("xx[1]".utf8).withUnsafeBytes { bytes in
            try JSON.parse(UnsafeRawBufferPointer(rebasing: bytes[2...]))
        }
        #expect(value == .array([.number("1")]))
    }
}
