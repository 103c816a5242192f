import Foundation
import Testing

@testable import Model

/// Initial values, layouts, and the replacement of the classifier.
struct NetworkParameterTests {
  static func network(_ name: String, classes: Int, seed: UInt64 = 1) throws -> Network {
    Network(try Blueprint(Variant.named(name), classCount: classes), seed: seed)
  }

  @Test("initial values follow timm's distributions")
  func distributions() throws {
    let network = try Self.network("tf_efficientnetv2_b0", classes: 10)
    for info in network.blueprint.parameters.entries {
      let values = network.parameters.values(info).map(Double.init)
      let mean = values.reduce(0, +) / Double(max(1, values.count))
      let deviation =
        (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count)))
        .squareRoot()
      // Five standard errors of a mean and, roughly, of a deviation.
      let error = 5 / Double(max(1, values.count)).squareRoot()
      switch info.role.part {
      case .weight where info.layout == .dense:
        let bound = 1 / 10.0.squareRoot()
        #expect(values.allSatisfy { abs($0) <= bound })
        #expect(abs(deviation / (bound / 3.0.squareRoot()) - 1) < error, "\(info.path)")
      case .weight:
        // Outputs times kernel area; a depthwise kernel has one output for each channel.
        let fanOut =
          info.timmShape[2] * info.timmShape[3]
          * (info.layout == .depthwise ? 1 : info.timmShape[0])
        let expected = (2 / Double(fanOut)).squareRoot()
        #expect(abs(deviation / expected - 1) < error, "\(info.path)")
        #expect(abs(mean) < error * expected, "\(info.path)")
      case .normScale, .runningVariance: #expect(values.allSatisfy { $0 == 1 })
      case .bias, .normShift, .runningMean, .batchCount: #expect(values.allSatisfy { $0 == 0 })
      }
    }
  }

  @Test("initial values are a function of the seed, and of nothing else")
  func seeds() throws {
    func values(_ network: Network, _ path: String) throws -> [Float] {
      network.parameters.values(try #require(network.blueprint.parameters[path]))
    }
    let first = try Self.network("tf_efficientnetv2_b0", classes: 10, seed: 1)
    let again = try Self.network("tf_efficientnetv2_b0", classes: 100, seed: 1)
    let other = try Self.network("tf_efficientnetv2_b0", classes: 10, seed: 2)
    for path in ["conv_stem.weight", "blocks.3.1.conv_dw.weight"] {
      #expect(try values(first, path) == values(again, path))
      #expect(try values(first, path) != values(other, path))
    }
    #expect(try values(first, "conv_stem.weight") != values(first, "conv_head.weight"))
  }

  @Test("a new classifier leaves the rest alone")
  func replacedHead() throws {
    let network = try Self.network("tf_efficientnetv2_b0", classes: 10)
    network.parameters.buffers[5] = 42
    network.parameters.counters[3] = 7
    let replaced = try network.replacingHead(classCount: 7, seed: 9)
    let fresh = try Self.network("tf_efficientnetv2_b0", classes: 7, seed: 9)
    #expect(replaced.blueprint.classCount == 7)
    for info in replaced.blueprint.parameters.entries {
      let origin = info.role.unit == .classifier ? fresh : network
      let source = try #require(origin.blueprint.parameters[info.path])
      #expect(
        replaced.parameters.values(info) == origin.parameters.values(source), "\(info.path)")
    }
    #expect(throws: ArchitectureError.classCount(0)) {
      try network.replacingHead(classCount: 0, seed: 1)
    }
  }

  @Test("layouts convert to timm's and back")
  func layouts() {
    let cases: [(ParameterLayout, [Int], [Int])] = [
      (.convolution, [3, 3, 2, 5], [5, 2, 3, 3]), (.convolution, [1, 1, 4, 3], [3, 4, 1, 1]),
      (.depthwise, [3, 3, 4], [4, 1, 3, 3]), (.depthwise, [5, 5, 2], [2, 1, 5, 5]),
      (.dense, [4, 3], [3, 4]), (.vector, [6], [6]), (.scalar, [], []),
    ]
    for (layout, shape, timmShape) in cases {
      #expect(layout.timmShape(of: shape) == timmShape)
      let count = shape.reduce(1, *)
      let here = (0..<count).map(Float.init)
      var there = [Float](repeating: -1, count: count)
      var back = there
      layout.toTimm(here, to: &there, shape: shape)
      layout.fromTimm(there, to: &back, shape: shape)
      #expect(back == here)
    }
    // [R][S][C][K] at (1, 2, 1, 4) is [K][C][R][S] at (4, 1, 1, 2).
    let here = (0..<90).map(Float.init)
    var there = [Float](repeating: 0, count: 90)
    ParameterLayout.convolution.toTimm(here, to: &there, shape: [3, 3, 2, 5])
    let placeHere: Int = ((1 * 3 + 2) * 2 + 1) * 5 + 4
    let placeThere: Int = ((4 * 2 + 1) * 3 + 1) * 3 + 2
    #expect(there[placeThere] == here[placeHere])
  }

  @Test("layer rows describe every block")
  func rows() throws {
    let blueprint = try Blueprint(Variant.named("tf_efficientnetv2_b0"), classCount: 10)
    let rows = blueprint.layers(inputSize: 192)
    #expect(rows.count == blueprint.blocks.count + 3)
    #expect(rows[0].outputSize == 96)
    #expect(rows.first { $0.path == "blocks.3.0" }?.kind == "inverted 3x3 s2 e4 se")
    #expect(rows.first { $0.path == "blocks.1.1" }?.kind == "fused 3x3 e4 skip")
    #expect(rows.first { $0.path == "blocks.0.0" }?.kind == "convolution 3x3")
    #expect(rows.last?.multiplyAdds == 12_800)
    #expect(rows.dropLast().last?.outputSize == 6)
  }
}
