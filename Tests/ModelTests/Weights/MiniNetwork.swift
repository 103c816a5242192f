import Foundation

@testable import Model

/// The networks of Tests/Tools/mini_network.py and mini_transformer.py: the smallest with a block of
/// each kind. The fixtures `mini-*` hold them under every library's names, each number a formula of
/// its timm name and place.
enum MiniNetwork {
  /// - Parameter head: the features; Keras's networks have no other number than 1280.
  static func variant(head: Int = 8) -> Variant {
    Variant(
      "mini", summary: "for tests",
      shape: NetworkShape(
        stemChannels: 8,
        stages: [
          StageSpec(.convolution, repeats: 1, channels: 8, stride: 1, expansion: 1),
          StageSpec(.fused, repeats: 1, channels: 8, stride: 2, expansion: 4),
          StageSpec(
            .inverted, repeats: 2, channels: 8, stride: 2, expansion: 4,
            gate: .squeezeExcitation(ratio: 0.25)),
        ], headChannels: head),
      padding: .same, normEpsilon: 1e-3, tags: [], untrained: Preprocessing(inputSize: 16))
  }

  /// EfficientNet's first generation.
  ///
  /// - Parameter head: the features.
  static func first(head: Int = 8) -> Variant {
    let gate = GateKind.squeezeExcitation(ratio: 0.25)
    return Variant(
      "mini-first", summary: "for tests",
      shape: NetworkShape(
        stemChannels: 8,
        stages: [
          StageSpec(.separable, repeats: 1, channels: 8, stride: 1, expansion: 1, gate: gate),
          StageSpec(
            .inverted, repeats: 2, channels: 8, kernel: 5, stride: 2, expansion: 4, gate: gate),
        ], headChannels: head),
      padding: .same, normEpsilon: 1e-3, tags: [], untrained: Preprocessing(inputSize: 16))
  }

  /// A vision transformer; the fixtures have it for images of 16 pixels.
  static func transformer(inputSize: Int = 16) -> Variant {
    Variant(
      "mini-vit", summary: "for tests",
      shape: TransformerShape(patchSize: 4, channels: 8, depth: 2, heads: 2), tags: [],
      untrained: Preprocessing(inputSize: inputSize))
  }

  /// The largest difference between a network's numbers and the formula's.
  static func error(_ network: Network) -> Double {
    let store = network.parameters
    var worst = 0.0
    for info in store.table.entries where info.storage != .counters {
      let base = (info.storage == .weights ? store.weights : store.buffers) + info.offset
      var values = [Float](repeating: 0, count: info.count)
      info.layout.toTimm(base, to: &values, shape: info.shape)
      let numbers = FormulaNumbers(key: info.path)
      for (index, value) in values.enumerated() {
        worst = max(worst, abs(Double(value) - numbers.uniform(index)))
      }
    }
    return worst
  }

  /// A fixture's place.
  static func file(_ name: String) -> URL { weightFixtures.appendingPathComponent(name) }
}
