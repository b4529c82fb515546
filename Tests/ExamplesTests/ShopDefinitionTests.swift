import Foundation
import SagaCore
import SagaWire
import Shop
import TestSupport
import Testing

@Suite struct ShopDefinitionTests {
    @Test func theShopsDefinitionIsValidAndForgetsNothing() throws {
        let file = try DefinitionFile(
            parsing: Repository.bytes(of: "deploy/shop/order.yaml"), name: "deploy/shop/order.yaml")
        #expect(file.warnings.isEmpty)
        let order = try #require(file.definitions.first)
        #expect(order.steps.map(\.service) == ["orders", "inventory", "payments", "orders"])
        #expect(
            order.steps.map({ $0.operation(of: .action) }) == ["create-order", "reserve", "charge", "confirm-order"])
        #expect(order.steps.map(\.compensation) == ["cancel-order", "release", "refund", nil])
        #expect(order.pivot == 3)
    }

    @Test func theShopsSeedFileFeedsEveryService() throws {
        let seed = try JSONDecoder().decode(ShopSeed.self, from: Data(Repository.bytes(of: "deploy/shop/shop.json")))
        #expect(!seed.products.isEmpty && !seed.days.isEmpty && !seed.stock.isEmpty && !seed.accounts.isEmpty)
    }
}
