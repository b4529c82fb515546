import Foundation
import Shop
import Testing
import ShopStage

@Suite struct WorkloadTests {
    @Test func theSameSeedPlacesTheSameOrders() {
        let first = Workload(orders: 100, seed: 7)
        let second = Workload(orders: 100, seed: 7)
        #expect(first.shop == second.shop && first.orders == second.orders)
        #expect(Workload(orders: 100, seed: 8).orders != first.orders)
    }

    @Test func everyOrderIsOneThatTheServicesCanRead() throws {
        let workload = Workload(orders: 1_200, seed: 1)
        #expect(Set(workload.orders.map(\.order)).count == 1_200)
        for order in workload.orders {
            #expect(try JSONDecoder().decode(OrderRequest.self, from: JSONEncoder().encode(order)) == order)
        }
    }

    @Test func everyRuleHasSomethingToRefuse() {
        let workload = Workload(orders: 1_200, seed: 1)
        let sold = Set(workload.shop.products.map(\.sku))
        #expect(workload.orders.contains { !$0.lines.allSatisfy { sold.contains($0.sku) } })
        let wanted = workload.orders.flatMap(\.lines).reduce(into: [:]) { $0[$1.sku, default: 0] += $1.quantity }
        #expect(workload.shop.stock.contains { $0.quantity < wanted[$0.sku, default: 0] })
        #expect(
            workload.shop.days.contains { day in
                day.capacity < workload.orders.count { $0.day == day.day }
            })
        #expect(workload.shop.accounts.contains { $0.balance + $0.credit < 100_000 })
    }
}
