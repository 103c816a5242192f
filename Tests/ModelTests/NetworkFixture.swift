import Foundation
import Kernels
import Testing

@testable import Model

/// What timm computed for one network; written by Tests/Tools/make_network_fixtures.py.
struct NetworkFixture: Decodable {
  struct Digest: Decodable {
    let norm: Double
    let projection: Double
    let samples: [Double]
    /// How far PyTorch's own float32 result is from these float64 numbers.
    let noise: Double
  }

  let model: String
  let batch: Int
  let inputSize: Int
  let classes: Int
  let gain: Double
  let learningRate: Double
  let momentum: Double
  let weightDecay: Double
  let smoothing: Double
  let evalLogits: [[Double]]
  let trainLogits: [[Double]]
  let losses: [Double]
  let lossNoise: [Double]
  let gradients: [String: Digest]
  let statistics: [String: Digest]

  static func load(_ name: String) throws -> NetworkFixture {
    let file = fixtureFolder("network").appendingPathComponent("\(name).json")
    return try JSONDecoder().decode(NetworkFixture.self, from: Data(contentsOf: file))
  }

  /// The network with every tensor set by the formula.
  func network() throws -> Network {
    let network = Network(uninitialized: try Blueprint(variant, classCount: classes))
    fillByFormula(network, gain: gain)
    return network
  }

  /// The network of the table, or the smallest one with the pooling that its name ends in.
  private var variant: Variant {
    get throws {
      let words = model.split(separator: "_")
      guard words.first == "mini", let pooling = GlobalPooling(word: String(words[1])) else {
        return try Variant.named(model)
      }
      return try MiniNetwork.variant(head: 40).pooled(by: pooling)
    }
  }

  var labels: [Int32] { (0..<batch).map { Int32((7 * $0 + 3) % classes) } }

  /// Writes the formula's images.
  func fillImages(_ input: UnsafeMutablePointer<Float>) {
    fillFormulaImages(input, count: batch, size: inputSize)
  }
}

/// How far a loss may be from PyTorch's, relative to it, where PyTorch's own losses in single precision are
/// `noise` from those in double precision.
///
/// Such a difference has either sign and passes through zero while the rounding behind it grows, so the
/// step after counts too.
func allowedLossError(_ noise: [Double], step: Int) -> Double {
  1e-5 + 10 * (noise.prefix(step + 2).max() ?? 0)
}

/// Writes the formula's images, which are indexed as NCHW, into an NHWC batch, from the image `first`.
func fillFormulaImages(
  _ input: UnsafeMutablePointer<Float>, count: Int, size: Int, channels: Int = 3,
  first: Int = 0
) {
  let plane = size * size
  for image in 0..<count {
    for channel in 0..<channels {
      for pixel in 0..<plane {
        let index = ((first + image) * channels + channel) * plane + pixel
        let value = FormulaNumbers(key: "input").uniform(index) * 3.squareRoot()
        input[(image * plane + pixel) * channels + channel] = Float(value)
      }
    }
  }
}

/// The fixtures of one area.
func fixtureFolder(_ area: String) -> URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures").appendingPathComponent(area)
}

/// The fixtures' numbers: a hash of a key and an index.
struct FormulaNumbers {
  private let start: UInt64

  init(key: String) { start = stableHash(key) }

  func bits(_ index: Int) -> UInt64 {
    var z = start &+ (UInt64(index) &+ 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in -1 ..< 1.
  func uniform(_ index: Int) -> Double { Double(bits(index) >> 11) * 0x1p-52 - 1 }
}

/// Sets every tensor to the values of the fixtures' formula.
func fillByFormula(_ network: Network, gain: Double) {
  let store = network.parameters
  for info in store.table.entries where info.storage != .counters {
    let numbers = FormulaNumbers(key: info.path)
    let scale: (Double) -> Double
    switch info.role.part {
    case .runningMean, .bias, .normShift: scale = { 0.1 * $0 }
    case .runningVariance: scale = { 1 + 0.3 * $0 }
    case .normScale: scale = { 1 + 0.2 * $0 }
    case _ where [.classToken, .positions].contains(info.role.layer): scale = { 0.5 * $0 }
    default:
      let fanIn = info.timmShape.dropFirst().reduce(1, *)
      let factor = (gain / Double(fanIn)).squareRoot()
      scale = { $0 * factor }
    }
    let values = (0..<info.count).map { Float(scale(numbers.uniform($0))) }
    let base = info.storage == .weights ? store.weights : store.buffers
    info.layout.fromTimm(values, to: base + info.offset, shape: info.shape)
  }
}

/// The digest of a tensor in timm's layout, and whether it agrees with PyTorch's.
struct TensorDigest {
  let norm: Double
  let projection: Double
  let samples: [Double]

  init(_ values: [Float], _ info: ParameterInfo) {
    var there = [Float](repeating: 0, count: values.count)
    info.layout.toTimm(values, to: &there, shape: info.shape)
    let signs = FormulaNumbers(key: "signs of " + info.path)
    let places = FormulaNumbers(key: "samples of " + info.path)
    var squares = 0.0
    var sum = 0.0
    for (index, value) in there.enumerated() {
      squares += Double(value) * Double(value)
      sum += signs.bits(index) & 1 == 0 ? Double(value) : -Double(value)
    }
    norm = squares.squareRoot()
    projection = sum
    samples = (0..<8).map { Double(there[Int(places.bits($0) % UInt64(there.count))]) }
  }

  /// The largest deviation from the expectation in units of what is allowed.
  ///
  /// `noise` is the norm of PyTorch's own rounding errors over the whole tensor. Norms differ by at
  /// most the norm of the difference; its projection on random signs is about as large, seldom
  /// three times; one element holds a small part of it. `floor` is the share of the tensor's norm
  /// below which float32 sums cannot be told apart.
  func deviation(from expected: NetworkFixture.Digest, factor: Double, floor: Double) -> Double {
    let allowed = factor * expected.noise + floor * expected.norm
    var worst = abs(norm - expected.norm) / allowed
    worst = max(worst, abs(projection - expected.projection) / (4 * allowed))
    for (mine, theirs) in zip(samples, expected.samples) {
      worst = max(worst, abs(mine - theirs) / (allowed + 1e-6 * abs(theirs)))
    }
    return worst
  }
}
