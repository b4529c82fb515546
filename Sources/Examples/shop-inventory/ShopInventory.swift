import ArgumentParser
import SagaParticipant
import Shop

/// The service `inventory`.
@main
struct ShopInventory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-inventory", abstract: "The shop's stock: reserves articles and releases them.")

    @OptionGroup var service: ShopService

    func run() async throws {
        try await service.run("inventory") { db, seed in
            try StockRoom.createTables(db)
            try StockRoom.fill(db, from: seed)
        } _: { inventory in
            inventory.on("reserve") { (request: OrderRequest, _, db) in try StockRoom(db).reserve(request) }
            inventory.on("release") { (request: OrderRequest, _, db) in try StockRoom(db).release(request) }
        }
    }
}
