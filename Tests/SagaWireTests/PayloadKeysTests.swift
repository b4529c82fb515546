import Foundation
import SagaCore
import SagaWire
import Testing

@Suite("Encrypted payloads")
struct PayloadKeysTests {
    private let old = PayloadKeys.newLine(id: "old")
    private let new = PayloadKeys.newLine(id: "new")
    private let text = Array(#"{"card":"4111"}"#.utf8)

    private func keys(_ lines: String...) throws -> PayloadKeys {
        try PayloadKeys(parsing: "# comment\n\n" + lines.joined(separator: "\n"), name: "keys")
    }

    private func code(_ body: () throws -> some Any) -> PayloadKeyError.Code? {
        #expect(throws: PayloadKeyError.self) { _ = try body() }?.code
    }

    @Test func whatIsSealedIsOpenedByWhoHasTheKeyAndHidden() throws {
        let keys = try keys(new)
        let sealed = try keys.seal(text, of: "order-1")
        #expect(try keys.open(sealed, of: "order-1") == text)
        #expect(PayloadKeys.keyID(of: sealed) == "new")
        #expect(!String(decoding: sealed, as: UTF8.self).contains("card"))
        #expect(String(validating: sealed, as: UTF8.self) == nil, "no text, so no JSON")
        #expect(try keys.seal([], of: "order-1") == [])
    }

    /// A repeated start must be the same start.
    @Test func thePayloadOfOneRoutingKeyIsAlwaysSealedAlikeAndThatOfAnotherIsNot() throws {
        let keys = try keys(new)
        let sealed = try keys.seal(text, of: "order-1")
        #expect(try keys.seal(text, of: "order-1") == sealed)
        #expect(try keys.seal(text, of: "order-2").suffix(16) != sealed.suffix(16))
        #expect(try keys.seal(text + [0x20], of: "order-1") != sealed)
    }

    @Test func aPayloadMovesWithinItsRoutingKeyAndNotBeyond() throws {
        let keys = try keys(new)
        let sealed = try keys.seal(text, of: "order-1")
        #expect(try keys.open(sealed, of: "order-1/award/points") == text, "a child saga")
        #expect(code { try keys.open(sealed, of: "order-2") } == .damaged)
        #expect(code { try keys.open(sealed, of: "order-1x/award") } == .damaged)
    }

    @Test func oldKeysOpenAndTheFirstOneSeals() throws {
        let sealed = try keys(old).seal(text, of: "s")
        let both = try keys(new, old)
        #expect(both.currentID == "new")
        #expect(try both.open(sealed, of: "s") == text)
        #expect(PayloadKeys.keyID(of: try both.seal(text, of: "s")) == "new")
        let onlyNew = try keys(new)
        let error = #expect(throws: PayloadKeyError.self) { try onlyNew.open(sealed, of: "s") }
        #expect(error?.code == .unknownKey)
        #expect(error?.description.contains("'old'") == true)
        let impostor = try keys(PayloadKeys.newLine(id: "old"))
        #expect(code { try impostor.open(sealed, of: "s") } == .damaged)
    }

    @Test func whatIsNotSealedIsReadUnlessSealedIsDemanded() throws {
        var keys = try keys(new)
        #expect(try keys.open(text, of: "s") == text)
        keys.demandsSealed = true
        #expect(code { try keys.open(text, of: "s") } == .plain)
        #expect(try keys.open([], of: "s") == [])
        #expect(try keys.open(keys.seal(text, of: "s"), of: "s") == text)
    }

    @Test func everyChangedByteAndEveryCutIsNoticed() throws {
        let keys = try keys(new)
        let sealed = try keys.seal(text, of: "s")
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            // Without its magic it is a payload that was never sealed.
            if index < 4 {
                #expect(try keys.open(changed, of: "s") == changed)
            } else {
                #expect(code { try keys.open(changed, of: "s") } != nil)
            }
            let cut = Array(sealed[..<index])
            if index < 4 {
                #expect(try keys.open(cut, of: "s") == cut)
            } else {
                #expect(code { try keys.open(cut, of: "s") } == .damaged)
            }
        }
    }

    @Test(arguments: [
        ("", "holds no key"), ("new", "ID BASE64"), ("new AAAA", "not 32 bytes"), ("new !", "not 32 bytes"),
        ("a/b \(String(repeating: "A", count: 43))=", "ID BASE64"),
        (
            "k \(String(repeating: "A", count: 43))=\nk \(String(repeating: "B", count: 42))A=",
            "keys:2: key 'k' is there twice"
        ),
    ])
    func aFileOfNoUseIsRefusedWithItsLineAndWithoutTheKey(text: String, reason: String) {
        let error = #expect(throws: PayloadKeyError.self) { try PayloadKeys(parsing: text, name: "keys") }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("AAAA") == false)
        #expect(error?.code == .file)
    }

    @Test func aFileThatOthersCanReadIsRefused() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "skald-keys-\(UUID().uuidString)")
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(new.utf8).write(to: file)
        var environment = ["SKALD_PAYLOAD_KEYS_FILE": file.path]
        for (mode, isFine) in [(0o600, true), (0o640, true), (0o644, false), (0o660, false), (0o602, false)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
            #expect(((try? PayloadKeys.read(from: environment)) != nil) == isFine, "\(String(mode, radix: 8))")
        }
        #expect(try PayloadKeys.read(from: [:]) == nil)
        environment = ["SKALD_PAYLOAD_KEYS_DEMANDED": "yes"]
        #expect(code { try PayloadKeys.read(from: environment) } == .file)
    }

    @Test func nothingPrintedShowsAKey() throws {
        let keys = try keys(new)
        let secret = String(try #require(new.split(separator: " ").last))
        var dumped = ""
        dump(keys, to: &dumped)
        #expect(!("\(keys)" + String(reflecting: keys) + dumped).contains(secret))
    }
}

@Suite("Bounds of an inbox entry")
struct EntryBoundTests {
    @Test func messagesBeyondTheBoundAreRefusedAsOne() {
        var limits = InboxMessage.Limits()
        limits.messages = 3
        var entry = Fields()
        for index in 0..<10 {
            entry.append(contentsOf: StartMessage(saga: "s\(index)", definition: "order", input: []).fields)
        }
        let messages = entry.withViews { InboxMessage.decode(entry: $0, of: .intake, limits: limits) }
        #expect(messages.map(\.position) == [0, 1, 2, 3])
        guard case .failure(let reason)? = messages.last?.content else {
            Issue.record("the rest is not refused")
            return
        }
        #expect(reason.description == "oversized: the entry has more than 3 messages")
        #expect(messages.last?.saga == "s3")
        #expect(InboxMessage.Limits().messages == 4_096)
    }
}
