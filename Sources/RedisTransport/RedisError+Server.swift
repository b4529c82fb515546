extension RedisError {
    /// Longer messages are cut: they end up in logs.
    static let maxMessageBytes = 1024

    /// Parses the text of an error reply (without its `-`).
    ///
    /// The effect: Redis refuses a command before it changes anything, with one exception. An error that a
    /// `redis.call` raises within a script leaves the script's earlier writes; such errors carry the script's name at
    /// their end. Errors of unknown kind may come from a script's own `error_reply`, so they prove nothing either.
    init(serverText bytes: UnsafeRawBufferPointer) {
        // A peer's control characters must not reach a terminal.
        let printable = bytes.prefix(Self.maxMessageBytes).map { $0 < 32 || $0 == 127 ? UInt8(ascii: "?") : $0 }
        self.init(serverText: String(decoding: printable, as: UTF8.self))
    }

    init(serverText text: String) {
        let message = text.isEmpty ? "the server replied an empty error" : text
        self.init(code: Self.code(of: text), message: message, effect: .notApplied)
        if case .other = code { effect = .indeterminate }
        if wasRaisedInScript, message.contains(Self.missingRightInScript) { code = .noPermission }
        if wasRaisedInScript { effect = .indeterminate }
    }

    /// "WRONGTYPE Operation against a key … script: SHA, on @user_script:1."
    var wasRaisedInScript: Bool {
        message.contains(" script: ") && message.contains(", on @")
    }

    /// Within a script a missing right is an ERR, which names neither the command nor the key.
    private static let missingRightInScript = "The user executing the script can't "

    private static func code(of text: String) -> Code {
        let words = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true)
        let word = words.first.map(String.init) ?? "ERR"
        switch word {
        case "MOVED", "ASK":
            guard words.count >= 3, let slot = Int(words[1]), (0..<16_384).contains(slot) else { return .other(word) }
            let address = String(words[2])
            return word == "MOVED" ? .moved(slot: slot, address: address) : .ask(slot: slot, address: address)
        case "EXECABORT":
            // EXEC itself was refused ("EXECABORT Transaction discarded because of: READONLY …"): the reason counts.
            guard let marker = text.firstRange(of: "because of: ") else { return .execAbort }
            let reason = code(of: String(text[marker.upperBound...]))
            if case .other = reason { return .execAbort }
            return reason
        default:
            return simpleCodes[word] ?? .other(word)
        }
    }

    private static let simpleCodes: [String: Code] = [
        "NOSCRIPT": .noScript, "TRYAGAIN": .tryAgain, "CLUSTERDOWN": .clusterDown, "CROSSSLOT": .crossSlot,
        "LOADING": .loading, "BUSY": .busy, "READONLY": .readOnly, "OOM": .outOfMemory, "MISCONF": .misconf,
        "NOREPLICAS": .noReplicas, "MASTERDOWN": .masterDown, "NOAUTH": .noAuth, "WRONGPASS": .wrongPass,
        "NOPERM": .noPermission, "WRONGTYPE": .wrongType, "NOGROUP": .noGroup, "BUSYGROUP": .busyGroup,
        "UNBLOCKED": .unblocked, "EXECABORT": .execAbort,
    ]
}
