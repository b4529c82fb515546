package import SagaCore

/// How the store is doing, as those tell who work on it.
///
/// A trouble is one, however many of them meet it, and however often: it begins with the first failure, and is over when
/// all of them have been served again, and none has failed for a while.
package struct Health {
    /// Who works on the store.
    package enum Part: Hashable {
        /// The start-up, until the namespace is open.
        case opening
        /// The keeper of the leases.
        case leases
        case lane(Int)
        /// The roll call. That it fails is told like the others' failures, and keeps no saga waiting.
        case heartbeats
    }

    private struct Trouble {
        var since: Milliseconds
        var lastFailure: Milliseconds
    }

    package private(set) var lastContact: Milliseconds?
    package private(set) var lastError: String?
    private var failing: [Part: Milliseconds] = [:]
    private var trouble: Trouble?

    package init() {}

    /// - Returns: Whether this is news: no trouble was told of.
    package mutating func failed(_ part: Part, _ error: String, now: Milliseconds) -> Bool {
        lastError = error
        failing[part] = failing[part] ?? now
        defer { trouble = Trouble(since: trouble?.since ?? now, lastFailure: now) }
        return trouble == nil
    }

    package mutating func succeeded(_ part: Part, now: Milliseconds) {
        lastContact = now
        failing[part] = nil
        if failing.isEmpty { lastError = nil }
    }

    /// Nothing is asked of the store any more.
    package mutating func rests(_ part: Part) {
        failing[part] = nil
        if failing.isEmpty { lastError = nil }
    }

    /// How long a trouble lasted that is over, told once.
    package mutating func end(after quiet: Milliseconds, now: Milliseconds) -> Milliseconds? {
        guard failing.isEmpty, let trouble, now - trouble.lastFailure > quiet else { return nil }
        self.trouble = nil
        return trouble.lastFailure - trouble.since
    }

    /// Whether the store has answered lately, and nobody has been waiting for it for so long.
    package func isWell(within span: Milliseconds, now: Milliseconds) -> Bool {
        guard let lastContact, now - lastContact < span else { return false }
        return failing.allSatisfy { part, since in part == .heartbeats || now - since < span }
    }
}
