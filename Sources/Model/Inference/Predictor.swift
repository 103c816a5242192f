import Foundation
public import Kernels

/// Classifies pictures with a network's running statistics and folded weights.
public final class Predictor {
  /// A class and how probable the network finds it.
  public struct ClassProbability: Sendable, Equatable {
    /// The class, from 0.
    public let index: Int
    /// The softmax of its logit, in 0...1.
    public let probability: Double
    /// What the classifier gave it.
    public let logit: Double
  }

  let network: Network
  let transform: EvalTransform
  let folded: FoldedNetwork
  let classes: Int
  let mapChannels: Int
  private let batch: Int

  /// Plans the prediction for a network, whose weights are taken as they are now.
  ///
  /// - Parameter batch: how many pictures are computed at once.
  /// - Throws: `ArchitectureError` when the network cannot take pictures of this size.
  public init(
    _ network: Network, transform: EvalTransform, batch: Int = 16, pool: ThreadPool
  ) throws {
    precondition(batch > 0)
    try network.blueprint.checkImages()
    self.network = network
    self.transform = transform
    self.batch = batch
    classes = network.blueprint.classCount
    mapChannels = network.blueprint.mapChannels
    folded = try FoldedNetwork(
      network, maxBatch: batch, inputSize: transform.size, pool: pool)
  }

  /// Classifies every picture, in order.
  ///
  /// - Parameters:
  ///   - top: how many classes to report; all when there are fewer.
  ///   - failed: is told of a picture that cannot be read; what it throws ends the prediction.
  ///   - body: is told each picture's number and most probable classes, the most probable first
  ///     (the lower number first among equals); it answers whether to go on.
  public func run(
    _ images: any Dataset, top: Int, failed: (Int, any Error) throws -> Void,
    body: (Int, [ClassProbability]) throws -> Bool
  ) throws {
    let pixels = transform.size * transform.size
    let floats = transform.normalization.channels * pixels
    var pending: [Int] = []
    for index in 0..<images.count {
      do {
        let rendered = transform(try images.image(index))
        rendered.withView { view in
          transform.normalization.apply(
            view.base, pixelCount: pixels, into: folded.input + pending.count * floats)
        }
        pending.append(index)
      } catch {
        try failed(index, error)
      }
      if pending.count == batch || index == images.count - 1, !pending.isEmpty {
        let logits = folded.run(batch: pending.count)
        for (row, number) in pending.enumerated() {
          guard try body(number, best(logits + row * classes, top: top)) else { return }
        }
        pending.removeAll(keepingCapacity: true)
      }
    }
  }

  /// The features of one picture before the pooling, summed over the channels: rows from top to
  /// bottom.
  public func featureSums(of image: ImageRGB) -> [[Float]] {
    _ = apply(transform(image))
    let (size, channels) = (folded.featureSize, mapChannels)
    return (0..<size).map { row in
      (0..<size).map { column in
        let cell = folded.features + (row * size + column) * channels
        return (0..<channels).reduce(0) { $0 + cell[$1] }
      }
    }
  }

  /// Applies the network to one picture, transformed already; the logits hold until the next run.
  func apply(_ picture: ImageRGB) -> UnsafePointer<Float> {
    picture.withView { view in
      transform.normalization.apply(
        view.base, pixelCount: transform.size * transform.size, into: folded.input)
    }
    return folded.run(batch: 1)
  }

  func best(_ logits: UnsafePointer<Float>, top: Int) -> [ClassProbability] {
    let values = (0..<classes).map { Double(logits[$0]) }
    let largest = values.max() ?? 0
    let sum = values.reduce(0) { $0 + exp($1 - largest) }
    let order = values.indices.sorted { (values[$0], -$0) > (values[$1], -$1) }
    return order.prefix(top).map {
      ClassProbability(
        index: $0, probability: exp(values[$0] - largest) / sum, logit: values[$0])
    }
  }
}
