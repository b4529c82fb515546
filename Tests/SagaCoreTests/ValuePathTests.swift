import Testing

@testable import SagaCore

struct ValuePathTests {
    private func value(_ path: String, in payload: String) throws -> JSON? {
        try #require(ValuePath(path)).find(in: try JSON.parse(Array(payload.utf8)))
    }

    @Test func aPathNamesAPayloadAndTheWayIntoIt() {
        #expect(ValuePath("input") == ValuePath(.input))
        #expect(ValuePath("input.total.net") == ValuePath(.input, ["total", "net"]))
        #expect(ValuePath("result.reserve") == ValuePath(.result("reserve")))
        #expect(ValuePath("result.reserve.items.0") == ValuePath(.result("reserve"), ["items", "0"]))
    }

    @Test(arguments: ["input", "input.a.0.b c", "result.reserve", "result.s-1.é"])
    func aPathIsWrittenAsItIsRead(text: String) throws {
        #expect(try #require(ValuePath(text)).description == text)
    }

    @Test(arguments: [
        "", ".", "input.", ".input", "input..a", "result", "result.", "inputs", "total", "$.a", "Input.a",
    ])
    func whatIsNoPathIsRefused(text: String) {
        #expect(ValuePath(text) == nil)
    }

    @Test func membersAndElementsAreFound() throws {
        let payload = #"{"a":{"b":[10,[20,30],{"c":null}]},"0":"zero","":1}"#
        #expect(try value("input.a.b.0", in: payload) == .number("10"))
        #expect(try value("input.a.b.1.1", in: payload) == .number("30"))
        #expect(try value("input.a.b.2.c", in: payload) == .null)
        #expect(try value("input.0", in: payload) == .string("zero"))
        #expect(try value("input", in: "[1]") == .array([.number("1")]))
        #expect(try value("input.0", in: "[1]") == .number("1"))
    }

    @Test(arguments: [
        "input.x", "input.a.x", "input.a.b.3", "input.a.b.-1", "input.a.b.00", "input.a.b.+1", "input.a.b.1e0",
        "input.a.b.0.x", "input.s.0", "input.a.b.99999999999999999999", "input.A",
    ])
    func aWayThatEndsBeforeLeadsNowhere(path: String) throws {
        #expect(try value(path, in: #"{"a":{"b":[10,[20]]},"s":"text"}"#) == nil)
    }
}
