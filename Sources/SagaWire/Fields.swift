/// The fields of one stream message, packed into one buffer.
///
/// A step's way makes half a dozen messages of a dozen fields; packing costs two allocations a message rather than two
/// a field.
public struct Fields: Sendable, Hashable {
    package private(set) var bytes: [UInt8] = []
    /// Where each name and each value ends, alternating.
    package private(set) var ends: [Int] = []

    public init() {}

    /// The number of name and value pairs.
    public var count: Int { ends.count / 2 }

    public mutating func append(_ name: StaticString, _ value: String) {
        append(name: name)
        bytes.append(contentsOf: value.utf8)
        ends.append(bytes.count)
    }

    public mutating func append(_ name: StaticString, _ value: [UInt8]) {
        append(name: name)
        bytes.append(contentsOf: value)
        ends.append(bytes.count)
    }

    public mutating func append(_ name: StaticString, _ value: some BinaryInteger) {
        append(name, String(value))
    }

    /// Appends a field whose name is not known at compile time, `label.NAME` or `result.STEP`.
    public mutating func append(_ prefix: StaticString, suffix: String, _ value: [UInt8]) {
        prefix.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: suffix.utf8)
        ends.append(bytes.count)
        bytes.append(contentsOf: value)
        ends.append(bytes.count)
    }

    /// Appends all fields of another message: an entry may carry several.
    public mutating func append(contentsOf other: Fields) {
        let offset = bytes.count
        bytes.append(contentsOf: other.bytes)
        ends.append(contentsOf: other.ends.lazy.map { $0 + offset })
    }

    /// Calls `body` with borrowed views of all fields, in order. The views must not leave the call.
    public func withViews<Result, Failure: Error>(
        _ body: ([FieldView]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var views: [FieldView] = []
        views.reserveCapacity(count)
        let outcome: Swift.Result<Result, Failure> = bytes.withUnsafeBytes { buffer in
            var start = 0
            for index in stride(from: 0, to: ends.count, by: 2) {
                views.append(
                    FieldView(
                        name: UnsafeRawBufferPointer(rebasing: buffer[start..<ends[index]]),
                        value: UnsafeRawBufferPointer(rebasing: buffer[ends[index]..<ends[index + 1]])))
                start = ends[index + 1]
            }
            do throws(Failure) {
                return .success(try body(views))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private mutating func append(name: StaticString) {
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        ends.append(bytes.count)
    }
}

/// A borrowed view of one field, in place in the buffer that it was read into.
///
/// - Important: Valid only as long as that buffer, which is not retained: never store one.
public struct FieldView {
    public let name: UnsafeRawBufferPointer
    public let value: UnsafeRawBufferPointer

    public init(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        self.name = name
        self.value = value
    }

    /// Whether the field has this name.
    @inline(__always)
    package func isNamed(_ expected: StaticString) -> Bool {
        guard name.count == expected.utf8CodeUnitCount else { return false }
        return name.elementsEqual(UnsafeRawBufferPointer(start: expected.utf8Start, count: expected.utf8CodeUnitCount))
    }

    /// What follows `prefix` in the name, where it starts with that and goes on.
    package func suffix(after prefix: StaticString) -> String? {
        let length = prefix.utf8CodeUnitCount
        guard name.count > length,
            name[..<length].elementsEqual(UnsafeRawBufferPointer(start: prefix.utf8Start, count: length))
        else { return nil }
        return String(decoding: name[length...], as: UTF8.self)
    }

    /// The value as text; bytes that are no UTF-8 are replaced.
    package var text: String { String(decoding: value, as: UTF8.self) }

    package var bytes: [UInt8] { [UInt8](value) }

    /// The value as a decimal number that isn't negative, at most 18 digits; nil where it is none.
    package var number: Int64? {
        guard (1...18).contains(value.count) else { return nil }
        var result: Int64 = 0
        for byte in value {
            guard (0x30...0x39).contains(byte) else { return nil }
            result = result * 10 + Int64(byte - 0x30)
        }
        return result
    }
}
