public import SagaCore
public import SagaWire

/// Where an entry of a stream stands.
public typealias StreamID = StoredStream.ID

/// A stream of the in-memory store, with Redis' rules for ids: an instant and a number, always rising.
public struct StoredStream: Sendable {
    /// Where an entry stands: `MILLISECONDS-NUMBER`.
    public struct ID: Sendable, Hashable, Comparable, CustomStringConvertible {
        public var milliseconds: UInt64
        public var number: UInt64

        public init(milliseconds: UInt64, number: UInt64) {
            self.milliseconds = milliseconds
            self.number = number
        }

        /// Nil where the text is no id.
        public init?(_ text: String) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let milliseconds = UInt64(parts[0]), let number = UInt64(parts[1]) else {
                return nil
            }
            self.init(milliseconds: milliseconds, number: number)
        }

        /// Reads an id in place; nil where the bytes are none.
        package init?(digits: UnsafeRawBufferPointer) {
            var parts: (UInt64, UInt64) = (0, 0)
            var isBehindDash = false
            for byte in digits {
                if byte == UInt8(ascii: "-"), !isBehindDash {
                    isBehindDash = true
                    continue
                }
                guard (0x30...0x39).contains(byte) else { return nil }
                let (shifted, overflow) = (isBehindDash ? parts.1 : parts.0).multipliedReportingOverflow(by: 10)
                let (sum, carry) = shifted.addingReportingOverflow(UInt64(byte - 0x30))
                guard !overflow, !carry else { return nil }
                if isBehindDash { parts.1 = sum } else { parts.0 = sum }
            }
            guard isBehindDash else { return nil }
            self.init(milliseconds: parts.0, number: parts.1)
        }

        public static func < (one: ID, other: ID) -> Bool {
            (one.milliseconds, one.number) < (other.milliseconds, other.number)
        }

        public var description: String { "\(milliseconds)-\(number)" }
    }

    public struct Entry: Sendable {
        public var id: ID
        public var fields: Fields
    }

    /// Oldest first.
    public private(set) var entries: [Entry] = []
    /// The highest id that was ever given; where the clock goes back, ids go on from here.
    private var last = ID(milliseconds: 0, number: 0)

    public init() {}

    /// Appends an entry and returns its id.
    @discardableResult
    public mutating func append(_ fields: Fields, at instant: Milliseconds) -> ID {
        let now = UInt64(max(0, instant))
        last =
            now > last.milliseconds
            ? ID(milliseconds: now, number: 0) : ID(milliseconds: last.milliseconds, number: last.number + 1)
        entries.append(Entry(id: last, fields: fields))
        return last
    }

    /// At most `count` entries behind `position`.
    public func read(after position: ID, count: Int) -> ArraySlice<Entry> {
        entries[place { $0 <= position }...].prefix(count)
    }

    public func entry(_ id: ID) -> Entry? {
        let place = place { $0 < id }
        return place < entries.count && entries[place].id == id ? entries[place] : nil
    }

    /// Removes what is older than `id`, which stays.
    public mutating func trim(below id: ID) {
        entries.removeFirst(place { $0 < id })
    }

    /// Removes an entry, if it is there.
    mutating func remove(_ id: ID) {
        let place = place { $0 < id }
        if place < entries.count, entries[place].id == id { entries.remove(at: place) }
    }

    /// Takes the oldest entries off the stream.
    public mutating func takeFirst(_ count: Int) -> [Entry] {
        let taken = Array(entries.prefix(count))
        entries.removeFirst(taken.count)
        return taken
    }

    /// The place of the first entry whose id is not among the low ones.
    private func place(isLow: (ID) -> Bool) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if isLow(entries[middle].id) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
