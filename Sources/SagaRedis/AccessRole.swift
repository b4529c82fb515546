/// A part in the coordination, and so a user of the Redis server.
public enum AccessRole: Sendable, Hashable {
    /// All instances of one service.
    case service(String)
    case orchestrator
    /// Starts sagas and waits for their ends.
    case starter
    /// Sees everything but secrets, registers definitions, starts and steers sagas.
    case `operator`
    /// Sees what the operator sees, and changes nothing.
    case viewer

    /// The user's name where nobody chooses another one.
    public var defaultUser: String {
        switch self {
        // No name of a service can make it the user of another role.
        case .service(let name): "skald-service-\(name)"
        case .orchestrator: "skald-orchestrator"
        case .starter: "skald-starter"
        case .operator: "skald-operator"
        case .viewer: "skald-viewer"
        }
    }
}
