import SagaRedis
import SagaStore

// What definitions ask of the server.
extension ServerReading {
    /// Whether the server can do what these definitions ask for with durability `replicated`.
    package func confirmation(of definitions: [String]) -> Finding? {
        guard let info, !definitions.isEmpty else { return nil }
        let names = definitions.prefix(5).joined(separator: ", ") + (definitions.count > 5 ? ", …" : "")
        switch ConfirmationMeans(info, appendfsync: settings.map { $0["appendfsync"] }, replicas: 1) {
        case .replicas: return Finding(.ok, "durability", "replicas confirm what \(names) must not lose")
        case .disk: return Finding(.ok, "durability", "the disk confirms what \(names) must not lose")
        case .none(let reason):
            return Finding(
                .warning, "durability",
                "\(names): durability replicated is treated as async, since the server cannot confirm writes: \(reason)",
                remedy: "until then a failover or a crash may lose a pivot, or an end that was told")
        }
    }
}
