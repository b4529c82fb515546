import SagaCore
import Testing

struct JSONWriterTests {
    private func payload(_ text: String) -> String { payload(Array(text.utf8)) }

    private func payload(_ bytes: [UInt8]?) -> String {
        var writer = JSONWriter()
        jsonOrBase64(bytes, into: &writer)
        return writer.text
    }

    @Test func commasComeByThemselves() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("text", "a")
        writer.field("number", -5)
        writer.field("large", Int64.max)
        writer.field("yes", true)
        writer.field("share", 0.25)
        writer.field("none", nil as String?)
        writer.field("no-number", nil as Int64?)
        writer.field("some", "b" as String?)
        writer.beginArray("list")
        writer.value("x")
        writer.value(1)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.endArray()
        writer.beginObject("inner")
        writer.name(text: "a\"b")
        writer.value(false)
        writer.endObject()
        writer.field("payload", payload: Array("{\"a\": [1, 2]}".utf8))
        writer.endObject()
        writer.endLine()
        writer.beginObject()
        writer.endObject()
        #expect(
            writer.text == """
                {"text":"a","number":-5,"large":9223372036854775807,"yes":true,"share":0.25,"none":null,\
                "no-number":null,"some":"b","list":["x",1,null,{},[]],"inner":{"a\\"b":false},"payload":{"a":[1,2]}}
                {}
                """)
    }

    @Test func textIsEscapedWhereItMustBe() {
        var writer = JSONWriter()
        writer.value("a\"b\\c/\u{08}\t\n\u{0c}\r\u{00}\u{1b}\u{1f}\u{7f}é\u{2028}😀")
        #expect(writer.text == "\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0000\\u001b\\u001f\u{7f}é\u{2028}😀\"")
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (2, "2"), (0.1, "0.1"), (1.0 / 3, "0.3333333333333333"), (1e300, "1e+300"),
        (.leastNonzeroMagnitude, "5e-324"), (.infinity, "null"), (.nan, "null"),
        (9_007_199_254_740_991, "9007199254740991"),
    ])
    func doublesAreTheShortestTextThatReadsBack(value: Double, text: String) throws {
        var writer = JSONWriter()
        writer.value(value)
        #expect(writer.text == text)
        if value.isFinite { #expect(try JSON.parse(writer.bytes).double == value) }
    }

    @Test(arguments: [
        ("{\"a\":1}", "{\"a\":1}"), ("null", "null"), ("1.50", "1.50"), ("\"é\\u0041\"", "\"é\\u0041\""),
        ("{\r\n\t\"a b\" : [ 1 , \"c \\\" d\\\\\" ]\n}\n", "{\"a b\":[1,\"c \\\" d\\\\\"]}"),
        // Names may repeat: it is JSON, and nobody asked what it means.
        ("{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}"),
    ])
    func aPayloadThatIsJSONIsEmbeddedAsWrittenOnOneLine(text: String, embedded: String) {
        #expect(payload(text) == embedded)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"), ("{\"a\":1", "eyJhIjox"),
    ])
    func aPayloadThatIsNoJSONIsBase64(text: String, encoded: String) {
        #expect(payload(text) == "{\"base64\":\"\(encoded)\"}")
    }

    @Test func anyBytesCanBePayload() {
        #expect(payload(nil as [UInt8]?) == "null")
        #expect(payload([0xff, 0xfe, 0xfb]) == "{\"base64\":\"//77\"}")
        #expect(payload([0x00]) == "{\"base64\":\"AA==\"}")
    }

    @Test func payloadsThatAreNestedTooDeepAreBytes() {
        let deep = { (levels: Int) in
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(payload(deep(500)) == deep(500))
        #expect(payload(deep(501)).hasPrefix("{\"base64\":\"W1tb"))
    }
}
