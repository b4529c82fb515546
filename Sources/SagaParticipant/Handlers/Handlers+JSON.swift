extension Handlers {
    /// Handles an operation: the saga's input comes decoded from JSON, and what is returned becomes the step's result.
    ///
    /// An input that cannot be decoded is refused with the code `invalid-input`.
    public mutating func on<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ operation: String, _ handler: @escaping @Sendable (Input, CommandContext, Store.Transaction) throws -> Output
    ) {
        raw(operation) { context, transaction in
            try PayloadCoding.encode(try handler(try context.input(), context, transaction))
        }
    }

    /// Handles an operation that has no result.
    public mutating func on<Input: Decodable & SendableMetatype>(
        _ operation: String, _ handler: @escaping @Sendable (Input, CommandContext, Store.Transaction) throws -> Void
    ) {
        raw(operation) { context, transaction in
            try handler(try context.input(), context, transaction)
            return nil
        }
    }

    /// Handles an operation whose effect lies outside of the barrier's transaction. See ``external(_:within:_:)``.
    public mutating func onExternal<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ operation: String, within: Duration,
        _ handler: @escaping @Sendable (Input, CommandContext) async throws -> Output
    ) {
        external(operation, within: within) { context in
            try PayloadCoding.encode(try await handler(try context.input(), context))
        }
    }

    /// Handles an operation without a result whose effect lies outside of the barrier's transaction.
    public mutating func onExternal<Input: Decodable & SendableMetatype>(
        _ operation: String, within: Duration,
        _ handler: @escaping @Sendable (Input, CommandContext) async throws -> Void
    ) {
        external(operation, within: within) { context in
            try await handler(try context.input(), context)
            return nil
        }
    }
}
