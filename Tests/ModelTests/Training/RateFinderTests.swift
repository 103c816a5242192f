import Kernels
import Testing

@testable import Model

struct RateFinderTests {
  private static func result(
    _ points: [(rate: Double, smoothed: Double)]
  ) -> RateFinder.Result {
    RateFinder.Result(
      points: points.map { .init(rate: $0.rate, loss: $0.smoothed, smoothed: $0.smoothed) },
      isDiverged: false)
  }

  @Test func theSuggestionIsWhereTheLossFallsFastest() throws {
    let found = Self.result([
      (1e-5, 3), (1e-4, 2.9), (1e-3, 2.8), (1e-2, 1.5), (1e-1, 1.4), (1, 9),
    ])
    #expect(abs((found.suggestion ?? 0) / 3.1623e-3 - 1) < 1e-3)
    #expect(Self.result([(1e-5, 1), (1e-4, 2), (1e-3, 3), (1e-2, 4)]).suggestion == nil)
  }

  @Test func searchingChangesNothing() throws {
    let tiny = TinyTraining()
    let network = try TinyTraining.network()
    let before = network.weightDigest
    let settings = try tiny.hyperparameters
    let finder = try RateFinder(network, data: TinyTraining.data(), settings: settings)
    var told = 0
    let found = try finder.run(1e-4...1e-1, steps: 12) { done in
      told = done
      return true
    }
    #expect(network.weightDigest == before)
    // Four steps an epoch: the search went on into a third one.
    #expect(found.points.count == 12 && told == 12 && !found.isDiverged)
    #expect(found.points.map(\.rate) == found.points.map(\.rate).sorted())
    #expect(abs((found.points.last?.rate ?? 0) - 0.1) < 1e-12)
    let again = try RateFinder(network, data: TinyTraining.data(), settings: settings)
    #expect(try again.run(1e-4...1e-1, steps: 12) == found)
  }

  @Test func anAbsurdRateEndsTheSearch() throws {
    let finder = try RateFinder(
      TinyTraining.network(), data: TinyTraining.data(), settings: TinyTraining().hyperparameters)
    let found = try finder.run(1...1e9, steps: 40)
    #expect(found.isDiverged && found.points.count < 40)
  }
}
