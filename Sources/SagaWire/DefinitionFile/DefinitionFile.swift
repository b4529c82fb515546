public import SagaCore

/// The definitions of one file, YAML or JSON, and what looks like an oversight in them.
public struct DefinitionFile: Sendable {
    public enum Format: Sendable, Hashable {
        /// One document or several, separated by `---`.
        case yaml
        /// One object.
        case json

        /// JSON for names that end in `.json`, else YAML.
        public init(ofFileNamed name: String) {
            self = name.lowercased().hasSuffix(".json") ? .json : .yaml
        }
    }

    /// Largest file that is read, in bytes.
    public static let maxSize = 1 << 20
    /// Deepest nesting of mappings and lists that is read.
    public static let maxDepth = 32
    /// Most faults that are told of one file.
    public static let maxFaults = 100

    /// In the order of the file; never empty.
    public let definitions: [Definition]
    /// Nothing that is refused. See ``/SagaCore/Definition/warnings(of:)``.
    public let warnings: [DefinitionFileFault]

    /// Reads and validates a file.
    ///
    /// - Parameters:
    ///   - name: how the file is called in faults.
    ///   - format: nil tells it from the name.
    /// - Throws: all faults at once, up to ``maxFaults``.
    public init(parsing text: [UInt8], name: String, format: Format? = nil) throws(DefinitionFileFaults) {
        try self.init(
            parsing: text, name: name, format: format ?? Format(ofFileNamed: name), maxSize: DefinitionFile.maxSize)
    }

    init(parsing text: [UInt8], name: String, format: Format, maxSize: Int) throws(DefinitionFileFaults) {
        var reader = DefinitionFileReader()
        do throws(TextFault) {
            guard text.count <= maxSize else {
                throw TextFault(.start, "the file has \(text.count) bytes: at most \(maxSize) are read")
            }
            reader.read(try DefinitionFile.documents(in: text, format: format))
        } catch {
            reader.faults.append(error)
        }
        guard reader.faults.isEmpty else { throw DefinitionFileFaults(reader.faults, in: name) }
        definitions = reader.definitions
        warnings = reader.warnings.map { DefinitionFileFault($0, in: name) }
    }

    /// The definitions of a file. See ``init(parsing:name:format:)``.
    public static func parse(
        _ text: [UInt8], name: String, format: Format? = nil
    ) throws(DefinitionFileFaults) -> [Definition] {
        try DefinitionFile(parsing: text, name: name, format: format).definitions
    }

    private static func documents(in text: [UInt8], format: Format) throws(TextFault) -> [FileNode] {
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let content = text.starts(with: byteOrderMark) ? text.dropFirst(byteOrderMark.count) : text[...]
        switch format {
        case .json: return [try FileNode.readJSON(content, maxDepth: maxDepth)]
        case .yaml: return try FileNode.readYAML(content, maxDepth: maxDepth)
        }
    }
}

/// One fault of a definition file.
public struct DefinitionFileFault: Error, Sendable, Hashable, CustomStringConvertible {
    public var file: String
    public var position: TextPosition
    public var reason: String

    public init(file: String, position: TextPosition, reason: String) {
        self.file = file
        self.position = position
        self.reason = reason
    }

    init(_ fault: TextFault, in file: String) {
        self.init(file: file, position: fault.position, reason: fault.reason)
    }

    /// `file:line:column: reason`.
    public var description: String { "\(file):\(position): \(reason)" }
}

/// All faults of a definition file, in the order of the file; never empty.
public struct DefinitionFileFaults: Error, Sendable, Hashable, CustomStringConvertible {
    public let faults: [DefinitionFileFault]

    init(_ faults: [TextFault], in file: String) {
        precondition(!faults.isEmpty, "a refusal needs a reason")
        let limit = DefinitionFile.maxFaults
        var told = faults.prefix(limit).map { DefinitionFileFault($0, in: file) }
        if faults.count > limit {
            let reason = "\(faults.count - limit) more faults are not shown"
            told.append(DefinitionFileFault(TextFault(faults[limit].position, reason), in: file))
        }
        self.faults = told
    }

    /// One line a fault.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
